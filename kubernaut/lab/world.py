"""A world in which incidents happen: a cluster, its nodes, Git, Argo CD and alerts. There are two, and they act the same."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import structlog

from kubernaut.domain.errors import Conflict, KubernautError, Permanent
from kubernaut.lab import repositories
from kubernaut.lab.alerting import Firing
from kubernaut.sim.argocd import APPLICATIONS, application
from kubernaut.sim.argocd.definition import NAMESPACE as ARGOCD
from kubernaut.sim.background import Background
from kubernaut.sim.client import ApiClient, Json
from kubernaut.sim.faults import Board
from kubernaut.sim.kubelet import Kubelets, NodeSpec, Pace
from kubernaut.sim.scenarios import Commit, Scenario, View

GENERAL_NODES = tuple(NodeSpec(f"worker-{number}") for number in (1, 2, 3))
LOOK_EVERY_S = 0.15
REFRESH = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}

log = structlog.get_logger(__name__)


class World(Protocol):
    """What the demo, the benchmarks and the end-to-end tests need of a world."""

    @property
    def kubeconfig(self) -> Path:
        """An administrator's kubeconfig."""
        ...

    @property
    def repositories(self) -> dict[str, Path]:
        """repoURL → bare repository, for the configuration of the forge."""
        ...

    async def deploy(self, scenario: Scenario) -> None:
        """Commits the manifests, creates the Application and returns when the workload is healthy."""
        ...

    async def break_(self, scenario: Scenario) -> None:
        """Lets the incident begin and returns when its symptom shows."""
        ...

    async def fire(self, scenario: Scenario, gateway_url: str, token: str) -> None:
        """Raises the alert, and keeps it as long as the symptom lasts; returns when it was taken."""
        ...

    async def healthy(self, scenario: Scenario) -> bool:
        """Whether the symptom is gone."""
        ...

    async def mended(self, scenario: Scenario) -> bool:
        """Whether the cause is gone, too."""
        ...

    async def api_outage(self, seconds: float) -> None:
        """Takes the API server away for so long; returns when it is back."""
        ...


class Receiver(Protocol):
    """Where alerts go."""

    async def firing(self, alert: Firing) -> None:
        """Posts that it fires."""
        ...

    async def resolved(self, alert: Firing) -> None:
        """Posts that it is over."""
        ...


@dataclass(slots=True)
class Outside:
    """What is around a cluster that runs: its API, its kubelets and what is wrong."""

    api: ApiClient
    kubelets: Kubelets
    board: Board


class Stage(ABC):
    """What both worlds do in the same way.

    Args:
        state_dir: a folder for whatever the world keeps.
        forge_root: where the bare repositories lie; `state_dir/forge` when left out.
        timescale: wall seconds to a cluster second; 0.1 is ten times as fast as real kubelets.
        cluster: the name of the cluster in alerts.
        repeat_s: wall seconds until an alert that still fires is posted again.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        forge_root: Path | None = None,
        timescale: float = 0.1,
        cluster: str = "prod-eu",
        repeat_s: float = 5.0,
    ) -> None:
        self.state_dir = state_dir
        self.forge_root = forge_root or state_dir / "forge"
        self.cluster = cluster
        self.pace = Pace(timescale)
        self.repositories: dict[str, Path] = {}
        self._repeat_s = repeat_s
        self._outside: Outside | None = None
        self._running = contextlib.AsyncExitStack()
        self._watches: list[Background] = []

    @property
    def kubeconfig(self) -> Path:
        """An administrator's kubeconfig, with a context named after the cluster."""
        return self.state_dir / "kubeconfig"

    @property
    def outside(self) -> Outside:
        """Raises Permanent while the world does not run."""
        if self._outside is None:
            raise Permanent("the world is not running: use it in `async with`")
        return self._outside

    @abstractmethod
    async def start(self) -> None:
        """Starts everything; what was started is stopped again if it fails."""

    async def stop(self) -> None:
        """Stops everything, newest first; what fails to stop keeps nothing else from being stopped."""
        running, self._running = self._running, contextlib.AsyncExitStack()
        await running.aclose()
        self._outside = None

    async def bring_to_life(self, stack: contextlib.AsyncExitStack, nodes: Sequence[NodeSpec]) -> None:
        """Gives the API server behind `kubeconfig` its nodes, and stops their kubelets with the stack."""
        api = ApiClient.from_kubeconfig(self.kubeconfig)
        stack.push_async_callback(api.close)
        board = Board(self.pace)
        kubelets = Kubelets(api, nodes, pace=self.pace, disturbance=board)
        stack.push_async_callback(kubelets.stop)
        self._outside = Outside(api, kubelets, board)
        await kubelets.start()
        stack.push_async_callback(self.end_watches)

    @abstractmethod
    def repo_url(self, name: str) -> str:
        """What Applications call the repository `forge_root/<name>.git`."""

    @abstractmethod
    def kubeconfig_of(self, user: str) -> Path:
        """Writes a kubeconfig for another user of the cluster, as `kubernaut` or `viewer`."""

    @abstractmethod
    async def api_outage(self, seconds: float) -> None:
        """Takes the API server away for so long; returns when it is back."""

    @abstractmethod
    async def receiver(self, gateway_url: str, token: str) -> Receiver:
        """What brings alerts to a gateway."""

    async def __aenter__(self) -> Self:
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self.forge_root.mkdir(parents=True, exist_ok=True)
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def deploy(self, scenario: Scenario) -> None:
        """Commits the manifests, creates the Application and returns when the workload is healthy.

        Raises:
            Permanent: it did not become healthy.
        """
        outside = self.outside
        for image in (f"{name}:{tag}" for name, tags in scenario.images.items() for tag in tags):
            outside.kubelets.registry.publish(image)
        for trait in scenario.traits:
            outside.board.inject(trait)
        for node in scenario.nodes:
            await outside.kubelets.add(node)
        for change in scenario.history:
            await self.commit(scenario, change)
        url = self.repo_url(scenario.repository)
        body = application(scenario.app, url, scenario.path, scenario.namespace)
        try:
            await outside.api.create(APPLICATIONS.format(namespace=ARGOCD), body)
        except Conflict:
            await self.refresh(scenario)
        await self.until(scenario, lambda view: view.rolled_out(scenario.app), "was not rolled out")

    async def break_(self, scenario: Scenario) -> None:
        """Lets the incident begin and returns when its symptom shows.

        Raises:
            Permanent: it did not show.
        """
        fault = scenario.fault(await self.view(scenario))
        if fault is not None:
            self.outside.board.inject(fault)
            self.outside.kubelets.nudge()
        for change in scenario.breaking:
            await self.commit(scenario, change)
        if scenario.breaking:
            await self.refresh(scenario)
        await self.until(scenario, scenario.shows, "did not break")

    async def fire(self, scenario: Scenario, gateway_url: str, token: str = "") -> None:
        """Raises the alert and returns when it was taken; repeats it, ends it with the symptom, raises it anew.

        Args:
            gateway_url: the gateway's base, as `http://127.0.0.1:9480`.

        Raises:
            Permanent, Temporary: nobody took it.
        """
        receiver = await self.receiver(gateway_url, token)
        alert = await self._occurrence(scenario)
        await receiver.firing(alert)
        watch = Background(lambda: self._attend(scenario, receiver, alert), f"alert-{scenario.number}")
        watch.start()
        self._watches.append(watch)

    async def healthy(self, scenario: Scenario) -> bool:
        """Whether the symptom is gone."""
        return scenario.healthy(await self.view(scenario))

    async def mended(self, scenario: Scenario) -> bool:
        """Whether the cause is gone, too."""
        return scenario.mended(await self.view(scenario))

    async def view(self, scenario: Scenario) -> View:
        """The scenario's namespace and the nodes, as the API server tells now."""
        return await View.read(self.outside.api, scenario.namespace)

    async def commit(self, scenario: Scenario, change: Commit) -> str:
        """Commits to the scenario's repository; Argo CD sees it at its next poll or refresh."""
        name = scenario.repository
        bare = self.forge_root / f"{name}.git"
        await repositories.ensure(bare)
        self.repositories[self.repo_url(name)] = bare
        return await repositories.commit(bare, scenario.path, change)

    async def refresh(self, scenario: Scenario) -> None:
        """Asks Argo CD to look at Git now, as a forge's web hook would."""
        await self.outside.api.patch(f"{APPLICATIONS.format(namespace=ARGOCD)}/{scenario.app}", REFRESH)

    async def application(self, scenario: Scenario) -> Json:
        """The scenario's Application as it is now."""
        return await self.outside.api.get(f"{APPLICATIONS.format(namespace=ARGOCD)}/{scenario.app}")

    async def until(
        self, scenario: Scenario, holds: Callable[[View], bool], otherwise: str, within_s: float = 90.0
    ) -> None:
        """Waits until a view of the scenario satisfies a predicate.

        Raises:
            Permanent: it did not in time.
        """
        try:
            async with asyncio.timeout(within_s):
                while not holds(await self.view(scenario)):  # noqa: ASYNC110 -- looks at a cluster, not at a task
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError as e:
            raise Permanent(f"scenario {scenario.number} ({scenario.app}) {otherwise} within {within_s:g} s") from e

    async def end_watches(self) -> None:
        """Stops repeating alerts."""
        while self._watches:
            await self._watches.pop().stop()

    async def _occurrence(self, scenario: Scenario) -> Firing:
        alert = scenario.alert(await self.view(scenario))
        return Firing(alert.rendered_labels(self.cluster), alert.rendered_annotations(), datetime.now(UTC))

    async def _attend(self, scenario: Scenario, receiver: Receiver, alert: Firing) -> None:
        """Repeats the alert while the symptom lasts, resolves it when it is gone, raises it anew when it comes back."""
        current: Firing | None = alert
        calm_s, since_post_s = 0.0, 0.0
        steady_s = max(1.0, 10.0 * self.pace.timescale)
        while True:
            await asyncio.sleep(LOOK_EVERY_S * 2)
            since_post_s += LOOK_EVERY_S * 2
            try:
                view = await self.view(scenario)
                calm_s = calm_s + LOOK_EVERY_S * 2 if scenario.healthy(view) else 0.0
                if current is None:
                    if scenario.shows(view):
                        current = await self._occurrence(scenario)
                        await receiver.firing(current)
                elif calm_s >= steady_s:
                    await receiver.resolved(current)
                    current = None
                elif since_post_s >= self._repeat_s:
                    since_post_s = 0.0
                    await receiver.firing(current)
            except KubernautError as e:
                log.debug("alert not posted", scenario=scenario.number, error=str(e))

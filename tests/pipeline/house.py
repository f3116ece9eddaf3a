"""The pipeline in this process: real store, real adapters and shipped rules, a simulated world outside."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.adapters.store import SqliteStore
from kubernaut.clock import SystemClock
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.analysis import Finding
from kubernaut.domain.approvals import Approval, Principal, Role, Verdict
from kubernaut.domain.facts import Snapshot
from kubernaut.domain.limits import Limits
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import FailureFamily, Signal, SignalSource, SignalStatus
from kubernaut.domain.values import Severity
from kubernaut.lab.simulated import SimulatedWorld
from kubernaut.pipeline.control import ControlDesk
from kubernaut.pipeline.intake import IntakeDesk
from kubernaut.pipeline.outside import Outside
from kubernaut.pipeline.pulls import PullDesk
from kubernaut.pipeline.runner import Runner
from kubernaut.pipeline.voting import VotingDesk
from kubernaut.ports import Analyst, Cluster, Query
from kubernaut.sim.scenarios import Scenario, scenario

CLUSTER = "prod-eu"
LIMITS = Limits(
    patience_s=1.0, stability_s=0.6, verify_poll_s=0.1, verify_deadline_s=60.0, merge_poll_s=0.2, sync_poll_s=0.1,
    resolve_grace_s=1.0,
)  # fmt: skip
ANA = Principal("ana", ("sre",), Role.APPROVER)
BEN = Principal("ben", ("sre",), Role.APPROVER)
SIA = Principal("sia", ("sre-lead",), Role.SENIOR)


class Sure:
    """The rules analyst, as sure of its findings as a test wants it to be."""

    name = "rules"

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence
        self._rules = RulesAnalyst()

    async def analyse(self, snapshot: Snapshot) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        """Genuine findings with another confidence."""
        findings, seen = await self._rules.analyse(snapshot)
        return tuple(replace(finding, confidence=self._confidence) for finding in findings), seen


class House:
    """Everything between a signal and a cluster.

    Args:
        analyst: the rules analyst when left out.
        limits, settings, freeze, max_concurrent: as the configuration has them.
        seen_as: puts something between the pipeline and the cluster.
    """

    world: SimulatedWorld
    store: SqliteStore
    runner: Runner
    intake: IntakeDesk
    voting: VotingDesk
    control: ControlDesk
    pulls: PullDesk

    def __init__(
        self, folder: Path, *, analyst: Analyst | None = None, limits: Limits = LIMITS, freeze: bool = False,
        settings: Mapping[str, Any] | None = None, max_concurrent: int = 64, running: bool = True,
        seen_as: Callable[[Cluster], Cluster] = lambda cluster: cluster,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._analyst: Analyst = analyst or RulesAnalyst()
        self._limits = limits
        self._freeze = freeze
        self._settings = dict(settings or {})
        self._max = max_concurrent
        self._running = running
        self._seen_as = seen_as
        self._stack = AsyncExitStack()
        self._working: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        clock, stack = SystemClock(), self._stack
        self.world = await stack.enter_async_context(SimulatedWorld(self._folder / "w", timescale=0.05))
        self.store = await SqliteStore.open(self._folder / "kubernaut.db", clock)
        stack.push_async_callback(self.store.close)
        self.cluster = await KubernetesCluster.connect(CLUSTER, self.world.kubeconfig_of("kubernaut"), None, clock)
        stack.push_async_callback(self.cluster.close)
        await self.cluster.start()
        await self.cluster.synced()
        policy = await RegoPolicyEngine.load(shipped_policies(), self._settings)
        url = self.world.repo_url("fleet")
        forge = LocalForge(self.world.forge_root, {url: "fleet"}, clock)
        out = Outside(
            self.store, {CLUSTER: self._seen_as(self.cluster)}, forge, policy, self._analyst, clock, self._limits,
            {CLUSTER: {"environment": "production"}}, self._freeze,
        )  # fmt: skip
        self.runner = Runner(out, self._max)
        nudge = self.runner.nudge
        self.intake = IntakeDesk(self.store, {CLUSTER: self.cluster}, clock, self._limits.dedup_window_s, nudge)
        self.blind_intake = IntakeDesk(self.store, {}, clock, self._limits.dedup_window_s, nudge)
        self.voting = VotingDesk(self.store, clock, nudge)
        self.control = ControlDesk(self.store, clock, nudge)
        self.pulls = PullDesk(self.store, forge, clock, nudge)
        stack.push_async_callback(self._stop)
        if self._running:
            self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def start(self) -> None:
        """Let the runner work."""
        self._working = asyncio.get_running_loop().create_task(self.runner.run())

    async def _stop(self) -> None:
        self.runner.stop()
        if self._working is not None:
            await self._working

    async def broken(self, number: int) -> Scenario:
        """A scenario, deployed and broken."""
        chosen = scenario(number)
        await self.world.deploy(chosen)
        await self.world.break_(chosen)
        return chosen

    async def take(self, *signals: Signal, blind: bool = False) -> str:
        """Take signals and return the last one's remediation. blind: before the watches know whose pod it is."""
        desk = self.blind_intake if blind else self.intake
        return (await desk.take(signals))[-1].remediation_id

    async def look(self, id_: str) -> Remediation:
        """The remediation as it is persisted."""
        found = await self.store.remediation(id_)
        assert found is not None
        return found

    async def all(self) -> Sequence[Remediation]:
        """Every remediation."""
        return (await self.store.list(Query(limit=500))).items

    async def said(self, id_: str) -> str:
        """All that the journal has of it, a line an entry."""
        return "\n".join(f"{e.kind}: {e.message}" for e in await self.store.journal(0, 10_000, id_))

    async def until(self, id_: str, holds: Callable[[Remediation], Any], within_s: float = 90.0) -> Remediation:
        """The remediation as soon as something is true of it."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            item = await self.look(id_)
            if holds(item):
                return item
            await asyncio.sleep(0.05)
        raise AssertionError(f"{(await self.look(id_)).phase} after {within_s:g} s:\n{await self.said(id_)}")

    async def ended(self, id_: str) -> Remediation:
        """The remediation at its end."""
        return await self.until(id_, lambda item: item.ended)

    async def asked(self, id_: str) -> Approval:
        """The pending question of it."""
        item = await self.until(id_, lambda item: item.phase == "AwaitingApproval" and item.imperative.approval_id)
        assert item.imperative is not None
        approval = await self.store.approval(item.imperative.approval_id)
        assert approval is not None
        return approval

    async def vote(self, approval: Approval, who: Principal = ANA, verdict: Verdict = Verdict.APPROVE) -> Approval:
        """One vote on what was asked."""
        return await self.voting.vote(approval.id, who, verdict, approval.plan_hash, "", approval.confirm)


def signal(
    name: str, kind: str = "Deployment", namespace: str = "", family: FailureFamily | str = FailureFamily.CRASH_LOOP, *,
    resolved: bool = False, occurrence: str = "",
) -> Signal:  # fmt: skip
    """A signal about one object of the cluster."""
    now = datetime.now(UTC)
    status = SignalStatus.RESOLVED if resolved else SignalStatus.FIRING
    return Signal(
        f"Test{family}", SignalSource.ALERTMANAGER, CLUSTER, status, Severity.WARNING,
        ResourceRef(CLUSTER, kind, name, namespace), str(family), occurrence or f"{kind}/{name}/{family}", now,
        now if resolved else None,
    )  # fmt: skip


CHECKOUT = signal("checkout", namespace="shop")
MEDIA_1 = signal("media-1", "Node", family=FailureFamily.NODE_NOT_READY)
BATCH_2 = signal("batch-2", "Node", family=FailureFamily.NODE_NOT_READY)

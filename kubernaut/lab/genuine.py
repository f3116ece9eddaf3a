"""The genuine world: a real control plane, Argo CD, Alertmanager and git; only nodes, containers and faults are played."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

from kubernaut.lab.alerting import Firing
from kubernaut.lab.parts.alertmanager import Alertmanager
from kubernaut.lab.parts.argocd import ArgoCD
from kubernaut.lab.parts.catalogue import Parts
from kubernaut.lab.parts.control_plane import ControlPlane
from kubernaut.lab.parts.git_daemon import GitDaemon
from kubernaut.lab.world import GENERAL_NODES, Receiver, Stage
from kubernaut.sim.kubelet import NodeSpec

NEEDS = ("control-plane", "argocd", "redis", "alertmanager", "git")


class GenuineWorld(Stage):
    """Everything that can be had as the real thing is the real thing.

    Args:
        parts: where the binaries are; found on this machine when left out.
        nodes: what the cluster begins with.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        parts: Parts | None = None,
        forge_root: Path | None = None,
        timescale: float = 0.1,
        cluster: str = "prod-eu",
        repeat_s: float = 5.0,
        nodes: Sequence[NodeSpec] = GENERAL_NODES,
    ) -> None:
        super().__init__(state_dir, forge_root=forge_root, timescale=timescale, cluster=cluster, repeat_s=repeat_s)
        self._parts = parts or Parts.find()
        self._nodes = nodes
        self.control_plane = ControlPlane(self._parts)
        self.git = GitDaemon(self._parts, self.forge_root)
        self.argocd = ArgoCD(self._parts, self.control_plane)
        self.alertmanagers: dict[tuple[str, str], Alertmanager] = {}

    async def start(self) -> None:
        """Starts control plane, git, nodes and Argo CD; about ten seconds.

        Raises:
            Permanent: a part is missing or didn't come up; the message says what to do.
        """
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self.control_plane)
            self.control_plane.kubeconfig(self.kubeconfig, context=self.cluster)
            await stack.enter_async_context(self.git)
            await self.bring_to_life(stack, self._nodes)
            await stack.enter_async_context(self.argocd)
            stack.callback(self._stop_alertmanagers)
            self._running = stack.pop_all()

    def _stop_alertmanagers(self) -> None:
        while self.alertmanagers:
            self.alertmanagers.popitem()[1].stop()

    def kubeconfig_of(self, user: str) -> Path:
        """A kubeconfig for another user of the control plane, as `kubernaut` or `viewer`."""
        return self.control_plane.kubeconfig(self.state_dir / f"kubeconfig-{user}", user, context=self.cluster)

    def repo_url(self, name: str) -> str:
        """The git daemon's address of the repository."""
        return self.git.url(f"{name}.git")

    async def receiver(self, gateway_url: str, token: str) -> Receiver:
        """An Alertmanager for this gateway, started at the first alert to it."""
        key = (gateway_url, token)
        if key not in self.alertmanagers:
            url = f"{gateway_url.rstrip('/')}/v1/alertmanager"
            alertmanager = Alertmanager(self._parts, url, token=token, repeat_interval=f"{self._repeat_s:g}s")
            await alertmanager.start()
            self.alertmanagers[key] = alertmanager
        return _ByAlertmanager(self.alertmanagers[key])

    async def api_outage(self, seconds: float) -> None:
        """Stops the genuine API server, and starts it again on the same port."""
        self.control_plane.stop_api_server()
        await asyncio.sleep(seconds)
        await self.control_plane.start_api_server()


class _ByAlertmanager:
    """Does what Prometheus does: tells Alertmanager again and again, and when it is over."""

    def __init__(self, alertmanager: Alertmanager) -> None:
        self._alertmanager = alertmanager

    async def firing(self, alert: Firing) -> None:
        await self._alertmanager.fire(alert.labels, alert.annotations, starts_at=alert.started)

    async def resolved(self, alert: Firing) -> None:
        await self._alertmanager.resolve(alert.labels)

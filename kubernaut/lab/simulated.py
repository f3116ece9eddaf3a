"""The simulated world: everything in this process, started in a moment, gone without a trace."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from kubernaut.domain.errors import Permanent
from kubernaut.lab.alerting import Firing, Webhook
from kubernaut.lab.world import GENERAL_NODES, Receiver, Stage
from kubernaut.sim.argocd import SimulatedArgoCD
from kubernaut.sim.cluster import SimulatedCluster
from kubernaut.sim.kubelet import NodeSpec


class SimulatedWorld(Stage):
    """A simulated cluster with simulated Argo CD; git is the real one.

    Args:
        nodes: what the cluster begins with.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        forge_root: Path | None = None,
        timescale: float = 0.1,
        cluster: str = "prod-eu",
        repeat_s: float = 5.0,
        nodes: Sequence[NodeSpec] = GENERAL_NODES,
    ) -> None:
        super().__init__(state_dir, forge_root=forge_root, timescale=timescale, cluster=cluster, repeat_s=repeat_s)
        self._nodes = nodes
        self._simulated: SimulatedCluster | None = None

    async def start(self) -> None:
        """Starts API server, controllers, nodes and Argo CD; less than a second."""
        async with contextlib.AsyncExitStack() as stack:
            self._simulated = SimulatedCluster()
            stack.push_async_callback(self._simulated.stop)
            await self._simulated.start("127.0.0.1")
            self._simulated.write_kubeconfig(self.kubeconfig, context=self.cluster)
            await self.bring_to_life(stack, self._nodes)
            argocd = SimulatedArgoCD(
                self.outside.api, cache=self.state_dir / "argocd", repositories=self.repositories, pace=self.pace
            )
            stack.push_async_callback(argocd.stop)
            await argocd.install()
            await argocd.start()
            self._running = stack.pop_all()

    def kubeconfig_of(self, user: str) -> Path:
        """A kubeconfig for another user of the cluster, as `kubernaut` or `viewer`."""
        path = self.state_dir / f"kubeconfig-{user}"
        return self.simulated.write_kubeconfig(path, user, context=self.cluster)

    def repo_url(self, name: str) -> str:
        """An address as a company's forge has; the simulated Argo CD and the local forge know the folder behind it."""
        return f"https://git.shop.example/platform/{name}.git"

    async def receiver(self, gateway_url: str, token: str) -> Receiver:
        """Posts to the gateway directly, in Alertmanager's words."""
        return _ByWebhook(Webhook(f"{gateway_url.rstrip('/')}/v1/alertmanager", token))

    async def api_outage(self, seconds: float) -> None:
        """Closes the API server's port and every connection, and opens it again."""
        await self.simulated.stop_serving()
        await asyncio.sleep(seconds)
        await self.simulated.resume_serving()

    @property
    def simulated(self) -> SimulatedCluster:
        """Raises Permanent while the world does not run."""
        if self._simulated is None:
            raise Permanent("the world is not running: use it in `async with`")
        return self._simulated


class _ByWebhook:
    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    async def firing(self, alert: Firing) -> None:
        await self._webhook.post(alert.payload())

    async def resolved(self, alert: Firing) -> None:
        await self._webhook.post(alert.payload(datetime.now(UTC)))

"""The application controller: watches Applications and what they manage, and brings the cluster to what Git says."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog

from kubernaut.domain.errors import KubernautError, NotFound, Temporary
from kubernaut.sim.argocd.comparison import TRACKING
from kubernaut.sim.argocd.definition import definitions
from kubernaut.sim.argocd.reconciler import Cluster, Reconciler
from kubernaut.sim.argocd.repository import Repositories
from kubernaut.sim.argocd.resources import Discovery
from kubernaut.sim.background import Background
from kubernaut.sim.client import ApiClient, Json, Mirror, key_of
from kubernaut.sim.kubelet.pace import Pace

ALL_APPLICATIONS = "/apis/argoproj.io/v1alpha1/applications"
RETRY_S = 0.2

log = structlog.get_logger(__name__)


class SimulatedArgoCD:
    """An ordinary client of an API server that serves the Application resource.

    Args:
        api: a client that may do everything.
        cache: a folder for mirrors of the repositories.
        repositories: where to fetch a repoURL from when it is not a place that git can reach; read anew at every use.
        pace: cluster time, in which it polls every three minutes and backs off.
    """

    def __init__(self, api: ApiClient, *, cache: Path, repositories: Mapping[str, Path], pace: Pace) -> None:
        self._api, self._pace = api, pace
        self._cluster = Cluster(api, Discovery(api), Repositories(cache, repositories), pace, self._live)
        self._mirrors: dict[str, Mirror] = {}
        self._applications = Mirror(api, ALL_APPLICATIONS, self._noticed)
        self._nudges: dict[tuple[str, str], asyncio.Event] = {}
        self._group: asyncio.TaskGroup | None = None
        self._background = Background(self._main, "simulated-argocd")
        self._up = asyncio.Event()

    async def install(self) -> None:
        """Creates the resource definitions and the namespace; what is there already stays."""
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        for definition in definitions():
            await self._ensure(path, definition)
        await self._ensure("/api/v1/namespaces", {
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"},
        })  # fmt: skip
        async with asyncio.timeout(30):
            while not await self._served():  # noqa: ASYNC110 -- the API server tells nobody when it serves a definition
                await asyncio.sleep(0.1)

    async def start(self) -> None:
        """Begins to reconcile."""
        self._background.start()
        async with asyncio.timeout(30):
            await self._up.wait()

    async def stop(self) -> None:
        """Leaves the cluster as it is."""
        await self._background.stop()

    async def _ensure(self, path: str, item: Json) -> None:
        try:
            await self._api.get(f"{path}/{item['metadata']['name']}")
        except NotFound:
            await self._api.create(path, item)

    async def _served(self) -> bool:
        try:
            await self._api.get(ALL_APPLICATIONS)
        except (NotFound, Temporary):  # not known yet, or its storage is being made
            return False
        return True

    async def _main(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._applications.run())
            await self._applications.synced.wait()
            self._up.set()

    def _noticed(self, kind: str, app: Json) -> None:
        key = key_of(app)
        if key in self._nudges:
            self._nudges[key].set()
        elif kind != "DELETED" and self._group is not None:
            self._nudges[key] = asyncio.Event()
            self._group.create_task(self._work(key))

    async def _work(self, key: tuple[str, str]) -> None:
        reconciler = Reconciler(self._cluster)
        nudge = self._nudges[key]
        try:
            while (app := self._applications.objects.get(key)) is not None:
                nudge.clear()
                try:
                    wait_s = await reconciler.round(app)
                except KubernautError as e:
                    log.debug("application not reconciled", application=key[1], error=str(e))
                    wait_s = RETRY_S
                try:
                    async with asyncio.timeout(wait_s):
                        await nudge.wait()
                except TimeoutError:
                    continue
        finally:
            del self._nudges[key]

    async def _live(self, collection: str) -> dict[tuple[str, str], Json]:
        """The live objects of a collection, watched from the first time somebody asks."""
        if collection not in self._mirrors and self._group is not None:
            self._mirrors[collection] = Mirror(self._api, collection, self._moved)
            self._group.create_task(self._mirrors[collection].run())
        mirror = self._mirrors[collection]
        async with asyncio.timeout(15):
            await mirror.synced.wait()
        return mirror.objects

    def _moved(self, _kind: str, item: Json) -> None:
        tracked = (item["metadata"].get("annotations") or {}).get(TRACKING, "")
        app = tracked.partition(":")[0]
        for (_, name), nudge in self._nudges.items():
            if name == app:
                nudge.set()

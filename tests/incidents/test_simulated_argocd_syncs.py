"""The simulated Argo CD does what was seen of the genuine one: sync, self-heal with back-off, refresh, prune, complaints."""

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from kubernaut.domain.errors import NotFound
from kubernaut.lab import repositories
from kubernaut.lab.parts import ControlPlane
from kubernaut.sim.argocd import APPLICATIONS, SimulatedArgoCD, application
from kubernaut.sim.argocd.merge import LAST_APPLIED, merged
from kubernaut.sim.client import ApiClient, Json
from kubernaut.sim.cluster import SimulatedCluster
from kubernaut.sim.kubelet import Kubelets, NodeSpec, Pace
from kubernaut.sim.scenarios import Commit, manifests

from .hands import eventually, stays

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "https://git.shop.example/platform/fleet.git"
APPS = APPLICATIONS.format(namespace="argocd")
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAME}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          resources: {limits: {cpu: 0.5, memory: 128Mi}}
"""


@dataclass
class Desk:
    """A cluster with the simulated Argo CD, and a repository."""

    api: ApiClient
    bare: Path

    async def begin(self, name: str, files: Mapping[str, str]) -> None:
        await self.push(name, files)
        await self.api.create(APPS, application(name, URL, name, name))
        await eventually(lambda: self.synced(name))

    async def push(self, name: str, files: Mapping[str, str]) -> str:
        files = {path: text.replace("NAME", name) for path, text in files.items()}
        return await repositories.commit(self.bare, name, Commit("Change", files))

    async def app(self, name: str) -> Json:
        return await self.api.get(f"{APPS}/{name}")

    async def synced(self, name: str, revision: str = "") -> bool:
        status = (await self.app(name)).get("status") or {}
        sync = status.get("sync") or {}
        return sync.get("status") == "Synced" and sync["revision"].startswith(revision)

    async def refresh(self, name: str) -> None:
        annotations = {"argocd.argoproj.io/refresh": "normal"}
        await self.api.patch(f"{APPS}/{name}", {"metadata": {"annotations": annotations}})

    async def web(self, name: str) -> Json:
        return await self.api.get(f"/apis/apps/v1/namespaces/{name}/deployments/web")

    async def edit(self, name: str, spec: Json) -> None:
        await self.api.patch(f"/apis/apps/v1/namespaces/{name}/deployments/web", {"spec": spec})


@contextlib.asynccontextmanager
async def _run(api: ApiClient, folder: Path) -> AsyncIterator[Desk]:
    bare, pace = folder / "fleet.git", Pace(0.2)
    await repositories.ensure(bare)
    kubelets = Kubelets(api, [NodeSpec("worker-1"), NodeSpec("worker-2")], pace=pace)
    argocd = SimulatedArgoCD(api, cache=folder / "cache", repositories={URL: bare}, pace=pace)
    await kubelets.start()
    await argocd.install()
    await argocd.start()
    try:
        yield Desk(api, bare)
    finally:
        await argocd.stop()
        await kubelets.stop()
        await api.close()


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["simulated", pytest.param("genuine", marks=pytest.mark.genuine)]
)
async def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """The same controller on both kinds of API server."""
    folder = tmp_path_factory.mktemp("desk")
    async with contextlib.AsyncExitStack() as stack:
        if request.param == "simulated":
            cluster = SimulatedCluster()
            await cluster.start()
            stack.push_async_callback(cluster.stop)
            path = cluster.write_kubeconfig(folder / "kubeconfig")
        else:
            genuine: ControlPlane = request.getfixturevalue("control_plane")
            path = genuine.kubeconfig(folder / "kubeconfig")
        yield await stack.enter_async_context(_run(ApiClient.from_kubeconfig(path), folder))


FILES = {"namespace.yaml": manifests.namespace("NAME", "web"), "web.yaml": DEPLOYMENT}


async def test_a_sync_is_told_as_the_genuine_controller_tells_it(desk: Desk) -> None:
    await desk.begin("told", FILES)
    await eventually(lambda: _is_healthy(desk, "told"))
    status = (await desk.app("told"))["status"]
    tip = await repositories.tip(desk.bare)
    assert status["sync"]["revision"] == tip
    assert status["operationState"]["phase"] == "Succeeded"
    assert status["operationState"]["syncResult"]["revision"] == tip
    assert [h["revision"] for h in status["history"]] == [tip]
    assert {(r["kind"], r["status"]) for r in status["resources"]} == {
        ("Namespace", "Synced"),
        ("Deployment", "Synced"),
    }
    annotations = (await desk.web("told"))["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/tracking-id"] == "told:apps/Deployment:told/web"
    assert LAST_APPLIED in annotations


async def test_an_edit_of_gits_field_is_undone_and_each_time_later(desk: Desk) -> None:
    await desk.begin("heals", FILES)
    took = []
    for _ in range(2):
        began = time.monotonic()
        await desk.edit("heals", {"replicas": 5})
        await eventually(lambda: _has_replicas(desk, "heals", 2))
        took.append(time.monotonic() - began)
    assert took[0] < took[1]


async def test_an_edit_of_nobodys_field_stays_and_is_called_synced(desk: Desk) -> None:
    await desk.begin("stays", FILES)
    stamp = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    await desk.edit("stays", {"template": {"metadata": {"annotations": stamp}}})
    await stays(lambda: _is_restarted(desk, "stays"))
    new = await desk.push("stays", {"web.yaml": DEPLOYMENT.replace("web:1", "web:2")})
    await desk.refresh("stays")
    await eventually(lambda: desk.synced("stays", new))
    assert (await desk.web("stays"))["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":2")
    assert await _is_restarted(desk, "stays")


async def test_without_a_refresh_a_commit_waits_for_the_poll(desk: Desk) -> None:
    await desk.begin("waits", FILES)
    before = await desk.app("waits")
    new = await desk.push("waits", {"web.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: 1")})
    await stays(lambda: desk.synced("waits", before["status"]["sync"]["revision"]))
    await desk.refresh("waits")
    await eventually(lambda: desk.synced("waits", new))
    assert "argocd.argoproj.io/refresh" not in ((await desk.app("waits"))["metadata"].get("annotations") or {})
    await eventually(lambda: _has_replicas(desk, "waits", 1))


async def test_held_off_it_says_out_of_sync_and_leaves_the_edit(desk: Desk) -> None:
    await desk.begin("held", FILES)
    await desk.api.patch(f"{APPS}/held", {"spec": {"syncPolicy": {"automated": {"enabled": False}}}})
    await desk.edit("held", {"replicas": 4})
    await eventually(lambda: _is(desk, "held", "OutOfSync"))
    await stays(lambda: _has_replicas(desk, "held", 4))
    await desk.api.patch(f"{APPS}/held", {"spec": {"syncPolicy": {"automated": {"enabled": None}}}})
    await eventually(lambda: _has_replicas(desk, "held", 2))


async def test_what_leaves_git_leaves_the_cluster(desk: Desk) -> None:
    kustomization = "resources: [namespace.yaml, web.yaml, service.yaml]\n"
    service = manifests.service("web", "NAME")
    await desk.begin("prunes", FILES | {"service.yaml": service, "kustomization.yaml": kustomization})
    assert (await desk.app("prunes"))["status"]["sourceType"] == "Kustomize"
    await desk.api.get("/api/v1/namespaces/prunes/services/web")
    await desk.push("prunes", {"kustomization.yaml": kustomization.replace(", service.yaml", "")})
    await desk.refresh("prunes")

    async def gone() -> bool:
        try:
            await desk.api.get("/api/v1/namespaces/prunes/services/web")
        except NotFound:
            return True
        return False

    await eventually(gone)
    await eventually(lambda: desk.synced("prunes"))


async def test_what_cannot_be_read_is_said_and_harms_nothing(desk: Desk) -> None:
    await desk.begin("reads", FILES)
    await desk.push("reads", {"web.yaml": "kind: [unclosed\n"})
    await desk.refresh("reads")
    await eventually(lambda: _is(desk, "reads", "Unknown"))
    await eventually(lambda: _says(desk, "reads", "ComparisonError"))
    assert (await desk.web("reads"))["spec"]["replicas"] == 2
    await desk.push("reads", {"web.yaml": DEPLOYMENT})
    await desk.refresh("reads")
    await eventually(lambda: desk.synced("reads"))


async def test_a_merge_keeps_what_others_added_and_drops_what_git_dropped() -> None:
    last = {"a": 1, "b": {"c": 1, "d": 2}, "containers": [{"name": "x", "image": "1"}, {"name": "y"}]}
    wanted = {"a": 2, "b": {"c": 1}, "containers": [{"name": "x", "image": "2"}]}
    containers = [{"name": "x", "image": "1", "pull": "Always"}, {"name": "y"}, {"name": "sidecar"}]
    live = {"a": 1, "b": {"c": 1, "d": 2, "e": 3}, "f": 4, "containers": containers}
    assert merged(last, wanted, live) == {
        "a": 2,
        "b": {"c": 1, "e": 3},
        "f": 4,
        "containers": [{"name": "x", "image": "2", "pull": "Always"}, {"name": "sidecar"}],
    }


async def _is_healthy(desk: Desk, name: str) -> bool:
    return bool((await desk.app(name))["status"]["health"]["status"] == "Healthy")


async def _is(desk: Desk, name: str, sync: str) -> bool:
    return bool((await desk.app(name))["status"]["sync"]["status"] == sync)


async def _says(desk: Desk, name: str, kind: str) -> bool:
    conditions = (await desk.app(name))["status"].get("conditions") or ()
    return any(condition["type"] == kind for condition in conditions)


async def _has_replicas(desk: Desk, name: str, count: int) -> bool:
    return bool((await desk.web(name))["spec"]["replicas"] == count)


async def _is_restarted(desk: Desk, name: str) -> bool:
    annotations = (await desk.web(name))["spec"]["template"]["metadata"].get("annotations") or {}
    return "kubectl.kubernetes.io/restartedAt" in annotations and await desk.synced(name)

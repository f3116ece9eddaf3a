"""An API server that goes away degrades its own cluster only, and nothing that changed meanwhile is lost."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from kubernetes_objects import deployment, pod

from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.domain.errors import Temporary
from kubernaut.domain.facts import ref_of
from kubernaut.sim.client import ApiClient
from kubernaut.sim.cluster import SimulatedCluster


@pytest.fixture
async def simulated() -> AsyncIterator[SimulatedCluster]:
    server = SimulatedCluster()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def api(simulated, tmp_path) -> AsyncIterator[ApiClient]:
    async with ApiClient.from_kubeconfig(simulated.write_kubeconfig(tmp_path / "api")) as client:
        yield client


class Seen:
    """Names of what was told, by kind of change."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str]] = []

    def __call__(self, before, after) -> None:
        item = after or before
        if item["kind"] == "Deployment":
            change = "added" if before is None else "deleted" if after is None else "changed"
            self.changes.append((change, item["metadata"]["name"]))


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
async def watching(simulated, tmp_path, clock, seen) -> AsyncIterator[KubernetesCluster]:
    kubeconfig = simulated.write_kubeconfig(tmp_path / "kubeconfig")
    cluster = await KubernetesCluster.connect("prod", kubeconfig, "simulated", clock, seen)
    try:
        await cluster.start()
        async with asyncio.timeout(30):
            await cluster.synced()
        yield cluster
    finally:
        await cluster.close()


PATH = "/apis/apps/v1/namespaces/default/deployments"


async def test_what_changed_during_an_outage_is_told_afterwards(simulated, api, watching, seen, until):
    for name in ("kept", "changed", "removed"):
        await api.create(PATH, deployment(name, "default"))
    await until(lambda: len({n for _, n in seen.changes}) == 3)
    await until(lambda: watching.health().state == "LIVE")

    await simulated.stop_serving()
    await until(lambda: watching.health().state != "LIVE")
    with pytest.raises(Temporary):
        await watching.get("Deployment", "default", "kept", live=True)
    await simulated.resume_serving()
    await api.close()
    await api.patch(f"{PATH}/changed", {"spec": {"replicas": 5}})
    await api.delete(f"{PATH}/removed")
    await api.create(PATH, deployment("new", "default"))

    await until(lambda: watching.cached("Deployment", "default", "new"))
    await until(lambda: watching.cached("Deployment", "default", "removed") is None)
    assert watching.cached("Deployment", "default", "changed")["spec"]["replicas"] == 5
    await until(lambda: watching.health().state == "LIVE")


async def test_after_forgotten_history_only_differences_are_told(simulated, api, watching, seen, until):
    for name in ("kept", "changed", "removed"):
        await api.create(PATH, deployment(name, "default"))
    await until(lambda: watching.cached("Deployment", "default", "removed"))
    await settled(api, watching, until)
    kept = watching.cached("Deployment", "default", "kept")

    await simulated.stop_serving()
    await until(lambda: watching.health().state != "LIVE")
    seen.changes.clear()
    # changed while nobody can watch, then all history is forgotten: the old version is gone when service resumes
    await simulated.resume_serving()
    simulated.compact()
    await api.close()
    await api.patch(f"{PATH}/changed", {"metadata": {"labels": {"a": "b"}}})
    await api.delete(f"{PATH}/removed")
    simulated.compact()

    await until(lambda: ("deleted", "removed") in seen.changes)
    await until(lambda: ("changed", "changed") in seen.changes)
    assert not [name for _, name in seen.changes if name == "kept"]
    assert watching.cached("Deployment", "default", "kept") == kept


async def test_a_server_that_never_was_there_is_down_and_found_when_it_comes(simulated, tmp_path, clock, until):
    kubeconfig = simulated.write_kubeconfig(tmp_path / "kubeconfig")
    await simulated.stop_serving()
    cluster = await KubernetesCluster.connect("prod", kubeconfig, None, clock)
    try:
        await cluster.start()
        assert cluster.health().state == "DOWN"
        await until(lambda: "can't connect" in cluster.health().reason)
        with pytest.raises(Temporary, match="connect"):
            await cluster.list("Pod", "default")
        await simulated.resume_serving()
        await until(lambda: cluster.health().state == "LIVE")
        assert cluster.health().server_version
    finally:
        await cluster.close()


async def test_a_definition_that_is_installed_later_is_found(watching, api, until):
    assert await watching.list("Application") == []
    assert await watching.get("Application", "argocd", "shop") is None
    assert watching.health().state == "LIVE"
    names = {"plural": "applications", "singular": "application", "kind": "Application", "listKind": "ApplicationList"}
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    await api.create(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "applications.argoproj.io"},
            "spec": {"group": "argoproj.io", "scope": "Namespaced", "names": names, "versions": [version]},
        },
    )
    path = "/apis/argoproj.io/v1alpha1/namespaces/default/applications"
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "default"},
    }
    await until(lambda: created(api, path, body))
    assert [o["metadata"]["name"] for o in await watching.list("Application")] == ["shop"]
    found = await until(lambda: watching.cached("Application", "default", "shop"))
    patched = await watching.patch(
        ref_of(found, "prod"), {"spec": {"project": "default"}}, expected={"uid": found["metadata"]["uid"]}
    )
    assert patched["spec"]["project"] == "default"


async def test_a_write_that_never_left_is_temporary(simulated, api, watching, until):
    made = await api.create("/api/v1/namespaces/default/pods", pod("web", "default"))
    await simulated.stop_serving()
    with pytest.raises(Temporary):
        await watching.delete(ref_of(made, "prod"), expected={"uid": made["metadata"]["uid"]})


@pytest.mark.genuine
async def test_a_genuine_api_server_that_is_away_for_a_while(control_plane, cluster, namespace, create, until):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    await create(path, deployment("web", namespace))
    await until(lambda: cluster.cached("Deployment", namespace, "web"))
    control_plane.stop_api_server()
    try:
        await until(lambda: cluster.health().state != "LIVE")
        assert cluster.health().reason
    finally:
        started = time.monotonic()
        await control_plane.start_api_server()
    await create(path, deployment("later", namespace))
    await until(lambda: cluster.cached("Deployment", namespace, "later"))
    await until(lambda: cluster.health().state == "LIVE")
    assert cluster.health().watch_age_s < time.monotonic() - started


async def created(api, path, body):
    """Whether the object could be created: a definition is served a moment after it was accepted."""
    try:
        return await api.create(path, body)
    except Exception:
        return None


async def settled(api, watching, until):
    """Waits until controllers have nothing more to write to the Deployments."""

    async def quiet():
        first = [o["metadata"]["resourceVersion"] for o in (await api.get(PATH))["items"]]
        await asyncio.sleep(0.5)
        return first == [o["metadata"]["resourceVersion"] for o in (await api.get(PATH))["items"]]

    await until(quiet)

"""The watch cache shows what the genuine API server has, soon after it changed."""

import pytest
from kubernetes_objects import deployment

from kubernaut.domain.facts import ref_of
from kubernaut.domain.owner import top_owner
from kubernaut.domain.resources import ResourceRef

pytestmark = pytest.mark.genuine


async def test_created_changed_and_deleted_objects_are_followed(cluster, namespace, create, control_plane, until):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    await create(path, deployment("web", namespace))
    seen = await until(lambda: cluster.cached("Deployment", namespace, "web"))
    assert seen["kind"] == "Deployment"
    assert seen["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/app:1.0"

    await control_plane.kubectl("-n", namespace, "scale", "deployment/web", "--replicas=2")
    await until(lambda: cluster.cached("Deployment", namespace, "web")["spec"]["replicas"] == 2)

    await control_plane.kubectl("-n", namespace, "delete", "deployment/web")
    await until(lambda: cluster.cached("Deployment", namespace, "web") is None)


async def test_a_pod_is_traced_to_its_deployment(cluster, namespace, create, until):
    made = await create(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment("web", namespace, replicas=3))
    sets = await until(lambda: cluster.owned("ReplicaSet", made["metadata"]["uid"], namespace))
    pods = await until(lambda: cluster.owned("Pod", sets[0]["metadata"]["uid"], namespace))
    pod = ref_of(pods[0], "genuine")
    owner = top_owner(pod, lambda ref: cluster.cached(ref.kind, ref.namespace, ref.name))
    assert owner == ResourceRef("genuine", "Deployment", "web", namespace)


async def test_cached_and_live_listings_agree(cluster, namespace, create, until):
    await create(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment("web", namespace))
    await create(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment("api", namespace))
    await until(lambda: cluster.cached("Deployment", namespace, "api"))
    for selector in ("app=web", "app!=web", "app in (web, api)", "app notin (web)", "app", "!app", "app,app!=api"):
        kept = {o["metadata"]["name"] for o in await cluster.list("Deployment", namespace, labels=selector)}
        live = {o["metadata"]["name"] for o in await cluster.list("Deployment", namespace, labels=selector, live=True)}
        assert kept == live, selector
    by_name = await cluster.list("Deployment", namespace, fields="metadata.name=web")
    assert [o["metadata"]["name"] for o in by_name] == ["web"]

"""Writes change only the object that was read, or say why not in terms of what to do next. On a genuine API server."""

import asyncio

import pytest
from kubernetes_objects import deployment, pod

from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.domain.errors import BadInput, Conflict, NotFound, Refused, Temporary
from kubernaut.domain.facts import ref_of

pytestmark = pytest.mark.genuine

SCALE = {"spec": {"replicas": 2}}


def read(item):
    return {"uid": item["metadata"]["uid"], "resourceVersion": item["metadata"]["resourceVersion"]}


@pytest.fixture
async def web(cluster, namespace, create, until):
    """A Deployment that its controller has finished writing to."""
    made = await create(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment("web", namespace))
    await until(lambda: cluster.owned("ReplicaSet", made["metadata"]["uid"], namespace))
    while True:
        item = await cluster.get("Deployment", namespace, "web", live=True)
        await asyncio.sleep(0.3)
        if read(item) == read(await cluster.get("Deployment", namespace, "web", live=True)):
            return item


async def test_a_patch_is_made_under_our_name(cluster, web):
    patched = await cluster.patch(ref_of(web, "genuine"), SCALE, expected=read(web))
    assert patched["kind"] == "Deployment"
    live = await cluster.get("Deployment", web["metadata"]["namespace"], "web", live=True)
    assert live["spec"]["replicas"] == 2
    managers = {f["manager"]: f for f in live["metadata"]["managedFields"]}
    assert "f:replicas" in managers["kubernaut"]["fieldsV1"]["f:spec"]


async def test_strategic_merge_keeps_the_other_containers_fields(cluster, web):
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "env": [{"name": "A", "value": "1"}]}]}}}}
    patched = await cluster.patch(ref_of(web, "genuine"), change, expected=read(web))
    (container,) = patched["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/app:1.0"
    assert container["env"] == [{"name": "A", "value": "1"}]


async def test_an_annotation_of_the_pod_template_comes_beside_the_others(cluster, web):
    for key in ("first", "second"):
        read_now = read(await cluster.get("Deployment", web["metadata"]["namespace"], "web", live=True))
        change = {"spec": {"template": {"metadata": {"annotations": {key: "1"}}}}}
        patched = await cluster.patch(ref_of(web, "genuine"), change, expected=read_now | {"resourceVersion": ""})
    assert patched["spec"]["template"]["metadata"]["annotations"] == {"first": "1", "second": "1"}
    (container,) = patched["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/app:1.0"


async def test_a_dry_run_changes_nothing(cluster, web):
    would_be = await cluster.patch(ref_of(web, "genuine"), SCALE, expected=read(web), dry_run=True)
    assert would_be["spec"]["replicas"] == 2
    assert (await cluster.get("Deployment", web["metadata"]["namespace"], "web", live=True))["spec"]["replicas"] == 1
    await cluster.delete(ref_of(web, "genuine"), expected=read(web), dry_run=True)
    assert await cluster.get("Deployment", web["metadata"]["namespace"], "web", live=True) is not None


@pytest.mark.parametrize("wrong", [{"uid": "0" * 8 + "-0000-0000-0000-" + "0" * 12}, {"resourceVersion": "1"}])
async def test_an_object_that_is_not_the_one_read_is_a_conflict(cluster, web, wrong):
    ref = ref_of(web, "genuine")
    with pytest.raises(Conflict):
        await cluster.patch(ref, SCALE, expected=read(web) | wrong)
    with pytest.raises(Conflict):
        await cluster.patch(ref, SCALE, expected=read(web) | wrong, dry_run=True)
    with pytest.raises(Conflict):
        await cluster.delete(ref, expected=read(web) | wrong)
    assert (await cluster.get("Deployment", ref.namespace, "web", live=True))["spec"]["replicas"] == 1


async def test_a_write_without_a_uid_is_not_sent(cluster, web):
    with pytest.raises(BadInput, match="uid"):
        await cluster.patch(ref_of(web, "genuine"), SCALE, expected={})


async def test_what_does_not_exist_is_not_found(cluster, web):
    ref = ref_of(web, "genuine")
    missing = type(ref)("genuine", "Deployment", "nothing", ref.namespace)
    assert await cluster.get("Deployment", ref.namespace, "nothing", live=True) is None
    with pytest.raises(NotFound):
        await cluster.patch(missing, SCALE, expected=read(web))
    with pytest.raises(NotFound):
        await cluster.delete(missing, expected=read(web))


async def test_an_unknown_field_is_an_error_and_changes_nothing(cluster, web):
    with pytest.raises(Refused, match="replica"):
        await cluster.patch(ref_of(web, "genuine"), {"spec": {"replica": 3}}, expected=read(web))


async def test_an_invalid_value_is_refused_without_being_quoted(cluster, web):
    change = {"metadata": {"labels": {"team": "hunter2 "}}}
    with pytest.raises(Refused, match=r"metadata\.labels") as refusal:
        await cluster.patch(ref_of(web, "genuine"), change, expected=read(web))
    assert "hunter2" not in str(refusal.value)


async def test_without_the_right_nothing_is_changed_and_the_answer_names_it(control_plane, clock, web):
    outsider = await KubernetesCluster.connect("genuine", control_plane.kubeconfig(user="outsider"), None, clock)
    try:
        ref = ref_of(web, "genuine")
        with pytest.raises(Refused, match=r"deployments\.apps"):
            await outsider.patch(ref, SCALE, expected=read(web))
        with pytest.raises(Refused):
            await outsider.list("Deployment", ref.namespace)
        said = await outsider.allowed("patch", "Deployment", ref.namespace, "web")
        assert said == f"RBAC does not let kubernaut patch deployments.apps in namespace {ref.namespace}"
        assert "pods/eviction" in await outsider.allowed("create", "Pod", ref.namespace, subresource="eviction")
    finally:
        await outsider.close()


async def test_with_the_right_the_review_says_nothing(cluster, namespace):
    assert await cluster.allowed("patch", "Deployment", namespace, "web") == ""
    assert await cluster.allowed("create", "Pod", namespace, subresource="eviction") == ""
    assert await cluster.allowed("delete", "Node") == ""


async def test_a_budget_that_refuses_an_eviction_is_temporary(cluster, namespace, create):
    await create(f"/api/v1/namespaces/{namespace}/pods", pod("db-0", namespace))
    await create(
        f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets",
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "db", "namespace": namespace},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "db-0"}}},
        },
    )
    item = await cluster.get("Pod", namespace, "db-0", live=True)
    await mark_ready(cluster, item)
    item = await cluster.get("Pod", namespace, "db-0", live=True)
    with pytest.raises(Temporary, match="disruption budget") as refusal:
        await cluster.evict(ref_of(item, "genuine"), expected={"uid": item["metadata"]["uid"]})
    assert refusal.value.delay_s > 0
    assert (await cluster.get("Pod", namespace, "db-0", live=True))["metadata"].get("deletionTimestamp") is None


async def test_eviction_and_deletion_remove_the_pod(cluster, namespace, create, until):
    for name, remove in (("a", cluster.evict), ("b", cluster.delete)):
        await create(
            f"/api/v1/namespaces/{namespace}/pods", pod(name, namespace, "nobody")
        )  # on a node it would wait for a kubelet
        item = await cluster.get("Pod", namespace, name, live=True)
        await remove(ref_of(item, "genuine"), expected={"uid": item["metadata"]["uid"]}, dry_run=True)
        assert await cluster.get("Pod", namespace, name, live=True) is not None
        with pytest.raises(Conflict):
            await remove(ref_of(item, "genuine"), expected={"uid": "00000000-0000-0000-0000-000000000000"})
        await remove(ref_of(item, "genuine"), expected={"uid": item["metadata"]["uid"]})
        assert await cluster.get("Pod", namespace, name, live=True) is None


async def mark_ready(cluster, item):
    """Writes the status that a kubelet would write, so that the budget counts the pod."""
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}
    path = f"/api/v1/namespaces/{item['metadata']['namespace']}/pods/{item['metadata']['name']}/status"
    await cluster._session.write(
        "PATCH", path, {"status": ready}, what="mark ready", content_type="application/strategic-merge-patch+json"
    )

"""What is read from a genuine cluster: Secrets without values, managed fields with their authors, logs as text."""

import pytest
from kubernetes_objects import pod

from kubernaut.domain.errors import NotFound

pytestmark = pytest.mark.genuine


async def test_a_secret_comes_with_its_keys_and_without_its_values(cluster, namespace, control_plane):
    manifest = (
        f'{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"db","namespace":"{namespace}"}},'
        '"stringData":{"password":"hunter2","user":"app"}}'
    )
    await control_plane.kubectl("apply", "-f", "-", input=manifest)
    for secret in (await cluster.get("Secret", namespace, "db"), (await cluster.list("Secret", namespace))[0]):
        assert secret["data"] == {"password": "", "user": ""}
        assert "hunter2" not in str(secret)
        assert "aHVudGVyMg" not in str(secret)
    assert cluster.cached("Secret", namespace, "db") is None


async def test_managed_fields_tell_who_changed_what(cluster, namespace, create, until):
    await create(f"/api/v1/namespaces/{namespace}/pods", pod("web", namespace))
    item = await until(lambda: cluster.cached("Pod", namespace, "web"))
    (entry,) = [f for f in item["metadata"]["managedFields"] if f["operation"] == "Update" and "subresource" not in f]
    assert set(entry) == {"manager", "operation", "time", "fieldsV1"}
    assert entry["fieldsV1"]["f:spec"]


async def test_kind_and_version_are_filled_in_however_it_is_read(cluster, namespace, create, until):
    await create(f"/api/v1/namespaces/{namespace}/pods", pod("web", namespace, "nobody"))
    await until(lambda: cluster.cached("Pod", namespace, "web"))
    for item in (
        cluster.cached("Pod", namespace, "web"),
        await cluster.get("Pod", namespace, "web", live=True),
        (await cluster.list("Pod", namespace, live=True))[0],
        (await cluster.list("Pod", namespace))[0],
        (await cluster.list("Pod", namespace, fields="spec.nodeName="))[0],
        (await cluster.list("Pod", namespace, fields="status.phase=Pending", live=True))[0],
    ):
        assert (item["kind"], item["apiVersion"]) == ("Pod", "v1")
    assert list(await cluster.list("Pod", namespace, fields="spec.nodeName=n1")) == []


async def test_the_log_of_a_pod_that_is_not_there_is_not_found(cluster, namespace, create):
    with pytest.raises(NotFound):
        await cluster.logs(namespace, "nothing", "app")
    await create(f"/api/v1/namespaces/{namespace}/pods", pod("web", namespace, "nobody"))
    assert await cluster.logs(namespace, "web", "app") == ""  # it has no node yet
    with pytest.raises(NotFound):
        await cluster.logs(namespace, "web", "no-such-container")


async def test_events_about_an_object_are_found(cluster, namespace, create, until):
    unplaceable = pod("web", namespace)
    unplaceable["spec"]["nodeSelector"] = {"kubernetes.io/hostname": "nowhere"}
    made = await create(f"/api/v1/namespaces/{namespace}/pods", unplaceable)
    uid = made["metadata"]["uid"]
    events = await until(lambda: cluster.list("Event", namespace, fields=f"involvedObject.uid={uid}"))
    assert {event["reason"] for event in events} == {"FailedScheduling"}

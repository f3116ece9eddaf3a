"""The genuine control plane does what the other suites count on."""

import json

import pytest

from kubernaut.domain.errors import Permanent
from kubernaut.lab.parts import ControlPlane

pytestmark = pytest.mark.genuine


async def test_answers_ready_and_kubectl_tells_the_pinned_version(control_plane: ControlPlane) -> None:
    assert await control_plane.ready()
    versions = json.loads(await control_plane.kubectl("version", "-o", "json"))
    assert versions["serverVersion"]["gitVersion"] == versions["clientVersion"]["gitVersion"] == "v1.36.3"


async def test_a_deployment_gets_its_replica_set_and_pods(control_plane: ControlPlane, namespace: str) -> None:
    await control_plane.kubectl("create", "deployment", "web", "--image=web:1", "--replicas=2", "-n", namespace)
    await control_plane.kubectl(
        "wait", "pod", "-l", "app=web", "--for=create", "--for=jsonpath={.status.phase}=Pending", "-n", namespace
    )
    pods = await control_plane.get(f"/api/v1/namespaces/{namespace}/pods")
    owners = {pod["metadata"]["ownerReferences"][0]["kind"] for pod in pods["items"]}
    assert owners == {"ReplicaSet"}


async def test_users_may_do_only_what_they_are_granted(control_plane: ControlPlane, namespace: str) -> None:
    assert await control_plane.kubectl("get", "pods", "-n", namespace, user="viewer") == ""
    with pytest.raises(Permanent, match="forbidden"):
        await control_plane.kubectl("get", "pods", "-n", namespace, user="outsider")
    with pytest.raises(Permanent, match="forbidden"):
        await control_plane.kubectl("create", "configmap", "note", "-n", namespace, user="viewer")


async def test_its_api_server_comes_back_with_all_objects(control_plane: ControlPlane, namespace: str) -> None:
    await control_plane.kubectl("create", "configmap", "note", "--from-literal=kept=yes", "-n", namespace)
    control_plane.stop_api_server()
    assert not await control_plane.ready()
    await control_plane.start_api_server()
    note = await control_plane.get(f"/api/v1/namespaces/{namespace}/configmaps/note")
    assert note["data"] == {"kept": "yes"}


async def test_its_audit_log_tells_every_write_of_a_user(control_plane: ControlPlane, namespace: str) -> None:
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note", "namespace": namespace}}
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await control_plane.request("POST", f"{path}?dryRun=All", note)
    await control_plane.request("POST", path, note)
    await control_plane.request("GET", f"{path}/note")
    await control_plane.request("DELETE", f"{path}/note", user="outsider")
    by_admin = [write for write in control_plane.writes("admin") if write.resource == "configmaps"]
    here = [write for write in by_admin if write.namespace == namespace]
    assert [(write.verb, write.dry_run, write.status) for write in here] == [
        ("create", True, 201),
        ("create", False, 201),
    ]
    [refused] = [write for write in control_plane.writes("outsider") if write.namespace == namespace]
    assert (refused.verb, refused.name, refused.status) == ("delete", "note", 403)


@pytest.fixture
async def asked_inside_a_loop(request: pytest.FixtureRequest) -> ControlPlane:
    cluster: ControlPlane = request.getfixturevalue("control_plane")
    return cluster


async def test_the_session_s_cluster_can_be_asked_for_while_a_loop_runs(asked_inside_a_loop: ControlPlane) -> None:
    assert await asked_inside_a_loop.ready()

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

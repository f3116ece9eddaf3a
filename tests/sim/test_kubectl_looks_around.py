"""What people type to find out where they are: dumps, explanations, services, somebody else's rights, and a shell."""

from pathlib import Path

import pytest
import yaml

from kubernaut.sim.client import ApiClient
from kubernaut.sim.cluster import SimulatedCluster

from .conftest import Kubectl

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web, image: "registry.example/web:1.0"}]}
"""


@pytest.fixture
async def web(kubectl: Kubectl) -> None:
    """A pod that nobody runs."""
    await kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=20s")
    await kubectl("create", "-f", "-", stdin=POD)


@pytest.mark.usefixtures("web")
async def test_a_dump_is_whole(kubectl: Kubectl, tmp_path: Path) -> None:
    folder = tmp_path / "dump"
    await kubectl("cluster-info", "dump", "--all-namespaces", "-o", "json", "--output-directory", str(folder))
    written = {path.name for path in (folder / "default").iterdir()}
    assert {"pods.json", "events.json", "deployments.json", "replication-controllers.json"} <= written
    assert [
        item["metadata"]["name"] for item in yaml.safe_load((folder / "default/pods.json").read_text())["items"]
    ] == ["web"]


async def test_fields_are_explained(kubectl: Kubectl) -> None:
    text = await kubectl("explain", "pod.spec.containers.env")
    assert "FIELD: env <[]EnvVar>" in text
    assert "List of environment variables to set in the container." in text
    assert "rollingUpdate\t<RollingUpdateDeployment>" in await kubectl("explain", "deployment.spec.strategy")
    assert 'field "nope" does not exist' in await kubectl("explain", "deployment.spec.nope", fails=True)


async def test_a_custom_kind_is_explained_by_its_definition(kubectl: Kubectl, client: ApiClient) -> None:
    spec = {"type": "object", "properties": {"size": {"type": "integer", "description": "How large it is."}}}
    version = {
        "name": "v1", "served": True, "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }  # fmt: skip
    names = {"plural": "boxes", "kind": "Box", "singular": "box"}
    body = {"metadata": {"name": "boxes.example.com"}, "spec": {"group": "example.com", "scope": "Namespaced"}}
    body["spec"] |= {"names": names, "versions": [version]}
    await client.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)
    await kubectl("wait", "crd/boxes.example.com", "--for=condition=Established", "--timeout=20s")
    assert "How large it is." in await kubectl("explain", "box.spec.size")


@pytest.mark.usefixtures("web")
async def test_services_and_ingresses_are_described(kubectl: Kubectl) -> None:
    await kubectl("expose", "pod", "web", "--port=80")
    text = await kubectl("describe", "service", "web")
    assert "TargetPort:               80/TCP" in text
    await kubectl("create", "ingress", "web", "--rule=shop.example/=web:80")
    assert (await kubectl("get", "ingress")).splitlines()[1].split()[:3] == ["web", "<none>", "shop.example"]


@pytest.mark.usefixtures("web")
async def test_a_shell_is_refused_with_the_reason(kubectl: Kubectl) -> None:
    assert "no process runs in it" in await kubectl("exec", "web", "--", "ls", fails=True)
    assert "pod is not running" in await kubectl("port-forward", "pod/web", "0:80", fails=True)
    assert "Metrics API not available" in await kubectl("top", "pods", fails=True)


async def test_rights_of_others_are_theirs(simulated: SimulatedCluster, kubectl: Kubectl) -> None:
    assert "no" in await kubectl("auth", "can-i", "create", "pods", "--as=viewer", fails=True)
    assert "yes" in await kubectl("auth", "can-i", "get", "pods", "--as=viewer")
    refused = await kubectl("get", "pods", "--as=admin", user="viewer", fails=True)
    assert 'User "viewer" cannot impersonate' in refused


async def test_a_service_account_gets_a_token(kubectl: Kubectl) -> None:
    await kubectl("create", "serviceaccount", "robot")
    token = (await kubectl("create", "token", "robot", "--duration=10m")).strip()
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    answer = yaml.safe_load(await kubectl("create", "-f", "-", "-o", "yaml", stdin=yaml.safe_dump(review)))
    assert answer["status"]["user"]["username"] == "system:serviceaccount:default:robot"


@pytest.mark.usefixtures("web")
async def test_a_kind_that_is_not_there_is_named(kubectl: Kubectl) -> None:
    text = await kubectl("apply", "-f", "-", stdin=POD.replace("kind: Pod", "kind: Pood"), fails=True)
    assert 'no matches for kind "Pood" in version "v1"' in text

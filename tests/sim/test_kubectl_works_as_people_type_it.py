"""Genuine kubectl against the simulator, with the kubelet stand-in running the pods: what everyone types first."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import yaml

from kubernaut.sim.client import ApiClient
from kubernaut.sim.cluster import SimulatedCluster
from kubernaut.sim.kubelet.kubelets import Kubelets
from kubernaut.sim.kubelet.node import NodeSpec
from kubernaut.sim.kubelet.pace import Pace

from .conftest import Kubectl

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: registry.example/web:1.0
        resources: {limits: {memory: 128Mi}, requests: {memory: 64Mi}}
"""


@pytest.fixture
async def nodes(client: ApiClient) -> AsyncIterator[Kubelets]:
    kubelets = Kubelets(client, [NodeSpec("node-a"), NodeSpec("node-b")], pace=Pace(0.05))
    await kubelets.start()
    yield kubelets
    await kubelets.stop()


@pytest.fixture
async def web(nodes: Kubelets, kubectl: Kubectl) -> None:
    """Three running pods of a Deployment."""
    assert "deployment.apps/web created" in await kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    assert "successfully rolled out" in await kubectl("rollout", "status", "deployment/web", "--timeout=25s")


@pytest.mark.usefixtures("web")
async def test_get_shows_what_people_know(kubectl: Kubectl) -> None:
    lines = (await kubectl("get", "deployment,pods", "-o", "wide")).splitlines()
    header = lines[0].split()
    assert header == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert lines[1].split()[:4] == ["deployment.apps/web", "3/3", "3", "3"]
    assert [line.split()[1:3] for line in lines if line.startswith("pod/")] == [["1/1", "Running"]] * 3
    nodes = (await kubectl("get", "nodes")).splitlines()
    assert [line.split()[:2] for line in nodes[1:]] == [["node-a", "Ready"], ["node-b", "Ready"]]
    found = yaml.safe_load(await kubectl("get", "deploy", "web", "-o", "yaml"))
    assert (found["kind"], found["status"]["readyReplicas"]) == ("Deployment", 3)
    assert (
        await kubectl("get", "po", "-l", "app=web", "-o", "jsonpath={.items[*].status.phase}")
        == "Running " * 2 + "Running"
    )
    assert "ScalingReplicaSet" in await kubectl("get", "events", "--sort-by=.lastTimestamp")
    assert "deployments" in await kubectl("api-resources")
    assert "v1.36" in await kubectl("version")


@pytest.mark.usefixtures("web")
async def test_describe_tells_the_whole_story(kubectl: Kubectl) -> None:
    text = await kubectl("describe", "deployment", "web")
    assert "3 desired | 3 updated | 3 total | 3 available | 0 unavailable" in text
    assert "Scaled up replica set" in text
    name = (await kubectl("get", "pods", "-o", "name")).splitlines()[0]
    text = await kubectl("describe", name)
    assert "Status:           Running" in text
    assert "Successfully assigned default/" in text
    text = await kubectl("describe", "node", "node-a")
    assert "Non-terminated Pods:" in text
    assert "web-" in text


@pytest.mark.usefixtures("web")
async def test_logs_come_from_the_node(kubectl: Kubectl) -> None:
    name = (await kubectl("get", "pods", "-o", "name")).splitlines()[0]
    assert (await kubectl("logs", name, "--tail=5")).strip()
    refused = await kubectl("logs", name, "-c", "nonsense", fails=True)
    assert "nonsense" in refused


@pytest.mark.usefixtures("web")
async def test_a_restart_rolls_out_and_an_undo_rolls_back(kubectl: Kubectl) -> None:
    before = set((await kubectl("get", "pods", "-o", "name")).split())
    assert "restarted" in await kubectl("rollout", "restart", "deployment/web")
    assert "successfully rolled out" in await kubectl("rollout", "status", "deployment/web", "--timeout=25s")
    history = await kubectl("rollout", "history", "deployment/web")
    assert [line.split()[0] for line in history.splitlines() if line[:1].isdigit()] == ["1", "2"]
    assert "rolled back" in await kubectl("rollout", "undo", "deployment/web")
    await kubectl("rollout", "status", "deployment/web", "--timeout=25s")
    await kubectl("wait", "pods", "-l", "app=web", "--for=condition=Ready", "--timeout=20s")
    after = set((await kubectl("get", "pods", "-o", "name")).split())
    assert not before & after


@pytest.mark.usefixtures("web")
async def test_a_drain_waits_for_the_budget(kubectl: Kubectl) -> None:
    budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
    await kubectl("apply", "-f", "-", stdin=budget + "spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}")
    assert "cordoned" in await kubectl("cordon", "node-a")
    assert "Ready,SchedulingDisabled" in await kubectl("get", "node", "node-a")
    assert "drained" in await kubectl("drain", "node-a", "--ignore-daemonsets", "--timeout=40s", within_s=45)
    on_node = await kubectl("get", "pods", "--field-selector", "spec.nodeName=node-a", "-o", "name")
    assert on_node == ""
    assert "uncordoned" in await kubectl("uncordon", "node-a")
    assert "SchedulingDisabled" not in await kubectl("get", "node", "node-a")


@pytest.mark.usefixtures("web")
async def test_objects_are_changed_in_every_way(kubectl: Kubectl) -> None:
    await kubectl("scale", "deployment/web", "--replicas=2")
    await kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    assert await kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "2"
    await kubectl("label", "deployment", "web", "tier=front")
    await kubectl("annotate", "deployment", "web", "note=seen")
    await kubectl("patch", "deployment", "web", "-p", '{"spec":{"minReadySeconds":0,"paused":true}}')
    await kubectl("patch", "deployment", "web", "--type=json", "-p", '[{"op":"remove","path":"/spec/paused"}]')
    await kubectl("set", "image", "deployment/web", "web=registry.example/web:1.1")
    await kubectl("create", "configmap", "settings", "--from-literal=a=b")
    assert await kubectl("get", "cm", "settings", "-o", "jsonpath={.data.a}") == "b"
    found = yaml.safe_load(await kubectl("get", "deploy", "web", "-o", "yaml"))
    assert found["metadata"]["labels"] == {"app": "web", "tier": "front"}
    changed = DEPLOYMENT.replace("web:1.0", "web:1.2").replace("replicas: 3", "replicas: 1")
    assert "configured" in await kubectl("apply", "--validate=false", "-f", "-", stdin=changed)
    assert "unchanged" in await kubectl("apply", "-f", "-", stdin=changed)
    refused = await kubectl("apply", "-f", "-", stdin=changed.replace("replicas: 1", "replicass: 1"), fails=True)
    assert 'unknown field "spec.replicass"' in refused
    assert "serverside-applied" in await kubectl(
        "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=changed
    )
    assert "deleted" in await kubectl("delete", "deployment", "web", "--timeout=20s")
    await kubectl("wait", "pods", "-l", "app=web", "--for=delete", "--timeout=20s")


@pytest.mark.usefixtures("web")
async def test_diffs_and_rehearsals_store_nothing(kubectl: Kubectl) -> None:
    await kubectl("scale", "deployment/web", "--replicas=7", "--dry-run=server")
    assert "web deleted" in (await kubectl("delete", "deployment", "web", "--dry-run=server")).replace('"', "")
    assert await kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "3"


async def test_typed_creations_arrive(kubectl: Kubectl) -> None:
    """Since 1.35 kubectl sends what it makes itself as protobuf."""
    await kubectl("create", "deployment", "made", "--image=registry.example/web:1.0", "--replicas=0", "--port=80")
    found = yaml.safe_load(await kubectl("get", "deployment", "made", "-o", "yaml"))
    assert found["spec"]["replicas"] == 0
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert (container["name"], container["image"]) == ("web", "registry.example/web:1.0")
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    await kubectl("create", "secret", "generic", "s", "--from-literal=a=b")
    assert await kubectl("get", "secret", "s", "-o", "jsonpath={.data.a}") == "Yg=="
    await kubectl("create", "quota", "few", "--hard=pods=3,requests.memory=1Gi")
    assert await kubectl("get", "quota", "few", "-o", "jsonpath={.spec.hard}") == '{"pods":"3","requests.memory":"1Gi"}'
    await kubectl("create", "pdb", "made", "--selector=app=made", "--min-available=50%")
    assert await kubectl("get", "pdb", "made", "-o", "jsonpath={.spec.minAvailable}") == "50%"
    await kubectl("expose", "deployment", "made", "--port=80", "--target-port=8080")
    assert await kubectl("get", "service", "made", "-o", "jsonpath={.spec.ports[0].targetPort}") == "8080"


async def test_rights_are_asked_and_refused(kubectl: Kubectl) -> None:
    assert (await kubectl("auth", "can-i", "delete", "pods")).strip() == "yes"
    assert "no" in await kubectl("auth", "can-i", "delete", "pods", user="viewer", fails=True)
    assert "viewer" in await kubectl("auth", "whoami", user="viewer")
    refused = await kubectl("create", "configmap", "a", user="viewer", fails=True)
    assert 'User "viewer" cannot create resource "configmaps"' in refused
    assert "NotFound" in await kubectl("get", "deployment", "nope", fails=True)


async def test_get_watches(simulated: SimulatedCluster, kubectl: Kubectl) -> None:
    await kubectl("create", "configmap", "first")

    async def later() -> None:
        await asyncio.sleep(1)
        await kubectl("create", "configmap", "second")

    async with asyncio.TaskGroup() as group:
        group.create_task(later())
        watching = group.create_task(kubectl("get", "cm", "-w", "--request-timeout=4s"))
    names = [line.split()[0] for line in watching.result().splitlines()[1:]]
    assert names == ["first", "kube-root-ca.crt", "second"]


STATEFUL = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: db, image: "registry.example/db:1"}]
"""


@pytest.mark.usefixtures("nodes")
async def test_stateful_sets_roll_in_order(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=STATEFUL)
    await kubectl("rollout", "status", "statefulset/db", "--timeout=25s")
    assert await kubectl("get", "pods", "-o", "name") == "pod/db-0\npod/db-1\n"
    before = await kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    await kubectl("rollout", "restart", "statefulset/db")
    await kubectl("rollout", "status", "statefulset/db", "--timeout=25s")
    after = await kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    assert not set(before.split()) & set(after.split())


@pytest.mark.usefixtures("nodes")
async def test_daemon_sets_cover_every_node(kubectl: Kubectl) -> None:
    template = STATEFUL.replace("StatefulSet", "DaemonSet").replace("  replicas: 2\n  serviceName: db\n", "")
    await kubectl("apply", "-f", "-", stdin=template)
    await kubectl("rollout", "status", "daemonset/db", "--timeout=25s")
    nodes = await kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}")
    assert sorted(nodes.split()) == ["node-a", "node-b"]


async def test_jobs_end(kubectl: Kubectl, client: ApiClient) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    await client.create("/api/v1/nodes", node)
    await kubectl("create", "job", "once", "--image=registry.example/job:1")
    await kubectl("wait", "pods", "-l", "job-name=once", "--for=create", "--timeout=10s")
    name = (await client.get("/api/v1/namespaces/default/pods"))["items"][0]["metadata"]["name"]
    await client.patch(f"/api/v1/namespaces/default/pods/{name}/status", {"status": {"phase": "Succeeded"}})
    await kubectl("wait", "job/once", "--for=condition=Complete", "--timeout=10s")
    assert (await kubectl("get", "job", "once")).splitlines()[1].split()[:3] == ["once", "Complete", "1/1"]

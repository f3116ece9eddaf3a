"""The stand-in treats pods as a kubelet does, on the simulator and on a genuine API server alike."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from kubernaut.domain.errors import NotFound
from kubernaut.lab.world import Stage
from kubernaut.sim.client import Json
from kubernaut.sim.faults import UnknownCommand, Workload
from kubernaut.sim.scenarios.view import ready, waiting_reason

from .hands import delete_pod, events, eventually, logs

pytestmark = pytest.mark.asyncio(loop_scope="module")
SPACE = "kubelet-tests"
PODS = f"/api/v1/namespaces/{SPACE}/pods"


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def space(world: Stage) -> AsyncIterator[None]:
    """A namespace for these tests."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    await world.outside.api.create("/api/v1/namespaces", namespace)
    await eventually(lambda: _has_account(world))
    yield
    await world.outside.api.delete(f"/api/v1/namespaces/{SPACE}")


async def _has_account(world: Stage) -> bool:
    try:
        await world.outside.api.get(f"/api/v1/namespaces/{SPACE}/serviceaccounts/default")
    except NotFound:
        return False
    return True


async def run(world: Stage, name: str, *, policy: str = "Always", volumes: Any = (), **container: Any) -> None:
    spec = {"name": "app", "image": "registry.example/app:1.0", **container}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": SPACE, "labels": {"app.kubernetes.io/name": name}},
        "spec": {"restartPolicy": policy, "containers": [spec], "volumes": list(volumes)},
    }
    await world.outside.api.create(PODS, body)


async def pod(world: Stage, name: str) -> Json:
    return await world.outside.api.get(f"{PODS}/{name}")


async def waits(world: Stage, name: str, reason: str) -> bool:
    return waiting_reason(await pod(world, name)) == reason


async def is_ready(world: Stage, name: str) -> bool:
    return ready(await pod(world, name))


async def has_event(world: Stage, reason: str, name: str) -> bool:
    return (reason, f"Pod/{name}") in await events(world, SPACE)


async def test_a_pod_runs_and_tells_all_that_a_running_pod_tells(world: Stage) -> None:
    await run(world, "plain")
    await eventually(lambda: is_ready(world, "plain"))
    status = (await pod(world, "plain"))["status"]
    container = status["containerStatuses"][0]
    assert status["phase"] == "Running"
    assert status["podIP"] == status["podIPs"][0]["ip"]
    assert container["imageID"].startswith("registry.example/app@sha256:")
    assert "running" in container["state"]
    conditions = {c["type"] for c in status["conditions"] if c["status"] == "True"}
    assert conditions >= {"PodScheduled", "Initialized", "ContainersReady", "Ready"}
    for reason in ("Pulling", "Pulled", "Created", "Started"):
        await eventually(lambda reason=reason: has_event(world, reason, "plain"))  # type: ignore[misc]
    assert "listening" in await logs(world, SPACE, "plain")
    assert len((await logs(world, SPACE, "plain", tailLines="1")).splitlines()) == 1
    assert (await logs(world, SPACE, "plain", timestamps="true"))[:2] == "20"


async def test_a_deleted_pod_ends_gracefully_and_is_gone(world: Stage) -> None:
    await run(world, "leaving")
    await eventually(lambda: is_ready(world, "leaving"))
    await delete_pod(world, SPACE, "leaving")

    async def gone() -> bool:
        try:
            await pod(world, "leaving")
        except NotFound:
            return True
        return False

    await eventually(gone)
    await eventually(lambda: has_event(world, "Killing", "leaving"))


async def test_logs_can_be_followed_to_the_last_word(world: Stage) -> None:
    await run(world, "followed")
    await eventually(lambda: is_ready(world, "followed"))
    async with asyncio.TaskGroup() as group:
        following = group.create_task(logs(world, SPACE, "followed", follow="true"))
        await asyncio.sleep(0.5)
        await delete_pod(world, SPACE, "followed")
    assert "starting" in following.result()
    assert "received SIGTERM" in following.result()


async def test_what_a_running_program_logs_goes_on(world: Stage) -> None:
    await run(world, "chatty")
    await eventually(lambda: is_ready(world, "chatty"))

    async def says_more() -> bool:
        return (await logs(world, SPACE, "chatty")).count("handled") >= 2

    await eventually(says_more)


async def test_a_missing_key_is_a_configuration_error_until_it_is_there(world: Stage) -> None:
    source = {"configMapKeyRef": {"name": "settings", "key": "URL"}}
    await run(world, "keyless", env=[{"name": "URL", "valueFrom": source}])
    await eventually(lambda: waits(world, "keyless", "CreateContainerConfigError"))
    assert 'configmap "settings" not found' in str((await pod(world, "keyless"))["status"])
    path = f"/api/v1/namespaces/{SPACE}/configmaps"
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"OTHER": "1"}}
    await world.outside.api.create(path, settings)

    async def names_the_key() -> bool:
        return f"couldn't find key URL in ConfigMap {SPACE}/settings" in str((await pod(world, "keyless"))["status"])

    await eventually(names_the_key)
    await world.outside.api.patch(f"{path}/settings", {"data": {"URL": "http://a"}})
    await eventually(lambda: is_ready(world, "keyless"))


async def test_a_missing_volume_keeps_the_container_creating(world: Stage) -> None:
    volume = {"name": "etc", "configMap": {"name": "absent"}}
    await run(world, "mountless", volumes=[volume], volumeMounts=[{"name": "etc", "mountPath": "/etc/app"}])
    await eventually(lambda: has_event(world, "FailedMount", "mountless"))
    assert waiting_reason(await pod(world, "mountless")) == "ContainerCreating"


async def test_a_command_that_is_not_there_cannot_start(world: Stage) -> None:
    world.outside.board.inject(UnknownCommand(Workload(SPACE, "typo"), frozenset({"/app/serve"})))
    await run(world, "typo", command=["/app/sevre"])
    await eventually(lambda: waits(world, "typo", "CrashLoopBackOff"))
    last = (await pod(world, "typo"))["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (last["reason"], last["exitCode"]) == ("StartError", 128)
    assert "/app/sevre" in last["message"]


async def test_a_pod_that_runs_once_succeeds(world: Stage) -> None:
    await run(world, "once", policy="Never")

    async def succeeded() -> bool:
        return bool((await pod(world, "once"))["status"]["phase"] == "Succeeded")

    await eventually(succeeded)
    assert (await pod(world, "once"))["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


async def test_nodes_are_alive(world: Stage) -> None:
    nodes = (await world.view(_scenario())).nodes
    assert {n["metadata"]["name"] for n in nodes} >= {"worker-1", "worker-2", "worker-3"}
    for node in nodes:
        lease = await world.outside.api.get(
            f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node['metadata']['name']}"
        )
        assert lease["spec"]["holderIdentity"] == node["metadata"]["name"]
        assert node["status"]["allocatable"]["pods"] == "110"


def _scenario() -> Any:
    from kubernaut.sim.scenarios import scenario

    return scenario(1)

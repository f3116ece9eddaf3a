"""Each scenario shows itself as on a real cluster, and heals if and only if its cause is mended."""

import pytest

from kubernaut.lab.world import Stage
from kubernaut.sim.client import Json
from kubernaut.sim.scenarios import View, scenario
from kubernaut.sim.scenarios.view import cordoned, node_ready, ready, waiting_reason

from .hands import cordon, delete_pod, drain, events, eventually, fix_in_git, logs, pods, restart, stays

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_memory_limit_too_small(world: Stage) -> None:
    """1: OOMKilled and CrashLoopBackOff; a restart helps for now, only the limit mends it."""
    it = scenario(1)
    await world.deploy(it)
    await world.break_(it)
    victim = next(p for p in await pods(world, it) if waiting_reason(p) == "CrashLoopBackOff")
    status = victim["status"]["containerStatuses"][0]
    last = status["lastState"]["terminated"]
    assert (last["reason"], last["exitCode"]) == ("OOMKilled", 137)
    assert last["startedAt"] <= last["finishedAt"]
    assert status["restartCount"] >= 1
    assert victim["status"]["phase"] == "Running"
    assert "limit_mib=128" in await logs(world, it.namespace, victim["metadata"]["name"], previous="true")
    named = f"Pod/{victim['metadata']['name']}"
    await eventually(lambda: _has_event(world, it.namespace, "BackOff", named))
    assert "OOMKilling" not in {reason for reason, _ in await events(world, it.namespace)}

    await restart(world, it)
    await eventually(lambda: world.healthy(it))
    assert not await world.mended(it)

    await fix_in_git(world, it, "deployment.yaml", "memory: 128Mi", "memory: 256Mi")
    await eventually(lambda: world.mended(it))


async def test_memory_comes_back_after_a_restart_alone(world: Stage) -> None:
    """1: nobody changes the limit, so the new pods are killed as well."""
    it = scenario(1)
    await world.deploy(it)
    await world.break_(it)
    await restart(world, it)
    await eventually(lambda: world.healthy(it))
    await world.until(it, it.shows, "did not fail again")


async def test_stale_pods(world: Stage) -> None:
    """2: 0/3 ready and nothing else wrong; replacing one pod mends that one, a restart mends all."""
    it = scenario(2)
    await world.deploy(it)
    await world.break_(it)
    stale = await pods(world, it)
    assert [p["status"]["phase"] for p in stale] == ["Running"] * 3
    assert [p["status"]["containerStatuses"][0]["restartCount"] for p in stale] == [0] * 3
    assert not any(waiting_reason(p) for p in stale)
    name = stale[0]["metadata"]["name"]
    await eventually(lambda: _has_event(world, it.namespace, "Unhealthy", f"Pod/{name}"))
    assert "readiness check failed" in await logs(world, it.namespace, name, tailLines="1")

    await delete_pod(world, it.namespace, name)
    await eventually(lambda: _ready_pods(world, it.number, 1))
    await stays(lambda: _ready_pods(world, it.number, 1))
    await restart(world, it)
    await eventually(lambda: world.mended(it))


async def test_flaky_node(world: Stage) -> None:
    """3: Ready comes and goes; cordoned it stays, uncordoned it flaps again."""
    it = scenario(3)
    await world.deploy(it)
    await world.break_(it)
    node = await _node(world, "batch-2")
    why = next(c for c in node["status"]["conditions"] if c["type"] == "Ready")
    assert (why["status"], why["reason"]) == ("False", "KubeletNotReady")
    await eventually(lambda: _node_is_ready(world, "batch-2"))  # for a while
    await world.until(it, it.shows, "did not flap")

    await cordon(world, "batch-2")
    await eventually(lambda: world.healthy(it))
    await stays(lambda: _node_is_ready(world, "batch-2"), 3.0)
    await cordon(world, "batch-2", cordoned=False)
    await world.until(it, it.shows, "did not flap again")


async def test_wedged_pod(world: Stage) -> None:
    """4: one of three is not ready; another's replacement changes nothing, its own does."""
    it = scenario(4)
    await world.deploy(it)
    await world.break_(it)
    wedged = [p["metadata"]["name"] for p in await pods(world, it) if not ready(p)]
    well = [p["metadata"]["name"] for p in await pods(world, it) if ready(p)]
    assert (len(wedged), len(well)) == (1, 2)
    assert it.alert(await world.view(it)).labels["pod"] == wedged[0]

    await delete_pod(world, it.namespace, well[0])
    await eventually(lambda: _ready_pods(world, 4, 2))
    assert not await world.healthy(it)
    await delete_pod(world, it.namespace, wedged[0])
    await eventually(lambda: world.mended(it))


async def test_bad_image(world: Stage) -> None:
    """5: the new pod can't pull, the old ones serve on; a restart or another unknown tag changes nothing."""
    it = scenario(5)
    await world.deploy(it)
    await world.break_(it)
    stuck = next(p for p in await pods(world, it) if waiting_reason(p) in ("ImagePullBackOff", "ErrImagePull"))
    assert stuck["status"]["phase"] == "Pending"
    assert not stuck["status"]["containerStatuses"][0].get("imageID")
    assert "catalog:2.16.0" in stuck["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
    assert sum(ready(p) for p in await pods(world, it)) == 3
    await eventually(lambda: _has_event(world, it.namespace, "Failed", f"Pod/{stuck['metadata']['name']}"))

    await delete_pod(world, it.namespace, stuck["metadata"]["name"])
    await world.until(it, it.shows, "healed by itself")
    await fix_in_git(world, it, "deployment.yaml", ":2.16.0", ":2.16.1")
    await world.until(it, lambda view: _waits_for(view, "2.16.1"), "did not try 2.16.1")
    await fix_in_git(world, it, "deployment.yaml", ":2.16.0", ":2.15.0")
    await eventually(lambda: world.mended(it))


async def test_bad_configuration(world: Stage) -> None:
    """6: the new pod exits and says why; a restart changes nothing, a good value mends it without one."""
    it = scenario(6)
    await world.deploy(it)
    await world.break_(it)
    crashing = next(p for p in await pods(world, it) if waiting_reason(p) == "CrashLoopBackOff")
    last = crashing["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (last["reason"], last["exitCode"]) == ("Error", 1)
    await eventually(lambda: _says(world, it.namespace, crashing["metadata"]["name"], "PAYMENT_TIMEOUT"))

    await restart(world, it)
    await world.until(it, lambda view: it.shows(view) and len(view.pods_of(it.app)) == 3, "healed by a restart")
    await fix_in_git(world, it, "configmap.yaml", "2 minutes", "120s")
    await eventually(lambda: world.mended(it))


async def test_failing_disk(world: Stage) -> None:
    """11: Ready flaps and the disk says why; cordoned it flaps on, drained it is quiet and still marked as broken."""
    it = scenario(11)
    await world.deploy(it)
    await world.break_(it)
    problems = {c["type"] for c in (await _node(world, "media-1"))["status"]["conditions"] if c["status"] == "True"}
    assert "ReadonlyFilesystem" in problems
    await eventually(lambda: _has_event(world, "default", "IOError", "Node/media-1"))

    await cordon(world, "media-1")
    await eventually(lambda: _node_is_ready(world, "media-1"))
    await eventually(lambda: _node_is_not_ready(world, "media-1"))
    await drain(world, "media-1", it.namespace)
    await eventually(lambda: world.healthy(it))
    await stays(lambda: _node_is_ready(world, "media-1"), 3.0)
    node = await _node(world, "media-1")
    assert cordoned(node)
    assert "ReadonlyFilesystem" in {c["type"] for c in node["status"]["conditions"] if c["status"] == "True"}


async def _node(world: Stage, name: str) -> Json:
    return await world.outside.api.get(f"/api/v1/nodes/{name}")


async def _node_is_ready(world: Stage, name: str) -> bool:
    return node_ready(await _node(world, name))


async def _node_is_not_ready(world: Stage, name: str) -> bool:
    return not await _node_is_ready(world, name)


async def _ready_pods(world: Stage, number: int, count: int) -> bool:
    return sum(ready(p) for p in await pods(world, scenario(number))) == count


async def _has_event(world: Stage, namespace: str, reason: str, about: str) -> bool:
    return (reason, about) in await events(world, namespace)


async def _says(world: Stage, namespace: str, pod: str, text: str) -> bool:
    return text in await logs(world, namespace, pod)


def _waits_for(view: View, tag: str) -> bool:
    return any(
        waiting_reason(p).endswith(("ErrImagePull", "ImagePullBackOff"))
        and p["spec"]["containers"][0]["image"].endswith(tag)
        for p in view.pods
    )

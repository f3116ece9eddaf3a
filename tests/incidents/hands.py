"""What an engineer with kubectl would do, so that tests can heal without kubernaut."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from kubernaut.domain.errors import NotFound, Temporary
from kubernaut.lab.world import Stage
from kubernaut.sim.client import Json
from kubernaut.sim.scenarios import Commit, Scenario


async def restart(world: Stage, scenario: Scenario) -> None:
    """kubectl rollout restart."""
    stamp = {"kubectl.kubernetes.io/restartedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    path = f"/apis/apps/v1/namespaces/{scenario.namespace}/deployments/{scenario.app}"
    await world.outside.api.patch(path, {"spec": {"template": {"metadata": {"annotations": stamp}}}})


async def delete_pod(world: Stage, namespace: str, name: str) -> None:
    """kubectl delete pod."""
    await world.outside.api.delete(f"/api/v1/namespaces/{namespace}/pods/{name}")


async def cordon(world: Stage, node: str, *, cordoned: bool = True) -> None:
    """kubectl cordon, kubectl uncordon."""
    await world.outside.api.patch(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": cordoned or None}})


async def drain(world: Stage, node: str, namespace: str) -> None:
    """kubectl drain, for the pods of one namespace: evicts each, and asks again while a budget refuses."""
    await cordon(world, node)
    listed = await world.outside.api.get(f"/api/v1/namespaces/{namespace}/pods")
    for pod in listed["items"]:
        if pod["spec"].get("nodeName") == node:
            await _evict(world, namespace, pod["metadata"]["name"])


async def _evict(world: Stage, namespace: str, name: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    while True:
        try:
            await world.outside.api.create(f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", body)
        except Temporary:  # 429: the budget refuses for now
            await asyncio.sleep(0.1)
        except NotFound:
            return
        else:
            return


async def fix_in_git(world: Stage, scenario: Scenario, file: str, old: str, new: str) -> None:
    """Merges a change of one line and asks Argo CD to look."""
    text = next(c.files[file] for c in reversed(scenario.history + scenario.breaking) if file in c.files)
    assert old in text
    await world.commit(scenario, Commit(f"Fix {file}", {file: text.replace(old, new)}))
    await world.refresh(scenario)


async def pods(world: Stage, scenario: Scenario) -> list[Json]:
    """The pods of the scenario's Deployment."""
    return (await world.view(scenario)).pods_of(scenario.app)


async def events(world: Stage, namespace: str) -> list[tuple[str, str]]:
    """(reason, involved object's kind/name) of every event in a namespace."""
    listed = await world.outside.api.get(f"/api/v1/namespaces/{namespace}/events")
    about = [(e["reason"], e["involvedObject"]) for e in listed["items"]]
    return [(reason, f"{o['kind']}/{o['name']}") for reason, o in about]


async def logs(world: Stage, namespace: str, pod: str, **query: str) -> str:
    """kubectl logs."""
    return await world.outside.api.text(f"/api/v1/namespaces/{namespace}/pods/{pod}/log", **query)


async def eventually(holds: Callable[[], Awaitable[bool]], within_s: float = 45.0) -> None:
    """Waits until something is so; a deadline, not a measurement."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 -- looks at a cluster, not at a task
            await asyncio.sleep(0.1)


async def stays(holds: Callable[[], Awaitable[bool]], for_s: float = 1.5) -> None:
    """Asserts that something is so, again and again."""
    loop = asyncio.get_running_loop()
    until = loop.time() + for_s
    while loop.time() < until:
        assert await holds()
        await asyncio.sleep(0.1)

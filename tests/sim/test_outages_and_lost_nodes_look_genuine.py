"""What only the simulator can be made to do at will: outages, compaction, silent nodes."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest

from kubernaut.domain.errors import Temporary
from kubernaut.sim.client import ApiClient, Gone, Json
from kubernaut.sim.cluster import SimulatedCluster
from kubernaut.sim.controllers.timing import Timing

CONFIG = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
async def simulated() -> AsyncIterator[SimulatedCluster]:
    """A cluster that loses a silent node after a second."""
    patience = Timing(node_monitor_period_s=0.2, node_monitor_grace_s=1.0, node_startup_grace_s=5.0)
    cluster = SimulatedCluster(timing=patience)
    await cluster.start()
    yield cluster
    await cluster.stop()


async def until(client: ApiClient, path: str, wanted: object, within_s: float = 15) -> Json:
    async with asyncio.timeout(within_s):
        while True:
            found = await client.get(path)
            if wanted(found):  # type: ignore[operator]
                return found
            await asyncio.sleep(0.05)


def config(name: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


async def test_an_outage_ends_where_it_began(simulated: SimulatedCluster, client: ApiClient) -> None:
    await client.create(CONFIG, config("kept"))
    url = simulated.url
    await simulated.stop_serving()
    with pytest.raises(Temporary):
        await client.get(CONFIG + "/kept")
    await simulated.resume_serving()
    assert simulated.url == url
    assert (await client.get(CONFIG + "/kept"))["metadata"]["name"] == "kept"


async def test_an_outage_ends_watches(simulated: SimulatedCluster, client: ApiClient) -> None:
    listed = await client.get(CONFIG)

    async def follow() -> list[str]:
        seen = []
        try:
            async for kind, _ in client.watch(CONFIG, listed["metadata"]["resourceVersion"]):
                seen.append(kind)
        except Temporary:
            return seen
        return seen

    task = asyncio.create_task(follow())
    await client.create(CONFIG, config("a"))
    await asyncio.sleep(0.3)
    await simulated.stop_serving()
    assert await asyncio.wait_for(task, 5) == ["ADDED"]
    await simulated.resume_serving()


async def test_a_watch_from_before_a_compaction_is_gone(simulated: SimulatedCluster, client: ApiClient) -> None:
    made = await client.create(CONFIG, config("a"))
    await client.create(CONFIG, config("b"))
    simulated.compact()
    watch = client.watch(CONFIG, made["metadata"]["resourceVersion"])
    with pytest.raises(Gone):
        await anext(watch)


async def test_too_old_is_said_in_the_stream(simulated: SimulatedCluster, client: ApiClient) -> None:
    """HTTP 200 and one ERROR event with a 410 Status, as the genuine server's watch cache answers."""
    await client.create(CONFIG, config("a"))
    await client.create(CONFIG, config("b"))
    simulated.compact()
    tls = ssl.create_default_context(cadata=simulated.ca_pem)
    headers = {"Authorization": f"Bearer {simulated.token()}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        address = f"{simulated.url}{CONFIG}?watch=true&resourceVersion=2"
        async with asyncio.timeout(10), session.get(address, ssl=tls) as answer:
            assert answer.status == 200
            event = await answer.json(content_type=None)
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")


async def test_expired_pages_say_so(simulated: SimulatedCluster, client: ApiClient) -> None:
    for name in "abc":
        await client.create(CONFIG, config(name))
    page = await client.get(CONFIG, limit="1")
    simulated.compact()
    with pytest.raises(Gone):
        await client.get(CONFIG, limit="1", **{"continue": page["metadata"]["continue"]})


@pytest.fixture
async def lost(client: ApiClient) -> str:
    """A node with a ready pod, whose heartbeat never comes again."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    room = {"cpu": "4", "memory": "8Gi", "pods": "10"}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    await client.create(
        "/api/v1/nodes", node | {"status": {"capacity": room, "allocatable": room, "conditions": [ready]}}
    )
    spec = {
        "containers": [{"name": "c", "image": "i"}],
        "tolerations": [{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1}],
    }
    await until(client, "/api/v1/namespaces/default/serviceaccounts", lambda found: found["items"])
    await client.create(
        "/api/v1/namespaces/default/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
    )
    await until(client, "/api/v1/namespaces/default/pods/p", lambda found: found["spec"].get("nodeName") == "n")
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": now}]
    container = {
        "name": "c",
        "ready": True,
        "restartCount": 0,
        "image": "i",
        "imageID": "",
        "state": {"running": {"startedAt": now}},
    }
    status = {"phase": "Running", "conditions": conditions, "containerStatuses": [container]}
    await client.patch("/api/v1/namespaces/default/pods/p/status", {"status": status})
    return "n"


async def test_a_silent_node_is_unknown_and_its_pods_unready_and_evicted(client: ApiClient, lost: str) -> None:
    node = await until(client, f"/api/v1/nodes/{lost}", lambda found: len(found["spec"].get("taints", ())) == 2)
    assert {(item["key"], item["effect"]) for item in node["spec"]["taints"]} == {
        ("node.kubernetes.io/unreachable", "NoSchedule"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
    }
    ready = next(item for item in node["status"]["conditions"] if item["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    pod = await until(
        client, "/api/v1/namespaces/default/pods/p", lambda found: found["metadata"].get("deletionTimestamp")
    )
    states = {item["type"]: item["status"] for item in pod["status"]["conditions"]}
    assert states["Ready"] == "False"
    assert states["DisruptionTarget"] == "True"
    assert pod["status"]["containerStatuses"][0]["ready"] is True
    events = await client.get("/api/v1/namespaces/default/events")
    assert {"TaintManagerEviction", "NodeNotReady"} <= {item["reason"] for item in events["items"]}


async def test_a_node_that_beats_again_is_ready_again(client: ApiClient, lost: str) -> None:
    await until(client, f"/api/v1/nodes/{lost}", lambda found: len(found["spec"].get("taints", ())) == 2)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    await client.patch(
        f"/api/v1/nodes/{lost}/status",
        {"status": {"conditions": [ready]}},
        "application/strategic-merge-patch+json",
    )
    await until(client, f"/api/v1/nodes/{lost}", lambda found: not found["spec"].get("taints"), within_s=0.9)

"""Scheduling, cordons, graceful ends, evictions under a budget, and services over what runs."""

from collections.abc import AsyncIterator

import pytest

from .raw import (
    BUDGETS,
    DEPLOYMENTS,
    PODS,
    STRATEGIC_PATCH,
    Cluster,
    Json,
    deployment,
    pod,
    running,
    unique,
)
from .workloads import pods_of, run_pods, wait_for_pods

NODES = "/api/v1/nodes"


@pytest.fixture
async def node(cluster: Cluster) -> AsyncIterator[str]:
    """A ready node of the test's own; only pods that select it go there."""
    name = unique("node")
    now = "2026-01-01T00:00:00Z"
    room = {"cpu": "4", "memory": "8Gi", "pods": "20"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ok"}
    body: Json = {
        "metadata": {"name": name, "labels": {"mine": name}},
        "status": {
            "capacity": room,
            "allocatable": room,
            "conditions": [ready | {"lastHeartbeatTime": now, "lastTransitionTime": now}],
        },
    }
    await cluster.made(NODES, body)
    await cluster.until(f"{NODES}/{name}", lambda found: not found["spec"].get("taints"))
    yield name
    await cluster.delete(f"{NODES}/{name}")


async def test_pods_go_to_a_fit_node_and_stay_pending_there(cluster: Cluster, node: str) -> None:
    await cluster.made(PODS, pod("p", nodeSelector={"mine": node}))
    held = await cluster.until(PODS + "/p", lambda found: found["spec"].get("nodeName") == node)
    assert held["status"]["phase"] == "Pending"
    condition = next(item for item in held["status"]["conditions"] if item["type"] == "PodScheduled")
    assert condition["status"] == "True"


async def test_a_pod_that_fits_nowhere_says_why(cluster: Cluster, node: str) -> None:
    big = pod("big", nodeSelector={"mine": node})
    big["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "64"}}
    await cluster.made(PODS, big)
    held = await cluster.until(PODS + "/big", lambda found: found["status"].get("conditions"))
    condition = held["status"]["conditions"][0]
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "Unschedulable")
    assert "Insufficient cpu" in condition["message"]
    events = await cluster.get("/api/v1/namespaces/{}/events", fieldSelector="reason=FailedScheduling")
    assert events.body["items"]


async def test_a_cordoned_node_takes_no_pods_until_it_is_uncordoned(cluster: Cluster, node: str) -> None:
    where = f"{NODES}/{node}"
    assert (await cluster.patch(where, {"spec": {"unschedulable": True}}, STRATEGIC_PATCH)).code == 200
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    await cluster.until(
        where, lambda found: taint in [{key: item[key] for key in taint} for item in found["spec"].get("taints", ())]
    )
    await cluster.made(PODS, pod("p", nodeSelector={"mine": node}))
    held = await cluster.until(PODS + "/p", lambda found: found["status"].get("conditions"))
    assert held["status"]["conditions"][0]["reason"] == "Unschedulable"
    answer = await cluster.patch(where, {"spec": {"unschedulable": None}}, STRATEGIC_PATCH)
    assert "unschedulable" not in answer.body["spec"]
    await cluster.until(PODS + "/p", lambda found: found["spec"].get("nodeName") == node)


async def test_a_running_pod_goes_gracefully(cluster: Cluster, node: str) -> None:
    await cluster.made(PODS, pod("p", nodeSelector={"mine": node}))
    await cluster.until(PODS + "/p", lambda found: found["spec"].get("nodeName") == node)
    await cluster.patch(PODS + "/p/status", running())
    answer = await cluster.delete(PODS + "/p")
    assert (answer.code, answer.body["kind"]) == (200, "Pod")
    held = (await cluster.get(PODS + "/p")).body
    assert held["metadata"]["deletionGracePeriodSeconds"] == 30
    shorter = await cluster.delete(PODS + "/p", {"gracePeriodSeconds": 5})
    assert shorter.body["metadata"]["deletionGracePeriodSeconds"] == 5
    await cluster.delete(PODS + "/p", {"gracePeriodSeconds": 0})
    assert (await cluster.get(PODS + "/p")).code == 404


async def test_a_budget_refuses_the_eviction_it_can_not_afford(cluster: Cluster, node: str) -> None:
    await cluster.made(DEPLOYMENTS, _on(node, deployment("web", 2)))
    await wait_for_pods(cluster, "web", 2)
    await run_pods(cluster, "web")
    budget = {"metadata": {"name": "web"}, "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}}
    await cluster.made(BUDGETS, budget)
    held = await cluster.until(BUDGETS + "/web", lambda found: found.get("status", {}).get("currentHealthy") == 2)
    assert (held["status"]["desiredHealthy"], held["status"]["disruptionsAllowed"]) == (2, 0)
    name = (await pods_of(cluster, "web"))[0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    answer = await cluster.post(f"{PODS}/{name}/eviction", eviction)
    assert (answer.code, answer.reason) == (429, "TooManyRequests"), answer.body
    assert answer.causes[0]["reason"] == "DisruptionBudget"
    assert answer.causes[0]["message"] == "The disruption budget web needs 2 healthy pods and has 2 currently"
    assert "Retry-After" not in answer.headers
    await cluster.patch(BUDGETS + "/web", {"spec": {"minAvailable": 1}})
    await cluster.until(BUDGETS + "/web", lambda found: found["status"]["disruptionsAllowed"] == 1)
    dry = await cluster.post(f"{PODS}/{name}/eviction", eviction, dryRun="All")
    assert dry.code == 201, dry.body
    assert "deletionTimestamp" not in (await cluster.get(f"{PODS}/{name}")).body["metadata"]
    done = await cluster.post(f"{PODS}/{name}/eviction", eviction)
    assert (done.code, done.body["status"]) == (201, "Success")
    assert (await cluster.get(f"{PODS}/{name}")).body["metadata"]["deletionTimestamp"]


def _on(node: str, body: Json) -> Json:
    body["spec"]["template"]["spec"]["nodeSelector"] = {"mine": node}
    return body


async def test_evicting_what_is_not_there_is_not_found(cluster: Cluster) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "none"}}
    answer = await cluster.post(PODS + "/none/eviction", eviction)
    assert (answer.code, answer.reason) == (404, "NotFound")


async def test_services_find_their_ready_pods(cluster: Cluster, node: str) -> None:
    service = {
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    made = await cluster.made("/api/v1/namespaces/{}/services", service)
    assert made["spec"]["clusterIP"].startswith("10.")
    await cluster.made(PODS, pod("p", {"app": "web"}, nodeSelector={"mine": node}))
    await cluster.until(PODS + "/p", lambda found: found["spec"].get("nodeName") == node)
    status = running()
    status["status"]["podIP"], status["status"]["podIPs"] = "10.9.8.7", [{"ip": "10.9.8.7"}]
    await cluster.patch(PODS + "/p/status", status)
    found = await cluster.until("/api/v1/namespaces/{}/endpoints/web", lambda found: found.get("subsets"))
    assert found["subsets"][0]["addresses"][0]["ip"] == "10.9.8.7"
    assert found["subsets"][0]["ports"][0]["port"] == 8080

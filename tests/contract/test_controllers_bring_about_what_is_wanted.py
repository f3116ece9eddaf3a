"""Deployments, ReplicaSets, nodes, budgets and garbage: the behaviour remediation relies on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from .raw import (
    BUDGETS,
    CONFIG,
    DEPLOYMENTS,
    PODS,
    SETS,
    STRATEGIC_PATCH,
    Cluster,
    Json,
    config,
    deployment,
    pod,
    running,
    unique,
)

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


async def pods_of(cluster: Cluster, name: str) -> list[Json]:
    found = await cluster.get(PODS, labelSelector=f"app={name}")
    return [item for item in found.body["items"] if not item["metadata"].get("deletionTimestamp")]


async def wait_for_pods(cluster: Cluster, name: str, count: int) -> list[Json]:
    async with asyncio.timeout(20):
        while True:
            found = await pods_of(cluster, name)
            if len(found) == count:
                return found
            await asyncio.sleep(0.05)


async def run_pods(cluster: Cluster, name: str) -> None:
    """Do what kubelets do until the Deployment's rollout is complete."""

    async def step() -> bool:
        for item in (await cluster.get(PODS, labelSelector=f"app={name}")).body["items"]:
            where = f"{PODS}/{item['metadata']['name']}"
            if item["metadata"].get("deletionTimestamp"):
                await cluster.delete(where, {"gracePeriodSeconds": 0})
            elif item["status"]["phase"] == "Pending":
                await cluster.patch(where + "/status", running())
        held = (await cluster.get(f"{DEPLOYMENTS}/{name}")).body
        status, wanted = held.get("status", {}), held["spec"]["replicas"]
        return status.get("observedGeneration") == held["metadata"]["generation"] and all(
            status.get(key, 0) == wanted for key in ("replicas", "updatedReplicas", "availableReplicas")
        )

    async with asyncio.timeout(30):
        while True:
            if await step():
                return
            await asyncio.sleep(0.05)


async def sets_of(cluster: Cluster, name: str) -> list[Json]:
    return list((await cluster.get(SETS, labelSelector=f"app={name}")).body["items"])


async def test_a_deployment_makes_a_replica_set_that_makes_pods(cluster: Cluster) -> None:
    made = await cluster.made(DEPLOYMENTS, deployment("web", 2))
    pods = await wait_for_pods(cluster, "web", 2)
    sets = await sets_of(cluster, "web")
    assert len(sets) == 1
    owner = sets[0]["metadata"]["ownerReferences"][0]
    assert owner == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "web",
        "uid": made["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    assert sets[0]["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    digest = sets[0]["metadata"]["labels"]["pod-template-hash"]
    assert sets[0]["metadata"]["name"] == f"web-{digest}"
    for item in pods:
        assert item["metadata"]["labels"] == {"app": "web", "pod-template-hash": digest}
        assert item["metadata"]["ownerReferences"][0]["uid"] == sets[0]["metadata"]["uid"]
        assert item["metadata"]["name"].startswith(sets[0]["metadata"]["name"] + "-")
        assert item["status"]["phase"] == "Pending"
    events = await cluster.get("/api/v1/namespaces/{}/events", fieldSelector="involvedObject.kind=Deployment")
    assert "ScalingReplicaSet" in {item["reason"] for item in events.body["items"]}


async def test_an_unready_deployment_says_so_in_its_conditions(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 1))
    held = await cluster.until(
        DEPLOYMENTS + "/web",
        lambda found: (
            {item["type"] for item in found["status"].get("conditions", ())} == {"Available", "Progressing"}
            and found["status"].get("unavailableReplicas") == 1
        ),
    )
    conditions = {item["type"]: (item["status"], item["reason"]) for item in held["status"]["conditions"]}
    assert conditions["Available"] == ("False", "MinimumReplicasUnavailable")
    assert "availableReplicas" not in held["status"]
    await wait_for_pods(cluster, "web", 1)
    await run_pods(cluster, "web")
    held = await cluster.until(
        DEPLOYMENTS + "/web",
        lambda found: (
            ("Progressing", "NewReplicaSetAvailable")
            in [(item["type"], item["reason"]) for item in found["status"]["conditions"]]
        ),
    )
    conditions = {item["type"]: (item["status"], item["reason"]) for item in held["status"]["conditions"]}
    assert conditions["Available"] == ("True", "MinimumReplicasAvailable")


async def test_a_rollout_that_stands_still_misses_its_deadline(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 1, progressDeadlineSeconds=1))
    held = await cluster.until(
        DEPLOYMENTS + "/web",
        lambda found: any(
            item["reason"] == "ProgressDeadlineExceeded" for item in found["status"].get("conditions", ())
        ),
    )
    condition = next(item for item in held["status"]["conditions"] if item["type"] == "Progressing")
    assert condition["status"] == "False"


async def test_a_restart_replaces_every_pod_through_a_new_replica_set(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 2))
    await wait_for_pods(cluster, "web", 2)
    await run_pods(cluster, "web")
    before = {item["metadata"]["uid"] for item in await pods_of(cluster, "web")}
    notes = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    patch = {"spec": {"template": {"metadata": {"annotations": notes}}}}
    assert (await cluster.patch(DEPLOYMENTS + "/web", patch, STRATEGIC_PATCH, fieldManager="kubernaut")).code == 200
    await run_pods(cluster, "web")
    after = {item["metadata"]["uid"] for item in await pods_of(cluster, "web")}
    assert len(after) == 2
    assert not before & after
    sets = {
        item["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: item
        for item in await sets_of(cluster, "web")
    }
    assert {key: item["spec"]["replicas"] for key, item in sets.items()} == {"1": 0, "2": 2}
    held = (await cluster.get(DEPLOYMENTS + "/web")).body
    assert held["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"


async def test_a_bad_template_keeps_the_old_pods(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 2))
    await wait_for_pods(cluster, "web", 2)
    await run_pods(cluster, "web")
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:bad"}]}}}}
    await cluster.patch(DEPLOYMENTS + "/web", patch, STRATEGIC_PATCH)
    pods = await wait_for_pods(cluster, "web", 3)
    images = sorted(item["spec"]["containers"][0]["image"] for item in pods)
    assert images == ["registry.example/web:1.0", "registry.example/web:1.0", "web:bad"]
    held = await cluster.until(DEPLOYMENTS + "/web", lambda found: found["status"].get("updatedReplicas") == 1)
    assert held["status"]["availableReplicas"] == 2


async def test_a_template_seen_before_reuses_its_replica_set(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 0))
    await cluster.until(DEPLOYMENTS + "/web", lambda found: found["status"].get("observedGeneration") == 1)
    for image in ("web:2", "registry.example/web:1.0"):
        patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}}
        answer = await cluster.patch(DEPLOYMENTS + "/web", patch, STRATEGIC_PATCH)
        generation = answer.body["metadata"]["generation"]
        await cluster.until(
            DEPLOYMENTS + "/web", lambda found, wanted=generation: found["status"].get("observedGeneration") == wanted
        )
    found = {
        item["spec"]["template"]["spec"]["containers"][0]["image"]: item["metadata"]["annotations"]
        for item in await sets_of(cluster, "web")
    }
    assert found["registry.example/web:1.0"]["deployment.kubernetes.io/revision"] == "3"
    assert found["web:2"]["deployment.kubernetes.io/revision"] == "2"


async def test_a_deleted_pod_is_replaced(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 1))
    first = (await wait_for_pods(cluster, "web", 1))[0]
    assert (await cluster.delete(f"{PODS}/{first['metadata']['name']}", {"gracePeriodSeconds": 0})).code == 200
    async with asyncio.timeout(20):
        while True:
            found = await pods_of(cluster, "web")
            if found and found[0]["metadata"]["uid"] != first["metadata"]["uid"]:
                return
            await asyncio.sleep(0.05)


async def test_scale_is_a_view_of_replicas(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 1))
    scale = (await cluster.get(DEPLOYMENTS + "/web/scale")).body
    assert (scale["kind"], scale["apiVersion"], scale["spec"]) == ("Scale", "autoscaling/v1", {"replicas": 1})
    assert scale["status"]["selector"] == "app=web"
    assert (await cluster.patch(DEPLOYMENTS + "/web/scale", {"spec": {"replicas": 3}})).code == 200
    await wait_for_pods(cluster, "web", 3)


async def test_a_quota_keeps_pods_from_being_made_and_says_why(cluster: Cluster) -> None:
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}
    await cluster.made("/api/v1/namespaces/{}/resourcequotas", quota)
    await cluster.until(
        "/api/v1/namespaces/{}/resourcequotas/few", lambda found: found.get("status", {}).get("used") == {"pods": "0"}
    )
    await cluster.made(DEPLOYMENTS, deployment("web", 2))
    held = await cluster.until(
        DEPLOYMENTS + "/web",
        lambda found: any(item["type"] == "ReplicaFailure" for item in found["status"].get("conditions", ())),
    )
    failure = next(item for item in held["status"]["conditions"] if item["type"] == "ReplicaFailure")
    assert (failure["status"], failure["reason"]) == ("True", "FailedCreate")
    assert "exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1" in failure["message"]
    answer = await cluster.post(PODS, pod("one-more"))
    assert (answer.code, answer.reason) == (403, "Forbidden")
    events = await cluster.get("/api/v1/namespaces/{}/events", fieldSelector="reason=FailedCreate")
    assert events.body["items"]


async def test_deleting_an_owner_takes_its_dependents_along(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 1))
    item = (await wait_for_pods(cluster, "web", 1))[0]
    answer = await cluster.delete(DEPLOYMENTS + "/web")
    assert (answer.body["kind"], answer.body["status"], answer.body["details"]["kind"]) == (
        "Status",
        "Success",
        "deployments",
    )
    await cluster.gone(f"{PODS}/{item['metadata']['name']}")
    assert await sets_of(cluster, "web") == []


async def test_orphans_stay(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 1))
    item = (await wait_for_pods(cluster, "web", 1))[0]
    await cluster.delete(DEPLOYMENTS + "/web", {"propagationPolicy": "Orphan"})
    await cluster.gone(DEPLOYMENTS + "/web")
    sets = await sets_of(cluster, "web")
    assert len(sets) == 1
    assert "ownerReferences" not in sets[0]["metadata"]
    assert (await cluster.get(f"{PODS}/{item['metadata']['name']}")).code == 200


async def test_foreground_deletion_waits_for_dependents(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 1))
    item = (await wait_for_pods(cluster, "web", 1))[0]
    where = f"{PODS}/{item['metadata']['name']}"
    await cluster.patch(where, {"metadata": {"finalizers": ["example.com/hold"]}})
    await cluster.delete(DEPLOYMENTS + "/web", {"propagationPolicy": "Foreground"})
    held = (await cluster.get(DEPLOYMENTS + "/web")).body
    assert held["metadata"]["finalizers"] == ["foregroundDeletion"]
    await cluster.until(where, lambda found: "deletionTimestamp" in found["metadata"])
    assert (await cluster.get(DEPLOYMENTS + "/web")).code == 200
    await cluster.patch(where, {"metadata": {"finalizers": None}})
    await cluster.gone(DEPLOYMENTS + "/web")


async def test_an_object_whose_owner_never_was_is_collected(cluster: Cluster) -> None:
    body = config("a")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "11111111-2222-3333-4444-555555555555"}
    body["metadata"]["ownerReferences"] = [owner]
    await cluster.made(CONFIG, body)
    await cluster.gone(CONFIG + "/a")


async def test_a_deleted_namespace_takes_no_content_and_goes(cluster: Cluster) -> None:
    name = unique("gone")
    await cluster.made("/api/v1/namespaces", {"metadata": {"name": name}})
    held = config("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    await cluster.made(f"/api/v1/namespaces/{name}/configmaps", held)
    await cluster.delete(f"/api/v1/namespaces/{name}")
    await cluster.until(f"/api/v1/namespaces/{name}", lambda found: found["status"]["phase"] == "Terminating")
    refused = await cluster.post(f"/api/v1/namespaces/{name}/configmaps", config("b"))
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert refused.causes[0]["reason"] == "NamespaceTerminating"
    await cluster.until(
        f"/api/v1/namespaces/{name}/configmaps/held", lambda found: "deletionTimestamp" in found["metadata"]
    )
    await cluster.patch(f"/api/v1/namespaces/{name}/configmaps/held", {"metadata": {"finalizers": None}})
    await cluster.gone(f"/api/v1/namespaces/{name}", within_s=30)


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

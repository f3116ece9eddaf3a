"""Deployments and ReplicaSets: the behaviour remediation relies on."""

import asyncio

from .raw import (
    DEPLOYMENTS,
    PODS,
    STRATEGIC_PATCH,
    Cluster,
    Json,
    deployment,
    pod,
)
from .workloads import pods_of, run_pods, sets_of, wait_for_pods


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


async def test_templates_of_stateful_and_daemon_sets_are_remembered(cluster: Cluster) -> None:
    revisions = "/apis/apps/v1/namespaces/{}/controllerrevisions"

    async def numbers(count: int) -> list[tuple[str, int]]:
        found = await cluster.until(revisions, lambda found: len(found["items"]) == count)
        shown = [
            (item["data"]["spec"]["template"]["spec"]["containers"][0]["image"][-1], item["revision"])
            for item in found["items"]
        ]
        assert all(item["data"]["spec"]["template"]["$patch"] == "replace" for item in found["items"])
        assert all(item["metadata"]["labels"]["app"] == "db" for item in found["items"])
        return sorted(shown)

    def body(kind: str, tag: str, **spec: object) -> Json:
        made = deployment("db", 0)
        made["kind"] = kind
        template = made["spec"]["template"]
        template["spec"] |= {"nodeSelector": {"nowhere": "at-all"}}
        template["spec"]["containers"][0]["image"] = f"registry.example/db:{tag}"
        made["spec"] = {"selector": made["spec"]["selector"], "template": template, **spec}
        return made

    async def write(path: str, made: Json, *, first: bool = False) -> None:
        answer = await (cluster.post(path, made) if first else cluster.put(f"{path}/db", made))
        assert answer.code in (200, 201), answer.body

    for kind, plural, spec in (
        ("StatefulSet", "statefulsets", {"replicas": 0, "serviceName": "db"}),
        ("DaemonSet", "daemonsets", {}),
    ):
        path = f"/apis/apps/v1/namespaces/{{}}/{plural}"
        await write(path, body(kind, "1", **spec), first=True)
        assert await numbers(1) == [("1", 1)]
        await write(path, body(kind, "2", **spec))
        assert await numbers(2) == [("1", 1), ("2", 2)]
        await write(path, body(kind, "1", **spec))
        await cluster.until(revisions, lambda found: sorted(item["revision"] for item in found["items"]) == [2, 3])
        assert await numbers(2) == [("1", 3), ("2", 2)]
        await cluster.delete(f"{path}/db", {"propagationPolicy": "Background"})
        await cluster.until(revisions, lambda found: not found["items"])

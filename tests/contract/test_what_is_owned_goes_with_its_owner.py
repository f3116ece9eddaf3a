"""Garbage collection: background, orphans, foreground, and whole namespaces."""

from .raw import (
    CONFIG,
    DEPLOYMENTS,
    PODS,
    Cluster,
    config,
    deployment,
    unique,
)
from .workloads import sets_of, wait_for_pods


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

"""What kubelets and people do with the pods of a Deployment, for tests."""

import asyncio

from .raw import (
    DEPLOYMENTS,
    PODS,
    SETS,
    Cluster,
    Json,
    running,
)


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

"""Whether a Deployment's rollout is finished and its pods are steady: pure functions on objects."""

import hashlib
from collections.abc import Sequence
from typing import Any

from kubernaut.domain.facts import Object
from kubernaut.ports import ClusterReader

from .action import Health, HealthState
from .reading import count, entries, section


async def pods_of(reader: ClusterReader, deployment: Object) -> list[Object]:
    """All pods of a Deployment, through its ReplicaSets."""
    meta = deployment["metadata"]
    namespace = meta.get("namespace", "")
    pods: list[Object] = []
    for replica_set in await reader.owned("ReplicaSet", meta["uid"], namespace):
        pods.extend(await reader.owned("Pod", replica_set["metadata"]["uid"], namespace))
    return pods


def condition(item: Object, kind: str) -> dict[str, Any]:
    """One of the object's conditions; empty when it has none of that type."""
    return next((dict(c) for c in entries(item, "status", "conditions") if c.get("type") == kind), {})


def is_ready(pod: Object) -> bool:
    """Whether the pod serves: its Ready condition, because containerStatuses lie on a lost node."""
    return condition(pod, "Ready").get("status") == "True" and not section(pod, "metadata").get("deletionTimestamp")


def restarts(pods: Sequence[Object]) -> int:
    """Container restarts of all pods together."""
    return sum(count(s.get("restartCount")) for pod in pods for s in entries(pod, "status", "containerStatuses"))


def stamp_of(pods: Sequence[Object]) -> str:
    """A short text that changes whenever a pod is replaced or a container restarts."""
    parts = sorted(f"{pod['metadata']['uid']}:{restarts([pod])}" for pod in pods)
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


def deployment_health(deployment: Object, pods: Sequence[Object]) -> Health:
    """As `kubectl rollout status` judges, and every pod of it ready."""
    status = section(deployment, "status")
    wanted = count(section(deployment, "spec").get("replicas"), 1)
    ready, updated = count(status.get("readyReplicas")), count(status.get("updatedReplicas"))
    text, stamp = f"{ready}/{wanted} ready", stamp_of(pods)
    if count(status.get("observedGeneration")) < count(deployment["metadata"].get("generation")):
        return Health(HealthState.PROGRESSING, f"{text}, the controller has not seen the change yet", stamp)
    if condition(deployment, "Progressing").get("reason") == "ProgressDeadlineExceeded":
        return Health(HealthState.FAILED, f"{text}, the rollout exceeded its progress deadline", stamp)
    if updated < wanted or count(status.get("replicas")) > updated:
        return Health(HealthState.PROGRESSING, f"{text}, {updated} of {wanted} pods are new", stamp)
    if ready < wanted or count(status.get("availableReplicas")) < wanted:
        return Health(HealthState.PROGRESSING, text, stamp)
    unsteady = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp") and not is_ready(pod)]
    if unsteady:
        return Health(HealthState.PROGRESSING, f"{text}, {unsteady[0]['metadata']['name']} is not ready", stamp)
    return Health(HealthState.HEALTHY, text, stamp)

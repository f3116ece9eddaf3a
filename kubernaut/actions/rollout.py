"""Whether a workload's rollout is finished and its pods are steady: pure functions on objects."""

import hashlib
from collections.abc import Sequence
from typing import Any

from kubernaut.domain.facts import Object
from kubernaut.domain.reading import count, entries, section
from kubernaut.ports import ClusterReader

from .action import Health, HealthState


async def pods_of(reader: ClusterReader, workload: Object) -> list[Object]:
    """All pods of a workload; a Deployment's through its ReplicaSets."""
    meta = workload["metadata"]
    namespace = meta.get("namespace", "")
    if workload["kind"] != "Deployment":
        return list(await reader.owned("Pod", meta["uid"], namespace))
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


def workload_health(workload: Object, pods: Sequence[Object]) -> Health:
    """As `kubectl rollout status` judges, and every pod of it ready. Pods that wait to be deleted by hand (`OnDelete`) are not
    new, and those that a partition holds back need not be."""
    if workload["kind"] == "Deployment":
        return deployment_health(workload, pods)
    spec, status = section(workload, "spec"), section(workload, "status")
    if workload["kind"] == "DaemonSet":
        wanted = new = count(status.get("desiredNumberScheduled"))
        ready, updated = count(status.get("numberReady")), count(status.get("updatedNumberScheduled"))
    else:
        wanted = count(spec.get("replicas"), 1)
        new = max(0, wanted - count(section(spec, "updateStrategy", "rollingUpdate").get("partition")))
        ready, updated = count(status.get("readyReplicas")), count(status.get("updatedReplicas"))
        if status.get("updateRevision") and status.get("updateRevision") == status.get("currentRevision"):
            updated = new  # the controller counts none when nothing is left to update
    text, stamp = f"{ready}/{wanted} ready", stamp_of(pods)
    if _unseen(workload):
        return Health(HealthState.PROGRESSING, f"{text}, the controller has not seen the change yet", stamp)
    if updated < new:
        return Health(HealthState.PROGRESSING, f"{text}, {updated} of {new} pods are new", stamp)
    return _steady(pods, ready >= wanted, text, stamp)


def deployment_health(deployment: Object, pods: Sequence[Object]) -> Health:
    """As `kubectl rollout status` judges, and every pod of it ready."""
    status = section(deployment, "status")
    wanted = count(section(deployment, "spec").get("replicas"), 1)
    ready, updated = count(status.get("readyReplicas")), count(status.get("updatedReplicas"))
    text, stamp = f"{ready}/{wanted} ready", stamp_of(pods)
    if _unseen(deployment):
        return Health(HealthState.PROGRESSING, f"{text}, the controller has not seen the change yet", stamp)
    if condition(deployment, "Progressing").get("reason") == "ProgressDeadlineExceeded":
        return Health(HealthState.FAILED, f"{text}, the rollout exceeded its progress deadline", stamp)
    if updated < wanted or count(status.get("replicas")) > updated:
        return Health(HealthState.PROGRESSING, f"{text}, {updated} of {wanted} pods are new", stamp)
    return _steady(pods, ready >= wanted and count(status.get("availableReplicas")) >= wanted, text, stamp)


def _unseen(workload: Object) -> bool:
    return count(section(workload, "status").get("observedGeneration")) < count(workload["metadata"].get("generation"))


def _steady(pods: Sequence[Object], enough: bool, text: str, stamp: str) -> Health:
    """Healthy when there are enough ready pods and none beside them that is not."""
    unsteady = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp") and not is_ready(pod)]
    if enough and unsteady:
        return Health(HealthState.PROGRESSING, f"{text}, {unsteady[0]['metadata']['name']} is not ready", stamp)
    return Health(HealthState.HEALTHY if enough else HealthState.PROGRESSING, text, stamp)

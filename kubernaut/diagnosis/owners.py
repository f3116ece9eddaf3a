"""Whose pods these are: up the controllers as far as they were read, and by name or selector where they were not."""

from collections.abc import Mapping
from typing import Any

from kubernaut.domain.facts import Object, Snapshot, controller_of, ref_of
from kubernaut.domain.resources import ResourceRef

_PARTS = ("Pod", "ReplicaSet", "ReplicationController")
_OWNERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job")


def workload_of(snapshot: Snapshot) -> Object | None:
    """The top owner of the target's pods that was read, of a kind that owns pods; the target itself without one."""
    item = snapshot.root
    for _ in range(4):
        reference = controller_of(item) if item is not None else None
        if item is None or reference is None:
            break
        owner = snapshot.get(reference["kind"], reference["name"], item["metadata"].get("namespace", ""))
        if owner is None and reference["kind"] == "ReplicaSet":
            return _deployment_of(snapshot, item, str(reference["name"])) or item
        if owner is None or owner["metadata"].get("uid") != reference["uid"] or owner["kind"] not in _OWNERS:
            break
        item = owner
    return item


def owner_of(workload: Object | None, target: ResourceRef) -> ResourceRef:
    """The workload's name; that of its controller where only that is told, as the Rollout of a ReplicaSet."""
    if workload is None:
        return target
    reference = controller_of(workload)
    if reference is None or workload["kind"] not in _PARTS or reference["kind"] in ("Node", "CronJob"):
        return ref_of(workload, target.cluster)
    return ResourceRef(target.cluster, str(reference["kind"]), str(reference["name"]), target.namespace)


def selected(snapshot: Snapshot) -> list[Object]:
    """Pods by a Deployment's selector where its ReplicaSets could not be read."""
    root = snapshot.root
    if root is None or root["kind"] != "Deployment" or snapshot.owned(root, "ReplicaSet"):
        return []
    pods = snapshot.of_kind("Pod", root["metadata"].get("namespace", ""))
    return [
        pod for pod in pods if selects(_wanted(root), pod) and (controller_of(pod) or {}).get("kind") == "ReplicaSet"
    ]


def selects(wanted: Mapping[str, Any], pod: Object) -> bool:
    """Whether a selector of labels picks a pod (or a pod's template); an empty one picks nothing."""
    labels = pod["metadata"].get("labels") or {}
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def _deployment_of(snapshot: Snapshot, pod: Object, replica_set: str) -> Object | None:
    """The Deployment that a ReplicaSet which was not read is named after, if it selects the pod."""
    name = replica_set.rpartition("-")[0]
    found = snapshot.get("Deployment", name, pod["metadata"].get("namespace", ""))
    return found if found is not None and selects(_wanted(found), pod) else None


def _wanted(workload: Object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = ((workload.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    return found

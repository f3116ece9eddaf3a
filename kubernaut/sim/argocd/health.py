"""Health as Argo CD computes it.

Source: gitops-engine, pkg/health, health_deployment.go and its neighbours.
"""

from collections.abc import Iterable

from kubernaut.sim.client import Json

_WORST_FIRST = ("Missing", "Degraded", "Unknown", "Progressing", "Suspended", "Healthy")


def of(item: Json | None) -> tuple[str, str]:
    """(status, message) of one object; None is an object that is not there."""
    if item is None:
        return "Missing", ""
    kind = item.get("kind")
    if kind == "Deployment":
        return _deployment(item)
    if kind in ("StatefulSet", "ReplicaSet"):
        return _replicated(item)
    if kind == "Service" and item["spec"].get("type") == "LoadBalancer":
        balanced = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress")
        return ("Healthy", "") if balanced else ("Progressing", "waiting for a load balancer")
    if kind == "PersistentVolumeClaim":
        phase = (item.get("status") or {}).get("phase", "Pending")
        return {"Bound": "Healthy", "Lost": "Degraded"}.get(phase, "Progressing"), ""
    return "Healthy", ""


def worst(statuses: Iterable[str]) -> str:
    """The health of an Application is that of its least healthy object."""
    found = set(statuses)
    return next((status for status in _WORST_FIRST if status in found), "Healthy")


def _deployment(item: Json) -> tuple[str, str]:
    spec, status = item["spec"], item.get("status") or {}
    if spec.get("paused"):
        return "Suspended", "Deployment is paused"
    if item["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
        return (
            "Progressing",
            "Waiting for rollout to finish: observed deployment generation less than desired generation",
        )
    stuck = [c for c in status.get("conditions") or [] if c["type"] == "Progressing"]
    if stuck and stuck[0].get("reason") == "ProgressDeadlineExceeded":
        return "Degraded", f'Deployment "{item["metadata"]["name"]}" exceeded its progress deadline'
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    total, available = status.get("replicas", 0), status.get("availableReplicas", 0)
    waiting = "Waiting for rollout to finish: "
    if updated < wanted:
        return "Progressing", f"{waiting}{updated} out of {wanted} new replicas have been updated..."
    if total > updated:
        return "Progressing", f"{waiting}{total - updated} old replicas are pending termination..."
    if available < updated:
        return "Progressing", f"{waiting}{available} of {updated} updated replicas are available..."
    return "Healthy", ""


def _replicated(item: Json) -> tuple[str, str]:
    spec, status = item["spec"], item.get("status") or {}
    if status.get("readyReplicas", 0) < spec.get("replicas", 1):
        return "Progressing", "Waiting for statefulset spec update to be observed..."
    return "Healthy", ""

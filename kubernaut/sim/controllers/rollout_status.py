"""What a Deployment's status says about its ReplicaSets: counts, and how its rollout gets on; pure.

Source: k8s.io/kubernetes/pkg/controller/deployment/progress.go and sync.go
"""

from __future__ import annotations

from datetime import datetime

from kubernaut.sim.apiserver.clock import parse_time, stamp
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.controllers.pods import condition, with_condition
from kubernaut.sim.controllers.rolling import counted, surge_and_unavailable, wanted_by

_NO_DEADLINE_S = 2147483647  # what the API means by none


def is_complete(deployment: Json, status: Json | None = None) -> bool:
    """Whether all pods are new, as many as wanted, and available; by its own status unless another is given."""
    wanted = wanted_by(deployment)
    status = deployment.get("status") or {} if status is None else status
    return bool(
        status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
        and status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    )


def status_of(deployment: Json, sets: list[Json], new: Json | None, now: datetime) -> tuple[Json, float | None]:
    """The status to write, from all ReplicaSets of which `new` has the present template.

    Returns:
        The status, and the seconds after which it may say something else although nothing changed.
    """
    updated = [one for one in sets if new is not None and one["metadata"]["uid"] == new["metadata"]["uid"]]
    available, wanted = counted(sets, "availableReplicas"), wanted_by(deployment)
    old = deployment.get("status") or {}
    status: Json = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": counted(sets, "replicas"),
        "updatedReplicas": counted(updated, "replicas"),
        "readyReplicas": counted(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, wanted - available),
    }
    status["terminatingReplicas"] = counted(sets, "terminatingReplicas")
    if old.get("collisionCount"):
        status["collisionCount"] = old["collisionCount"]
    told = _Conditions(old.get("conditions") or (), now)
    if available >= wanted - surge_and_unavailable(deployment)[1]:
        told.set("Available", True, "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        text = "Deployment does not have minimum availability."
        told.set("Available", False, "MinimumReplicasUnavailable", text)
    failed = next((found for one in sets if (found := condition(one, "ReplicaFailure"))), None)
    if failed is None:
        told.drop("ReplicaFailure")
    else:
        told.set("ReplicaFailure", True, failed["reason"], failed["message"])
    again = _tell_progress(deployment, old, status, told, updated)
    status["conditions"] = told.conditions
    return status, again


class _Conditions:
    """Conditions in their order; one that says the same as before keeps its times."""

    def __init__(self, conditions: list[Json] | tuple[Json, ...], now: datetime) -> None:
        self.conditions = list(conditions)
        self.now = now

    def get(self, kind: str) -> Json | None:
        return next((item for item in self.conditions if item["type"] == kind), None)

    def drop(self, kind: str) -> None:
        self.conditions = [item for item in self.conditions if item["type"] != kind]

    def set(self, kind: str, value: bool | None, reason: str, message: str) -> None:
        now, text = stamp(self.now), "Unknown" if value is None else str(value)
        old = self.get(kind)
        if old is not None and (old["status"], old["reason"], old.get("message")) == (text, reason, message):
            return
        new = {"type": kind, "status": text, "lastUpdateTime": now, "lastTransitionTime": now}
        self.conditions = with_condition(self.conditions, new | {"reason": reason, "message": message})

    def touch(self, kind: str, message: str) -> None:
        """The same state, seen again now."""
        fresh = {"lastUpdateTime": stamp(self.now), "message": message}
        self.conditions = [item | fresh if item["type"] == kind else item for item in self.conditions]


def _tell_progress(deployment: Json, old: Json, status: Json, told: _Conditions, updated: list[Json]) -> float | None:
    held = told.get("Progressing")
    deadline_s = deployment["spec"].get("progressDeadlineSeconds")
    if deployment["spec"].get("paused"):
        if held is None or held["reason"] != "DeploymentPaused":
            told.set("Progressing", None, "DeploymentPaused", "Deployment is paused")
        return None
    if held is not None and held["reason"] == "DeploymentPaused":
        told.set("Progressing", None, "DeploymentResumed", "Deployment is resumed")
        held = told.get("Progressing")
    if deadline_s is None or deadline_s >= _NO_DEADLINE_S:
        told.drop("Progressing")
        return None
    name = updated[0]["metadata"]["name"] if updated else deployment["metadata"]["name"]
    shown = f'ReplicaSet "{name}"' if updated else f'Deployment "{name}"'
    done = held is not None and held["reason"] == "NewReplicaSetAvailable"
    if done and status["replicas"] == status["updatedReplicas"]:
        return None  # a finished rollout that lost pods is no new rollout
    if is_complete(deployment, status):
        told.set("Progressing", True, "NewReplicaSetAvailable", f"{shown} has successfully progressed.")
        return None
    if held is None or done:
        told.set("Progressing", True, "NewReplicaSetCreated", f'Created new replica set "{name}"')
        return float(deadline_s)
    if _moved(old, status):
        text = f"{shown} is progressing."
        if (held["status"], held["reason"]) == ("True", "ReplicaSetUpdated"):
            told.touch("Progressing", text)
        else:
            told.set("Progressing", True, "ReplicaSetUpdated", text)
        return float(deadline_s)
    return _wait(told, held, float(deadline_s), shown)


def _wait(told: _Conditions, held: Json, deadline_s: float, shown: str) -> float | None:
    """Nothing moved: say so once it lasts longer than the deadline."""
    if held["reason"] == "ProgressDeadlineExceeded":
        return None
    waited_s = (told.now - parse_time(held["lastUpdateTime"])).total_seconds()
    if waited_s < deadline_s:
        return deadline_s - waited_s + 0.5
    told.set("Progressing", False, "ProgressDeadlineExceeded", f"{shown} has timed out progressing.")
    return None


def _moved(old: Json, new: Json) -> bool:
    """Whether a rollout made progress: new pods, fewer old ones, more ready or available.

    Source: DeploymentProgressing in k8s.io/kubernetes/pkg/controller/deployment/util
    """
    old_rest = old.get("replicas", 0) - old.get("updatedReplicas", 0)
    return bool(
        new["updatedReplicas"] > old.get("updatedReplicas", 0)
        or new["replicas"] - new["updatedReplicas"] < old_rest
        or new["readyReplicas"] > old.get("readyReplicas", 0)
        or new["availableReplicas"] > old.get("availableReplicas", 0)
    )

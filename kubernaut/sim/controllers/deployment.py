"""A Deployment has a ReplicaSet for each template and moves pods from old ones to the new one.

Source: k8s.io/kubernetes/pkg/controller/deployment
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from kubernaut.sim.apiserver.api import controller
from kubernaut.sim.apiserver.clock import parse_time, stamp
from kubernaut.sim.apiserver.deletion import DeleteOptions
from kubernaut.sim.apiserver.schema import clone
from kubernaut.sim.apiserver.selectors import of_selector
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key, controller_of, key_of, owner_key, reference_to
from kubernaut.sim.controllers.pods import condition, phase, template_hash, with_condition

_DEPLOYMENTS, _SETS = "deployments.apps", "replicasets.apps"
REVISION = "deployment.kubernetes.io/revision"
_DESIRED, _MAX = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
_HASH = "pod-template-hash"
_OWN_ANNOTATIONS = (
    REVISION, _DESIRED, _MAX, "kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision-history",
    "deprecated.deployment.rollback.to",
)  # fmt: skip


def share(value: Any, total: int, *, up: bool) -> int:
    """A number, or a percentage of the total rounded up or down."""
    if isinstance(value, int):
        return value
    part = total * int(str(value).rstrip("%")) / 100
    return math.ceil(part) if up else math.floor(part)


def surge_and_unavailable(deployment: Json) -> tuple[int, int]:
    """How many pods above, and how many available ones below the wanted number a rollout may have."""
    rolling = deployment["spec"]["strategy"].get("rollingUpdate")
    if not rolling:
        return 0, 0
    wanted = deployment["spec"].get("replicas", 1)
    surge = share(rolling["maxSurge"], wanted, up=True)
    unavailable = min(share(rolling["maxUnavailable"], wanted, up=False), wanted)
    return surge, unavailable or (0 if surge else 1)


def _template_of(replica_set: Json) -> Json:
    template: Json = clone(replica_set["spec"]["template"])
    labels = (template.get("metadata") or {}).get("labels") or {}
    labels.pop(_HASH, None)
    return template


def _revision(replica_set: Json) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, "0"))


def _replicas(sets: list[Json]) -> int:
    return sum(one["spec"].get("replicas", 0) for one in sets)


def _counted(sets: list[Json], field: str) -> int:
    return sum((one.get("status") or {}).get(field, 0) for one in sets)


class DeploymentController(Controller):
    """Rolls templates out."""

    name = "deployment-controller"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {
            _DEPLOYMENTS: lambda change: [key_of(change.entry.obj)],
            _SETS: lambda change: owner_key(change.entry.obj, "Deployment"),
            "pods": self._of_removed_pod,
        }

    def _of_removed_pod(self, change: Change) -> list[Key]:
        """Recreate waits for the last old pod to be gone."""
        if change.kind != "DELETED":
            return []
        found = owner_key(change.entry.obj, "ReplicaSet")
        replica_set = self.held(_SETS, found[0]) if found else None
        return owner_key(replica_set, "Deployment") if replica_set else []

    def reconcile(self, key: Key) -> float | None:
        deployment = self.held(_DEPLOYMENTS, key)
        if deployment is None:
            return None
        sets = self._claimed(deployment)
        if deployment["metadata"].get("deletionTimestamp"):
            return self._report(deployment, sets, self._newest(deployment, sets))
        paused = deployment["spec"].get("paused", False)
        new = self._newest(deployment, sets)
        if paused:
            self._scale_evenly(deployment, sets, new)
        elif self._is_scaling(deployment, sets):
            new = self._ensure_newest(deployment, sets, new)
            self._scale_evenly(deployment, self._claimed(deployment), new)
        elif deployment["spec"]["strategy"]["type"] == "Recreate":
            self._recreate(deployment, sets, new)
        else:
            new = self._ensure_newest(deployment, sets, new)
            self._roll(deployment, self._claimed(deployment), new)
        sets = self._claimed(deployment)
        latest = self.held(_DEPLOYMENTS, key)
        if latest is None:
            return None
        new = self._newest(latest, sets)
        self._clean_up(latest, sets, new)
        return self._report(latest, self._claimed(latest), new)

    def _claimed(self, deployment: Json) -> list[Json]:
        uid, selector = deployment["metadata"]["uid"], of_selector(deployment["spec"]["selector"])
        claimed = []
        going = bool(deployment["metadata"].get("deletionTimestamp"))
        for one in self.store.objects(_SETS, deployment["metadata"]["namespace"]):
            owner = controller_of(one)
            if owner is not None and owner["uid"] == uid:
                claimed.append(one)
            elif owner is None and not going and selector.matches(one["metadata"].get("labels")):
                claimed.append(self.api.edit(_SETS, one, lambda obj: _adopt(obj, deployment)))
        return sorted(claimed, key=lambda one: (one["metadata"]["creationTimestamp"], _revision(one)))

    def _newest(self, deployment: Json, sets: list[Json]) -> Json | None:
        wanted = clone(deployment["spec"]["template"])
        ((wanted.get("metadata") or {}).get("labels") or {}).pop(_HASH, None)
        return next((one for one in sets if _template_of(one) == wanted), None)

    def _ensure_newest(self, deployment: Json, sets: list[Json], new: Json | None) -> Json:
        revision = str(max((_revision(one) for one in sets if one is not new), default=0) + 1)
        if new is None:
            new = self._create_set(deployment, sets, revision)
        elif _revision(new) < int(revision):
            new = self.api.edit(_SETS, new, lambda obj: _annotate(obj, revision))
        revision = str(_revision(new))
        if (deployment["metadata"].get("annotations") or {}).get(REVISION) != revision:
            self.api.edit(_DEPLOYMENTS, deployment, lambda obj: _annotate(obj, revision))
        return new

    def _create_set(self, deployment: Json, sets: list[Json], revision: str) -> Json:
        metadata = deployment["metadata"]
        template = clone(deployment["spec"]["template"])
        digest = template_hash(template, (deployment.get("status") or {}).get("collisionCount", 0))
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels[_HASH] = digest
        selector = clone(deployment["spec"]["selector"])
        selector.setdefault("matchLabels", {})[_HASH] = digest
        surge, _ = surge_and_unavailable(deployment)
        wanted = deployment["spec"].get("replicas", 1)
        replicas = wanted
        if deployment["spec"]["strategy"]["type"] == "RollingUpdate":
            replicas = min(max(wanted + surge - _replicas(sets), 0), wanted)
        annotations = {
            key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _OWN_ANNOTATIONS
        }
        annotations |= {REVISION: revision, _DESIRED: str(wanted), _MAX: str(wanted + surge)}
        made: Json = {
            "metadata": {
                "name": f"{metadata['name']}-{digest}",
                "labels": dict(labels),
                "annotations": annotations,
                "ownerReferences": [reference_to(deployment)],
            },
            "spec": {"replicas": replicas, "selector": selector, "template": template},
        }
        if deployment["spec"].get("minReadySeconds"):
            made["spec"]["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
        resource = self.api.catalogue.of_bucket(_SETS)
        found = self.api.create(resource, metadata["namespace"], made, controller()).obj
        if replicas:
            self._tell_scaling(deployment, found, 0, replicas)
        return found

    def _is_scaling(self, deployment: Json, sets: list[Json]) -> bool:
        wanted = str(deployment["spec"].get("replicas", 1))
        return any(
            one["spec"].get("replicas", 0) > 0
            and (one["metadata"].get("annotations") or {}).get(_DESIRED, wanted) != wanted
            for one in sets
        )

    def _scale_evenly(self, deployment: Json, sets: list[Json], new: Json | None) -> None:
        """A change of the wanted number in mid-rollout is shared among the ReplicaSets by their size."""
        active = [one for one in sets if one["spec"].get("replicas", 0) > 0]
        wanted = deployment["spec"].get("replicas", 1)
        if len(active) <= 1:
            only = active[0] if active else new
            if only is not None:
                self._scale(deployment, only, wanted)
            return
        surge, _ = surge_and_unavailable(deployment)
        allowed = wanted + surge if wanted else 0
        spare = allowed - _replicas(active)
        total = _replicas(active)
        left = spare
        for index, one in enumerate(sorted(active, key=lambda one: -one["spec"]["replicas"])):
            size = one["spec"]["replicas"]
            part = left if index == len(active) - 1 else round(spare * size / total)
            part = max(-size, part)
            left -= part
            self._scale(deployment, one, size + part)

    def _recreate(self, deployment: Json, sets: list[Json], new: Json | None) -> None:
        old = [one for one in sets if one is not new]
        for one in old:
            self._scale(deployment, one, 0)
        uids = {one["metadata"]["uid"] for one in old}
        for pod in self.store.objects("pods", deployment["metadata"]["namespace"]):
            owner = controller_of(pod)
            if owner is not None and owner["uid"] in uids and phase(pod) not in ("Succeeded", "Failed"):
                return
        new = self._ensure_newest(deployment, sets, new)
        self._scale(deployment, new, deployment["spec"].get("replicas", 1))

    def _roll(self, deployment: Json, sets: list[Json], new: Json) -> None:
        wanted = deployment["spec"].get("replicas", 1)
        surge, unavailable = surge_and_unavailable(deployment)
        new = next(one for one in sets if one["metadata"]["uid"] == new["metadata"]["uid"])
        old = [one for one in sets if one is not new]
        size = new["spec"].get("replicas", 0)
        if size > wanted:
            self._scale(deployment, new, wanted)
            return
        room = wanted + surge - _replicas(sets)
        if size < wanted and room > 0:
            self._scale(deployment, new, size + min(room, wanted - size))
            return
        self._scale(deployment, new, size)
        self._scale_down_old(deployment, sets, old, new, wanted - unavailable)

    def _scale_down_old(self, deployment: Json, sets: list[Json], old: list[Json], new: Json, minimum: int) -> None:
        old = [one for one in old if one["spec"].get("replicas", 0) > 0]
        unavailable_new = new["spec"].get("replicas", 0) - _counted([new], "availableReplicas")
        most = _replicas(sets) - minimum - unavailable_new
        if not old or most <= 0:
            return
        sizes = {one["metadata"]["name"]: one["spec"]["replicas"] for one in old}
        for one in old:
            name = one["metadata"]["name"]
            unhealthy = min(most, sizes[name] - _counted([one], "availableReplicas"))
            if unhealthy > 0:
                sizes[name] -= unhealthy
                most -= unhealthy
        spare = _counted(sets, "availableReplicas") - minimum
        for one in old:
            name = one["metadata"]["name"]
            taken = min(max(spare, 0), sizes[name])
            sizes[name] -= taken
            spare -= taken
            self._scale(deployment, one, sizes[name])

    def _scale(self, deployment: Json, replica_set: Json, size: int) -> None:
        wanted = deployment["spec"].get("replicas", 1)
        surge, _ = surge_and_unavailable(deployment)
        notes = {_DESIRED: str(wanted), _MAX: str(wanted + surge)}
        before = replica_set["spec"].get("replicas", 0)
        held = replica_set["metadata"].get("annotations") or {}
        if before == size and all(held.get(key) == value for key, value in notes.items()):
            return

        def change(obj: Json) -> None:
            obj["spec"]["replicas"] = size
            obj["metadata"].setdefault("annotations", {}).update(notes)

        self.api.edit(_SETS, replica_set, change)
        if before != size:
            self._tell_scaling(deployment, replica_set, before, size)

    def _tell_scaling(self, deployment: Json, replica_set: Json, before: int, size: int) -> None:
        way = "up" if size > before else "down"
        text = f"Scaled {way} replica set {replica_set['metadata']['name']} from {before} to {size}"
        self.recorder.event(deployment, "Normal", "ScalingReplicaSet", text)

    def _clean_up(self, deployment: Json, sets: list[Json], new: Json | None) -> None:
        """Forget the oldest ReplicaSets beyond revisionHistoryLimit, once the rollout is complete."""
        if not _complete(deployment):
            return
        old = [
            one
            for one in sets
            if one is not new
            and not one["spec"].get("replicas")
            and not (one.get("status") or {}).get("replicas")
            and not one["metadata"].get("deletionTimestamp")
        ]
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        for one in sorted(old, key=_revision)[: max(len(old) - limit, 0)]:
            resource = self.api.catalogue.of_bucket(_SETS)
            namespace, name = key_of(one)
            self.api.delete(resource, namespace, name, DeleteOptions(), controller())

    def _report(self, deployment: Json, sets: list[Json], new: Json | None) -> float | None:
        updated = [one for one in sets if new is not None and one["metadata"]["uid"] == new["metadata"]["uid"]]
        total, available = _counted(sets, "replicas"), _counted(sets, "availableReplicas")
        _, may_miss = surge_and_unavailable(deployment)
        enough = available >= deployment["spec"].get("replicas", 1) - may_miss
        old_status = deployment.get("status") or {}
        status: Json = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": total,
            "updatedReplicas": _counted(updated, "replicas"),
            "readyReplicas": _counted(sets, "readyReplicas"),
            "availableReplicas": available,
            "unavailableReplicas": max(0, deployment["spec"].get("replicas", 1) - available),
        }
        if old_status.get("collisionCount"):
            status["collisionCount"] = old_status["collisionCount"]
        conditions = list(old_status.get("conditions") or ())
        reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
        text = "Deployment has minimum availability." if enough else "Deployment does not have minimum availability."
        conditions = self._set(conditions, "Available", enough, reason, text)
        failed = next((found for one in sets if (found := condition(one, "ReplicaFailure"))), None)
        conditions = [item for item in conditions if item["type"] != "ReplicaFailure"]
        if failed is not None:
            conditions = self._set(conditions, "ReplicaFailure", True, failed["reason"], failed["message"])
        conditions, again = self._progress(deployment, old_status, status, conditions, updated)
        status["conditions"] = conditions
        self.api.write_status(_DEPLOYMENTS, deployment, status)
        return again

    def _set(self, conditions: list[Json], kind: str, value: bool | None, reason: str, message: str) -> list[Json]:
        now = stamp(self.api.now())
        text = "Unknown" if value is None else str(value)
        old = next((item for item in conditions if item["type"] == kind), None)
        if old is not None and (old["status"], old["reason"], old.get("message")) == (text, reason, message):
            return conditions
        new = {"type": kind, "status": text, "lastUpdateTime": now, "lastTransitionTime": now}
        return with_condition(conditions, new | {"reason": reason, "message": message})

    def _progress(
        self, deployment: Json, old: Json, status: Json, conditions: list[Json], updated: list[Json]
    ) -> tuple[list[Json], float | None]:
        held = next((item for item in conditions if item["type"] == "Progressing"), None)
        deadline_s = deployment["spec"].get("progressDeadlineSeconds")
        if deployment["spec"].get("paused"):
            if held is None or held["reason"] != "DeploymentPaused":
                conditions = self._set(conditions, "Progressing", None, "DeploymentPaused", "Deployment is paused")
            return conditions, None
        if held is not None and held["reason"] == "DeploymentPaused":
            conditions = self._set(conditions, "Progressing", None, "DeploymentResumed", "Deployment is resumed")
            held = next(item for item in conditions if item["type"] == "Progressing")
        if deadline_s is None or deadline_s >= 2147483647:
            return [item for item in conditions if item["type"] != "Progressing"], None
        name = updated[0]["metadata"]["name"] if updated else deployment["metadata"]["name"]
        shown = f'ReplicaSet "{name}"' if updated else f'Deployment "{name}"'
        done = held is not None and held["reason"] == "NewReplicaSetAvailable"
        if done and status["replicas"] == status["updatedReplicas"]:
            return conditions, None  # a finished rollout that lost pods is no new rollout
        if _is_complete(deployment, status):
            text = f"{shown} has successfully progressed."
            return self._set(conditions, "Progressing", True, "NewReplicaSetAvailable", text), None
        text = f"{shown} is progressing."
        if held is None or done:
            text = f'Created new replica set "{name}"'
            return self._set(conditions, "Progressing", True, "NewReplicaSetCreated", text), float(deadline_s)
        if _moved(old, status):
            if held["status"] == "True" and held["reason"] == "ReplicaSetUpdated":
                return _touched(conditions, stamp(self.api.now()), text), float(deadline_s)
            return self._set(conditions, "Progressing", True, "ReplicaSetUpdated", text), float(deadline_s)
        if held["reason"] == "ProgressDeadlineExceeded":
            return conditions, None
        waited = (self.api.now() - parse_time(held["lastUpdateTime"])).total_seconds()
        if waited >= deadline_s:
            text = f"{shown} has timed out progressing."
            return self._set(conditions, "Progressing", False, "ProgressDeadlineExceeded", text), None
        return conditions, deadline_s - waited + 0.5


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


def _is_complete(deployment: Json, status: Json) -> bool:
    wanted = deployment["spec"].get("replicas", 1)
    return bool(
        status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
        and status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    )


def _complete(deployment: Json) -> bool:
    return _is_complete(deployment, deployment.get("status") or {})


def _touched(conditions: list[Json], now: str, message: str) -> list[Json]:
    return [
        item | {"lastUpdateTime": now, "message": message} if item["type"] == "Progressing" else item
        for item in conditions
    ]


def _annotate(obj: Json, revision: str) -> None:
    obj["metadata"].setdefault("annotations", {})[REVISION] = revision


def _adopt(obj: Json, owner: Json) -> None:
    obj["metadata"].setdefault("ownerReferences", []).append(reference_to(owner))

"""A Deployment has a ReplicaSet for each template and moves pods from old ones to the new one.

Source: k8s.io/kubernetes/pkg/controller/deployment
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.caller import controller
from kubernaut.sim.apiserver.deletion import DeleteOptions
from kubernaut.sim.apiserver.schema import clone
from kubernaut.sim.apiserver.selectors import of_selector
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key, controller_of, key_of, owner_key, reference_to
from kubernaut.sim.controllers.pods import phase, template_hash
from kubernaut.sim.controllers.rolling import Sizes, evenly, first_size, step, surge_and_unavailable, wanted_by
from kubernaut.sim.controllers.rollout_status import is_complete, status_of

_DEPLOYMENTS, _SETS = "deployments.apps", "replicasets.apps"
REVISION = "deployment.kubernetes.io/revision"
_DESIRED, _MAX = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
_HASH = "pod-template-hash"
_OWN_ANNOTATIONS = (
    REVISION, _DESIRED, _MAX, "kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision-history",
    "deprecated.deployment.rollback.to",
)  # fmt: skip


def _template_of(replica_set: Json) -> Json:
    template: Json = clone(replica_set["spec"]["template"])
    labels = (template.get("metadata") or {}).get("labels") or {}
    labels.pop(_HASH, None)
    return template


def _revision(replica_set: Json) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, "0"))


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
            return self._report(deployment, sets)
        new = self._newest(deployment, sets)
        if deployment["spec"].get("paused") or self._is_scaling(
            deployment, sets
        ):  # nothing new is rolled out meanwhile
            new = self._ensure_newest(deployment, sets, new) if new else None
            self._resize(deployment, evenly(deployment, self._claimed(deployment), new))
        elif deployment["spec"]["strategy"]["type"] == "Recreate":
            self._recreate(deployment, sets, new)
        else:
            new = self._ensure_newest(deployment, sets, new)
            sets = self._claimed(deployment)
            new = next(one for one in sets if one["metadata"]["uid"] == new["metadata"]["uid"])
            self._resize(deployment, step(deployment, sets, new))
        sets = self._claimed(deployment)
        latest = self.held(_DEPLOYMENTS, key)
        if latest is None:
            return None
        self._clean_up(latest, sets, self._newest(latest, sets))
        return self._report(latest, self._claimed(latest))

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
        else:
            new = self.api.edit(_SETS, new, lambda obj: _tell(obj, _told_by(deployment), revision))
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
        wanted, replicas = wanted_by(deployment), first_size(deployment, sets)
        annotations = _told_by(deployment) | {REVISION: revision, _DESIRED: str(wanted), _MAX: str(wanted + surge)}
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
        wanted = str(wanted_by(deployment))
        return any(
            one["spec"].get("replicas", 0) > 0
            and (one["metadata"].get("annotations") or {}).get(_DESIRED, wanted) != wanted
            for one in sets
        )

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
        self._scale(deployment, new, wanted_by(deployment))

    def _resize(self, deployment: Json, sizes: Sizes) -> None:
        for replica_set, size in sizes:
            self._scale(deployment, replica_set, size)

    def _scale(self, deployment: Json, replica_set: Json, size: int) -> None:
        wanted = wanted_by(deployment)
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
        if not is_complete(deployment):
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

    def _report(self, deployment: Json, sets: list[Json]) -> float | None:
        status, again_s = status_of(deployment, sets, self._newest(deployment, sets), self.api.now())
        self.api.write_status(_DEPLOYMENTS, deployment, status)
        return again_s


def _annotate(obj: Json, revision: str) -> None:
    obj["metadata"].setdefault("annotations", {})[REVISION] = revision


def _told_by(deployment: Json) -> Json:
    """What of a Deployment its ReplicaSet repeats: why it was changed, above all."""
    held = deployment["metadata"].get("annotations") or {}
    return {key: value for key, value in held.items() if key not in _OWN_ANNOTATIONS}


def _tell(replica_set: Json, notes: Json, revision: str) -> None:
    replica_set["metadata"].setdefault("annotations", {}).update(notes)
    if _revision(replica_set) < int(revision):
        _annotate(replica_set, revision)


def _adopt(obj: Json, owner: Json) -> None:
    obj["metadata"].setdefault("ownerReferences", []).append(reference_to(owner))

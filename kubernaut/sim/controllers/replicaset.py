"""A ReplicaSet keeps as many pods as it says, adopts strays and reports what it sees; so does a ReplicationController."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.caller import controller
from kubernaut.sim.apiserver.clock import stamp
from kubernaut.sim.apiserver.deletion import DeleteOptions
from kubernaut.sim.apiserver.schema import clone
from kubernaut.sim.apiserver.selectors import selector_of
from kubernaut.sim.apiserver.status import Json, StatusError
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key, controller_of, key_of, owner_key, reference_to
from kubernaut.sim.controllers.pods import available_in_s, deletion_rank, is_active, is_ready, phase, with_condition


def pod_from_template(owner: Json, template: Json) -> Json:
    """A pod a controller creates: the template's metadata and spec, owned, named after the owner."""
    metadata = template.get("metadata") or {}
    made: Json = {"generateName": owner["metadata"]["name"] + "-", "ownerReferences": [reference_to(owner)]}
    for key in ("labels", "annotations", "finalizers"):
        if metadata.get(key):
            made[key] = clone(metadata[key])
    return {"kind": "Pod", "apiVersion": "v1", "metadata": made, "spec": clone(template.get("spec") or {})}


class ReplicaSetController(Controller):
    """Creates and deletes pods."""

    name = "replicaset-controller"
    bucket = "replicasets.apps"
    kind = "ReplicaSet"
    counts_terminating = True

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {self.bucket: lambda change: [key_of(change.entry.obj)], "pods": self._of_pod}

    def _of_pod(self, change: Change) -> list[Key]:
        pod = change.entry.obj
        found = owner_key(pod, self.kind)
        if change.old is not None:
            found += [key for key in owner_key(change.old.obj, self.kind) if key not in found]
        if found or controller_of(pod) or change.kind == "DELETED":
            return found
        namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels")
        return [key_of(one) for one in self.store.objects(self.bucket, namespace) if selector_of(one).matches(labels)]

    def reconcile(self, key: Key) -> float | None:
        wanted = self.held(self.bucket, key)
        if wanted is None:
            return None
        pods = self._claimed(wanted)
        failure = ""
        if not wanted["metadata"].get("deletionTimestamp"):
            failure = self._scale(wanted, pods)
            pods = self._claimed(wanted)
        again = self._report(wanted, pods, failure)
        if failure:
            raise StatusError(500, "FailedCreate", failure)
        return again

    def _claimed(self, wanted: Json) -> list[Json]:
        uid, selector = wanted["metadata"]["uid"], selector_of(wanted)
        claimed = []
        for pod in self.store.objects("pods", wanted["metadata"]["namespace"]):
            owner = controller_of(pod)
            matches = selector.matches(pod["metadata"].get("labels"))
            if owner is not None and owner["uid"] == uid:
                if matches:
                    claimed.append(pod)
                elif is_active(pod):
                    self.api.edit("pods", pod, lambda obj: _release(obj, uid))
            elif owner is None and matches and is_active(pod) and not wanted["metadata"].get("deletionTimestamp"):
                claimed.append(self.api.edit("pods", pod, lambda obj: _adopt(obj, wanted)))
        return [pod for pod in claimed if is_active(pod)]

    def _terminating(self, wanted: Json) -> int:
        return sum(
            bool(pod["metadata"].get("deletionTimestamp")) and phase(pod) not in ("Succeeded", "Failed")
            for pod in self.store.objects("pods", wanted["metadata"]["namespace"])
            if (owner := controller_of(pod)) is not None and owner["uid"] == wanted["metadata"]["uid"]
        )

    def _scale(self, wanted: Json, pods: list[Json]) -> str:
        """Create or delete the difference.

        Returns:
            Why pods could not be created, or "".
        """
        missing = wanted["spec"].get("replicas", 1) - len(pods)
        resource = self.api.catalogue.of_bucket("pods")
        namespace = wanted["metadata"]["namespace"]
        for _ in range(max(missing, 0)):
            pod = pod_from_template(wanted, wanted["spec"]["template"])
            try:
                made = self.api.create(resource, namespace, pod, controller())
            except StatusError as error:
                if "being terminated" in error.message:
                    return ""
                self.recorder.event(wanted, "Warning", "FailedCreate", f"Error creating: {error.message}")
                return error.message
            self.recorder.event(wanted, "Normal", "SuccessfulCreate", f"Created pod: {made.obj['metadata']['name']}")
        for pod in sorted(pods, key=deletion_rank)[: max(-missing, 0)]:
            self.api.delete(resource, namespace, pod["metadata"]["name"], DeleteOptions(), controller())
            self.recorder.event(wanted, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        return ""

    def _report(self, wanted: Json, pods: list[Json], failure: str) -> float | None:
        min_ready_s = wanted["spec"].get("minReadySeconds", 0)
        now = self.api.now()
        waits = [wait for pod in pods if (wait := available_in_s(pod, min_ready_s, now)) is not None]
        labels = (wanted["spec"]["template"].get("metadata") or {}).get("labels") or {}
        fully = [pod for pod in pods if labels.items() <= (pod["metadata"].get("labels") or {}).items()]
        conditions = [
            item for item in (wanted.get("status") or {}).get("conditions") or () if item["type"] != "ReplicaFailure"
        ]
        if failure:
            failed = {"type": "ReplicaFailure", "status": "True", "lastTransitionTime": stamp(now)}
            before = (wanted.get("status") or {}).get("conditions") or []
            new = with_condition(before, failed | {"reason": "FailedCreate", "message": failure})
            conditions = [*conditions, new[-1]]
        status = {
            "replicas": len(pods),
            "fullyLabeledReplicas": len(fully),
            "readyReplicas": sum(is_ready(pod) for pod in pods),
            "availableReplicas": sum(wait == 0 for wait in waits),
            "observedGeneration": wanted["metadata"]["generation"],
            "conditions": conditions,
        }
        if self.counts_terminating:
            status["terminatingReplicas"] = self._terminating(wanted)
        latest = self.held(self.bucket, key_of(wanted))
        if latest is not None:
            self.api.write_status(self.bucket, latest, status)
        pending = [wait for wait in waits if wait > 0]
        return min(pending) if pending else None


class ReplicationController(ReplicaSetController):
    """What ReplicaSets were before they had a better selector."""

    name = "replication-controller"
    bucket = "replicationcontrollers"
    kind = "ReplicationController"
    counts_terminating = False


def _release(obj: Json, uid: str) -> None:
    obj["metadata"]["ownerReferences"] = [one for one in obj["metadata"]["ownerReferences"] if one["uid"] != uid]


def _adopt(obj: Json, owner: Json) -> None:
    obj["metadata"].setdefault("ownerReferences", []).append(reference_to(owner))

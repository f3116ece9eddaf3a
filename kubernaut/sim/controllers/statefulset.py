"""A StatefulSet keeps numbered pods, one after the other, and replaces them from the highest number down."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.schema import clone
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Key, key_of, owner_key
from kubernaut.sim.controllers.owned import REVISION_LABEL, OwnerOfPods, revision_of
from kubernaut.sim.controllers.pods import is_active, is_ready, phase, template_hash
from kubernaut.sim.controllers.replicaset import pod_from_template
from kubernaut.sim.controllers.revisions import remember

_SETS = "statefulsets.apps"


class StatefulSetController(OwnerOfPods):
    """Ordered creation, ordered rolling update; volume claims of templates are not made."""

    name = "statefulset-controller"
    created, deleted = (
        "Create Pod {pod} in StatefulSet {owner} successful",
        "Delete Pod {pod} in StatefulSet {owner} successful",
    )

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {
            _SETS: lambda change: [key_of(change.entry.obj)],
            "pods": lambda change: owner_key(change.entry.obj, "StatefulSet"),
        }

    def reconcile(self, key: Key) -> float | None:
        wanted = self.held(_SETS, key)
        if wanted is None:
            return None
        digest = template_hash(wanted["spec"]["template"])
        revision = f"{key[1]}-{digest}"
        if not wanted["metadata"].get("deletionTimestamp"):
            remember(self.api, wanted, digest, "controller.kubernetes.io/hash")
            self._step(wanted, revision)
        latest = self.held(_SETS, key)
        if latest is not None:
            self._report(latest, revision)
        return None

    def _step(self, wanted: Json, revision: str) -> None:
        """One thing at a time, unless podManagementPolicy is Parallel."""
        name, replicas = wanted["metadata"]["name"], wanted["spec"].get("replicas", 1)
        parallel = wanted["spec"].get("podManagementPolicy") == "Parallel"
        held = {_ordinal(pod): pod for pod in self.owned(wanted)}
        for number in range(replicas):
            pod = held.get(number)
            if pod is None:
                self.make(wanted, self._pod(wanted, f"{name}-{number}", revision))
            elif phase(pod) == "Failed" and not pod["metadata"].get("deletionTimestamp"):
                self.unmake(wanted, pod)
            if (pod is None or not is_ready(pod) or not is_active(pod)) and not parallel:
                return
        for number in sorted(held, reverse=True):
            if number >= replicas and is_active(held[number]):
                self.unmake(wanted, held[number])
                if not parallel:
                    return
        self._update(wanted, held, revision, replicas)

    def _update(self, wanted: Json, held: dict[int, Json], revision: str, replicas: int) -> None:
        strategy = wanted["spec"]["updateStrategy"]
        if strategy["type"] != "RollingUpdate":
            return
        first = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        for number in range(replicas - 1, first - 1, -1):
            pod = held.get(number)
            if pod is None or not is_active(pod):
                return
            if revision_of(pod) != revision:
                self.unmake(wanted, pod)
                return
            if not is_ready(pod):
                return

    def _pod(self, wanted: Json, name: str, revision: str) -> Json:
        pod = pod_from_template(wanted, wanted["spec"]["template"])
        del pod["metadata"]["generateName"]
        pod["metadata"]["name"] = name
        labels = clone(pod["metadata"].get("labels") or {})
        index = name.rsplit("-", 1)[1]
        labels |= {
            REVISION_LABEL: revision,
            "statefulset.kubernetes.io/pod-name": name,
            "apps.kubernetes.io/pod-index": index,
        }
        pod["metadata"]["labels"] = labels
        pod["spec"] |= {"hostname": name} | (
            {"subdomain": wanted["spec"]["serviceName"]} if wanted["spec"].get("serviceName") else {}
        )
        return pod

    def _report(self, wanted: Json, revision: str) -> None:
        pods = [pod for pod in self.owned(wanted) if is_active(pod)]
        updated = [pod for pod in pods if revision_of(pod) == revision]
        ready = sum(is_ready(pod) for pod in pods)
        before = wanted.get("status") or {}
        replicas = wanted["spec"].get("replicas", 1)
        done = len(updated) == replicas and ready == replicas
        current = revision if done else before.get("currentRevision", revision)
        status: Json = {
            "observedGeneration": wanted["metadata"]["generation"],
            "replicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "currentReplicas": sum(revision_of(pod) == current for pod in pods),
            "updatedReplicas": len(updated),
            "currentRevision": current,
            "updateRevision": revision,
            "collisionCount": 0,
        }
        self.api.write_status(_SETS, wanted, status)


def _ordinal(pod: Json) -> int:
    return int(pod["metadata"]["name"].rsplit("-", 1)[1])

"""A DaemonSet has one pod on every node that its pods tolerate."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Key, key_of, owner_key
from kubernaut.sim.controllers.owned import REVISION_LABEL, OwnerOfPods, revision_of
from kubernaut.sim.controllers.pods import is_active, is_ready, phase, template_hash
from kubernaut.sim.controllers.replicaset import pod_from_template
from kubernaut.sim.controllers.revisions import remember
from kubernaut.sim.controllers.rolling import share
from kubernaut.sim.controllers.scheduler import tolerates

_SETS = "daemonsets.apps"
_NODE = "node.kubernetes.io/"
_TOLERATED = [
    *({"key": _NODE + name, "operator": "Exists", "effect": "NoExecute"} for name in ("not-ready", "unreachable")),
    *(
        {"key": _NODE + name, "operator": "Exists", "effect": "NoSchedule"}
        for name in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
    ),
]


class DaemonSetController(OwnerOfPods):
    """Pins pods to nodes by node affinity, which the scheduler resolves at once here."""

    name = "daemonset-controller"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {
            _SETS: lambda change: [key_of(change.entry.obj)],
            "pods": lambda change: owner_key(change.entry.obj, "DaemonSet"),
            "nodes": lambda change: [key_of(one) for one in self.store.objects(_SETS)],
        }

    def reconcile(self, key: Key) -> float | None:
        wanted = self.held(_SETS, key)
        if wanted is None:
            return None
        revision = template_hash(wanted["spec"]["template"])
        nodes = [node["metadata"]["name"] for node in self.store.objects("nodes") if self._fits(wanted, node)]
        if not wanted["metadata"].get("deletionTimestamp"):
            remember(self.api, wanted, revision, REVISION_LABEL)
            self._place(wanted, nodes, revision)
            self._update(wanted, revision)
        latest = self.held(_SETS, key)
        if latest is not None:
            self._report(latest, nodes, revision)
        return None

    def _fits(self, wanted: Json, node: Json) -> bool:
        spec = wanted["spec"]["template"].get("spec") or {}
        tolerant = {"spec": {"tolerations": [*(spec.get("tolerations") or ()), *_TOLERATED]}}
        labels = node["metadata"].get("labels") or {}
        if not (spec.get("nodeSelector") or {}).items() <= labels.items():
            return False
        return all(
            tolerates(tolerant, taint)
            for taint in node["spec"].get("taints") or ()
            if taint["effect"] in ("NoSchedule", "NoExecute")
        )

    def _place(self, wanted: Json, nodes: list[str], revision: str) -> None:
        there = {}
        for pod in self.owned(wanted):
            where = pod["spec"].get("nodeName", "")
            there[where] = pod
            if (is_active(pod) and where not in nodes) or (
                phase(pod) == "Failed" and not pod["metadata"].get("deletionTimestamp")
            ):
                self.unmake(wanted, pod)
        for name in nodes:
            if name not in there:
                pod = pod_from_template(wanted, wanted["spec"]["template"])
                pod["metadata"].setdefault("labels", {})[REVISION_LABEL] = revision
                pod["spec"]["tolerations"] = [*(pod["spec"].get("tolerations") or ()), *_TOLERATED]
                self.api.bind(self.make(wanted, pod), name)

    def _update(self, wanted: Json, revision: str) -> None:
        strategy = wanted["spec"]["updateStrategy"]
        if strategy["type"] != "RollingUpdate":
            return
        pods = self.owned(wanted)
        most = max(share(strategy["rollingUpdate"]["maxUnavailable"], len(pods), up=True), 1)
        away = sum(not (is_ready(pod) and is_active(pod)) for pod in pods)
        for pod in pods:
            if is_active(pod) and revision_of(pod) != revision:
                if is_ready(pod):
                    if away >= most:
                        return
                    away += 1
                self.unmake(wanted, pod)

    def _report(self, wanted: Json, nodes: list[str], revision: str) -> None:
        pods = [pod for pod in self.owned(wanted) if is_active(pod)]
        placed = [pod for pod in pods if pod["spec"].get("nodeName") in nodes]
        ready = sum(is_ready(pod) for pod in placed)
        status: Json = {
            "currentNumberScheduled": len(placed),
            "desiredNumberScheduled": len(nodes),
            "numberMisscheduled": len(pods) - len(placed),
            "numberReady": ready,
            "numberAvailable": ready,
            "numberUnavailable": len(nodes) - ready,
            "updatedNumberScheduled": sum(revision_of(pod) == revision for pod in placed),
            "observedGeneration": wanted["metadata"]["generation"],
        }
        self.api.write_status(_SETS, wanted, status)

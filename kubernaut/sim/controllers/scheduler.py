"""The scheduler binds pods to nodes that are fit, and says why none is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal

from kubernaut.sim.apiserver import quantity
from kubernaut.sim.apiserver.admission import pod_requests
from kubernaut.sim.apiserver.clock import stamp
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key, key_of
from kubernaut.sim.controllers.pods import phase, with_condition

_RETRY_S = 10.0


def tolerates(pod: Json, taint: Json) -> bool:
    """Whether one of the pod's tolerations matches a taint."""
    for one in pod["spec"].get("tolerations") or ():
        if one.get("effect") and one["effect"] != taint["effect"]:
            continue
        if not one.get("key"):
            if one.get("operator") == "Exists":
                return True
            continue
        if one["key"] != taint["key"]:
            continue
        if one.get("operator") == "Exists" or one.get("value", "") == taint.get("value", ""):
            return True
    return False


def _unavailable(nodes: int, why: str) -> str:
    return (
        f"0/{nodes} nodes are available: {why}. preemption: 0/{nodes} nodes are available: "
        f"{nodes} Preemption is not helpful for scheduling."
    )


class Scheduler(Controller):
    """One pod at a time, least loaded node first."""

    name = "default-scheduler"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {"pods": self._of_pod, "nodes": self._of_node}

    def _of_pod(self, change: Change) -> list[Key]:
        pod = change.entry.obj
        if change.kind == "DELETED" or phase(pod) in ("Succeeded", "Failed"):
            return self._waiting()
        return [] if pod["spec"].get("nodeName") else [key_of(pod)]

    def _of_node(self, change: Change) -> list[Key]:
        old, new = change.old.obj if change.old else None, change.entry.obj
        if (
            old
            and old["spec"] == new["spec"]
            and (old.get("status") or {}).get("allocatable") == (new.get("status") or {}).get("allocatable")
        ):
            return []
        return self._waiting()

    def _waiting(self) -> list[Key]:
        return [key_of(pod) for pod in self.store.objects("pods") if not pod["spec"].get("nodeName")]

    def reconcile(self, key: Key) -> float | None:
        pod = self.held("pods", key)
        if pod is None or pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            return None
        if phase(pod) != "Pending" or pod["spec"].get("schedulerName") != self.name:
            return None
        nodes = list(self.store.objects("nodes"))
        reasons: Counter[str] = Counter()
        missing = self._missing_claim(pod)
        if missing:
            return self._unschedulable(pod, _unavailable(len(nodes), missing))
        used = self._used()
        fit: list[tuple[Decimal, int, str]] = []
        for node in nodes:
            name = node["metadata"]["name"]
            unfit = self._unfit(pod, node, used)
            reasons.update(unfit)
            if not unfit:
                cpu, count = used.get((name, "cpu"), Decimal(0)), int(used.get((name, "pods"), Decimal(0)))
                fit.append((cpu, count, name))
        if fit:
            chosen = min(fit, key=lambda one: (one[1], one[0], one[2]))[2]
            self.api.bind(pod, chosen)
            namespace, name = key
            self.recorder.event(pod, "Normal", "Scheduled", f"Successfully assigned {namespace}/{name} to {chosen}")
            return None
        if not nodes:
            return self._unschedulable(pod, "no nodes available to schedule pods")
        listed = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
        return self._unschedulable(pod, _unavailable(len(nodes), listed))

    def _unfit(self, pod: Json, node: Json, used: dict[tuple[str, str], Decimal]) -> list[str]:
        spec, name = node["spec"], node["metadata"]["name"]
        if spec.get("unschedulable") and not tolerates(
            pod, {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
        ):
            return ["node(s) were unschedulable"]
        for taint in spec.get("taints") or ():
            if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
                return [f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"]
        labels = node["metadata"].get("labels") or {}
        if not (pod["spec"].get("nodeSelector") or {}).items() <= labels.items():
            return ["node(s) didn't match Pod's node affinity/selector"]
        allocatable = (node.get("status") or {}).get("allocatable") or {}
        wanted = {"pods": Decimal(1)} | {
            resource.removeprefix("requests."): amount
            for resource, amount in pod_requests(pod).items()
            if resource.startswith("requests.")
        }
        short = []
        for resource, amount in wanted.items():
            room = quantity.parse(allocatable.get(resource, "0")) - used.get((name, resource), Decimal(0))
            if amount > room:
                short.append("Too many pods" if resource == "pods" else f"Insufficient {resource}")
        return short

    def _used(self) -> dict[tuple[str, str], Decimal]:
        used: dict[tuple[str, str], Decimal] = {}
        for pod in self.store.objects("pods"):
            node = pod["spec"].get("nodeName")
            if not node or phase(pod) in ("Succeeded", "Failed"):
                continue
            used[(node, "pods")] = used.get((node, "pods"), Decimal(0)) + 1
            for resource, amount in pod_requests(pod).items():
                if resource.startswith("requests."):
                    where = (node, resource.removeprefix("requests."))
                    used[where] = used.get(where, Decimal(0)) + amount
        return used

    def _missing_claim(self, pod: Json) -> str:
        for volume in pod["spec"].get("volumes") or ():
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if not name:
                continue
            claim = self.held("persistentvolumeclaims", (pod["metadata"]["namespace"], name))
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if (claim.get("status") or {}).get("phase") != "Bound":
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def _unschedulable(self, pod: Json, message: str) -> float:
        self.recorder.event(pod, "Warning", "FailedScheduling", message)
        status = pod.get("status") or {}
        new: Json = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        new |= {"lastProbeTime": None, "lastTransitionTime": stamp(self.api.now())}
        changed = status | {"conditions": with_condition(status.get("conditions") or [], new)}
        self.api.write_status("pods", pod, changed, "kube-scheduler")
        return _RETRY_S

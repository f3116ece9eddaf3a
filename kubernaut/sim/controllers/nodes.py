"""Nodes whose heartbeat stops become Unknown, get taints, and lose their pods after the pods' patience.

Source: k8s.io/kubernetes/pkg/controller/nodelifecycle, tainteviction
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.caller import controller
from kubernaut.sim.apiserver.clock import parse_time, stamp
from kubernaut.sim.apiserver.deletion import DeleteOptions
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key, key_of
from kubernaut.sim.controllers.pods import condition, phase, with_condition
from kubernaut.sim.controllers.scheduler import tolerates
from kubernaut.sim.controllers.timing import Timing

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_PRESSURE = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
_OWN_TAINTS = {NOT_READY, UNREACHABLE, UNSCHEDULABLE, *_PRESSURE.values()}
_LEASES = "leases.coordination.k8s.io"


class NodeLifecycle(Controller):
    """Watches heartbeats: a Lease in kube-node-lease or the Ready condition's own."""

    name = "node-controller"

    def __init__(self, api: Api, timing: Timing) -> None:
        super().__init__(api)
        self._timing = timing
        self._seen: dict[str, tuple[str, float]] = {}  # node → heartbeat, our time when it last changed

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {"nodes": lambda change: [key_of(change.entry.obj)]}

    def reconcile(self, key: Key) -> float | None:
        node = self.held("nodes", key)
        if node is None:
            self._seen.pop(key[1], None)
            return None
        if key[1] not in self._seen:
            self.recorder.event(
                node, "Normal", "RegisteredNode", f"Node {key[1]} event: Registered Node {key[1]} in Controller"
            )
        if self._silent_s(node) > self._grace_s(node):
            node = self._lose(node)
        self._taint(node)
        ready = condition(node, "Ready")
        if ready is not None and ready["status"] != "True":
            self._mark_pods(node)
        return self._timing.node_monitor_period_s

    def _grace_s(self, node: Json) -> float:
        never = condition(node, "Ready") is None
        return self._timing.node_startup_grace_s if never else self._timing.node_monitor_grace_s

    def _silent_s(self, node: Json) -> float:
        """How long the heartbeat has not changed, by our own clock."""
        name = node["metadata"]["name"]
        ready = condition(node, "Ready")
        lease = self.held(_LEASES, ("kube-node-lease", name))
        renewed = ((lease or {}).get("spec") or {}).get("renewTime", "")
        beat = f"{renewed} {(ready or {}).get('lastHeartbeatTime', '')} {(ready or {}).get('status', '')}"
        now = self.api.now().timestamp()
        if self._seen.get(name, ("", 0.0))[0] != beat:
            self._seen[name] = (beat, now)
        return now - self._seen[name][1]

    def _lose(self, node: Json) -> Json:
        ready = condition(node, "Ready")
        if ready is not None and ready["status"] == "Unknown":
            return node
        now = stamp(self.api.now())
        conditions = list((node.get("status") or {}).get("conditions") or ())
        for kind in ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure"):
            held = next((item for item in conditions if item["type"] == kind), None)
            new: Json = {"type": kind, "status": "Unknown", "lastTransitionTime": now}
            new["lastHeartbeatTime"] = (held or {}).get("lastHeartbeatTime", node["metadata"]["creationTimestamp"])
            if held is None:
                new |= {"reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status."}
            else:
                new |= {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
            conditions = with_condition(conditions, new)
        lost = self.api.write_status("nodes", node, (node.get("status") or {}) | {"conditions": conditions})
        beat = self._seen[node["metadata"]["name"]]
        ready = condition(lost, "Ready") or {}
        lease = self.held(_LEASES, ("kube-node-lease", node["metadata"]["name"]))
        renewed = ((lease or {}).get("spec") or {}).get("renewTime", "")
        self._seen[node["metadata"]["name"]] = (f"{renewed} {ready.get('lastHeartbeatTime', '')} Unknown", beat[1])
        name = node["metadata"]["name"]
        self.recorder.event(lost, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        return lost

    def _taint(self, node: Json) -> None:
        wanted = _wanted_taints(node)
        now = stamp(self.api.now())
        held = node["spec"].get("taints") or []
        kept = [taint for taint in held if taint["key"] not in _OWN_TAINTS or (taint["key"], taint["effect"]) in wanted]
        present = {(taint["key"], taint["effect"]) for taint in kept}
        added: list[Json] = []
        for key, effect in wanted:
            if (key, effect) not in present:
                added.append({"key": key, "effect": effect, "timeAdded": now})
        if not added and len(kept) == len(held):
            return

        def change(obj: Json) -> None:
            obj["spec"]["taints"] = kept + added

        self.api.edit("nodes", node, change)

    def _mark_pods(self, node: Json) -> None:
        """A lost node's pods are not ready, whatever their containers last said."""
        name = node["metadata"]["name"]
        for pod in list(self.store.objects("pods")):
            ready = condition(pod, "Ready")
            if pod["spec"].get("nodeName") != name or ready is None or ready["status"] != "True":
                continue
            now = stamp(self.api.now())
            new = {key: value for key, value in ready.items() if key not in ("reason", "message")}
            new |= {"status": "False", "lastTransitionTime": now}
            status = pod["status"] | {"conditions": with_condition(pod["status"]["conditions"], new)}
            self.api.write_status("pods", pod, status)
            self.recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")


def _wanted_taints(node: Json) -> list[tuple[str, str]]:
    wanted: list[tuple[str, str]] = []
    ready = condition(node, "Ready")
    status = ready["status"] if ready else ""
    if status == "Unknown":
        wanted += [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
    elif status == "False":
        wanted += [(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")]
    elif not status:
        wanted.append((NOT_READY, "NoSchedule"))
    if node["spec"].get("unschedulable"):
        wanted.append((UNSCHEDULABLE, "NoSchedule"))
    for kind, taint in _PRESSURE.items():
        found = condition(node, kind)
        if found is not None and found["status"] == "True":
            wanted.append((taint, "NoSchedule"))
    return wanted


class TaintEviction(Controller):
    """Deletes pods from nodes with NoExecute taints they don't tolerate, or no longer tolerate."""

    name = "taint-eviction-controller"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {"nodes": self._of_node, "pods": self._of_pod}

    def _of_node(self, change: Change) -> list[Key]:
        old = (change.old.obj["spec"].get("taints") or []) if change.old else []
        node = change.entry.obj
        if old == (node["spec"].get("taints") or []):
            return []
        name = node["metadata"]["name"]
        return [key_of(pod) for pod in self.store.objects("pods") if pod["spec"].get("nodeName") == name]

    def _of_pod(self, change: Change) -> list[Key]:
        bound = change.old is None or change.old.obj["spec"].get("nodeName") != change.entry.obj["spec"].get("nodeName")
        return [key_of(change.entry.obj)] if bound and change.kind != "DELETED" else []

    def reconcile(self, key: Key) -> float | None:
        pod = self.held("pods", key)
        if pod is None or pod["metadata"].get("deletionTimestamp") or phase(pod) in ("Succeeded", "Failed"):
            return None
        node = self.held("nodes", ("", pod["spec"].get("nodeName", "")))
        taints = [one for one in (node or {}).get("spec", {}).get("taints") or () if one["effect"] == "NoExecute"]
        if not taints:
            return None
        waits = [self._patience_s(pod, taint) for taint in taints]
        left = min((wait for wait in waits if wait is not None), default=None)
        if left is None:
            return None
        if left > 0:
            return left
        self.recorder.event(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key[0]}/{key[1]}")
        self._disrupt(pod)
        self.api.delete(self.api.catalogue.of_bucket("pods"), *key, DeleteOptions(), controller())
        return None

    def _patience_s(self, pod: Json, taint: Json) -> float | None:
        """Seconds the pod may stay under a taint: 0 if it doesn't tolerate it, None for ever."""
        matching = [
            one for one in pod["spec"].get("tolerations") or () if tolerates({"spec": {"tolerations": [one]}}, taint)
        ]
        if not matching:
            return 0.0
        limits: list[float] = [one["tolerationSeconds"] for one in matching if one.get("tolerationSeconds") is not None]
        if not limits:
            return None
        since = parse_time(taint["timeAdded"]) if taint.get("timeAdded") else self.api.now()
        return max(0.0, min(limits) - (self.api.now() - since).total_seconds())

    def _disrupt(self, pod: Json) -> None:
        now = stamp(self.api.now())
        new = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": now}
        new |= {"reason": "DeletionByTaintManager", "message": "Taint manager: deleting due to NoExecute taint"}
        status = pod.get("status") or {}
        self.api.write_status("pods", pod, status | {"conditions": with_condition(status.get("conditions") or [], new)})

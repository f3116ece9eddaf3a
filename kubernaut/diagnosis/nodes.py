"""Nodes that are at fault: failing hardware, Ready that flaps or stays away, pressure; and the pods that suffer from it.

The kubelet's conditions and those of node-problem-detector are read as types and reasons; events of the node only count
when a component of the node or the control plane recorded them.
"""

from collections.abc import Iterable
from datetime import datetime

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding
from kubernaut.domain.facts import Object, controller_of
from kubernaut.domain.resources import ResourceRef

from .case import Case
from .confidence import Rests, confidence
from .hardware import broken_parts, by_a_component, hardware_events
from .objects import alive, condition, containers_of, event_time, pod_ready
from .units import moment, spoken
from .words import event_fact, fact, many, plain

_OWN_TROUBLE = (
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "CreateContainerConfigError",
    "CreateContainerError",
)
FLAPS = 3
_JOINING_S = 180.0
"""A node that has just joined is not ready until its network plugin runs on it."""
HARDWARE_EVENTS = 3
_TOGETHER_S = 90.0


def sick_node(case: Case) -> list[Finding]:
    """What is wrong with the target when it is a node, or with the nodes whose pods of the target are not ready."""
    if case.snapshot.target.kind == "Node":
        root = case.snapshot.root
        return [] if root is None else _judge(case, root, case.pods)
    hurt: dict[str, list[Object]] = {}
    for pod in (*case.pods, *case.leaving):
        if not pod_ready(pod) and (node := case.node_of(pod)) is not None and node_to_blame(case, pod):
            hurt.setdefault(node["metadata"]["name"], []).append(pod)
    found = []
    for name, pods in hurt.items():
        found += _judge(case, case.nodes[name], pods)
    return found


def node_at_fault(case: Case, pod: Object) -> bool:
    """Whether the pod's node explains that the pod is not ready."""
    node = case.node_of(pod)
    return node is not None and node["metadata"]["name"] in faulty_nodes(case)


def node_to_blame(case: Case, pod: Object) -> bool:
    """Whether the pod's trouble is the node's doing rather than its own.

    A container that crashes or can't start has a reason of its own, unless the node's hardware fails and the same
    workload serves on another node.
    """
    if not node_at_fault(case, pod):
        return False
    node = case.node_of(pod)
    if node is None or not any(c.waiting in _OWN_TROUBLE or case.crashing(c) for c in containers_of(pod)):
        return True
    elsewhere = [p for p in case.siblings if pod_ready(p) and case.node_of(p) is not node]
    return bool(broken_parts(node)) and bool(elsewhere)


def faulty_nodes(case: Case) -> set[str]:
    """Names of the nodes that explain why pods on them are not ready; worked out once for a case."""
    return case.once("faulty nodes", lambda: {name for name, node in case.nodes.items() if _faulty(case, node)})


def _faulty(case: Case, node: Object) -> bool:
    away = (
        condition(node, "Ready").get("status") != "True"
        or condition(node, "NetworkUnavailable").get("status") == "True"
    )
    return away or bool(broken_parts(node)) or _flaps(case, node) >= FLAPS


def _judge(case: Case, node: Object, pods: list[Object]) -> list[Finding]:
    for rule in (_failing_hardware, _flapping, _not_ready, _no_network):
        if found := rule(case, node, pods):
            return found
    return []


def _failing_hardware(case: Case, node: Object, pods: list[Object]) -> list[Finding]:
    parts, events = broken_parts(node), hardware_events(case, node)
    times = sum(map(case.times, events))
    if not parts and times < HARDWARE_EVENTS:
        return []
    what = (
        f"{parts[0]['type']} ({plain(parts[0].get('reason', ''), 60)})"
        if parts
        else f"{times} hardware errors in its events"
    )
    cordoned = bool((node.get("spec") or {}).get("unschedulable"))
    to_move = _to_move(case, node)
    nothing_left = cordoned and not to_move
    return [
        Finding(
            target=node_ref(case, node),
            failure_class=parts[0]["type"] if parts else "NodeHardwareFailing",
            cause=f"Node {node['metadata']['name']} is failing: {what}; {many(len(to_move), 'pod')} would have to move.",
            confidence=confidence(
                Rests.DIRECT if parts else Rests.INDIRECT,
                supports=sum((len(parts) > 1, bool(events), condition(node, "Ready").get("status") != "True")),
                missing=case.lacks("events") if not parts else 0,
            ),
            evidence=(
                *(condition_fact(node, part["type"]) for part in parts[:3]),
                *(event_fact(event) for event in newest(events)[:3]),
                condition_fact(node, "Ready"),
            ),
            immediate=None
            if nothing_left
            else ActionProposal(
                "drain-node",
                node_ref(case, node),
                {},
                "Its pods start again on healthy nodes before it takes them down.",
            ),
            alternatives=("the node is cordoned and empty already: its hardware has to be replaced",)
            if nothing_left
            else ("cordoning alone would leave the pods on the failing node",),
        )
    ]


def _flapping(case: Case, node: Object, pods: list[Object]) -> list[Finding]:
    flaps = _flaps(case, node)
    told = "flap" in case.snapshot.signal.lower() and case.snapshot.target.kind == "Node"
    unready = condition(node, "Ready").get("status") != "True"
    if flaps < (1 if told else FLAPS) and not (told and unready):
        return []
    together = _changed_together(case, node)
    return [
        Finding(
            target=node_ref(case, node),
            failure_class="NodeFlapping",
            cause=f"Node {node['metadata']['name']} flaps: "
            + (
                f"it went NotReady {many(flaps, 'time')} lately"
                if flaps
                else "its alert says so and it is NotReady now"
            )
            + f"{_because(node)}"
            + (f"; {_also(together)}: look first at what they share." if together else "."),
            confidence=confidence(
                Rests.DIRECT if flaps >= FLAPS or (told and flaps) else Rests.INDIRECT,
                supports=sum((told, flaps > FLAPS, unready)),
                contradictions=bool(together),
            ),
            evidence=(
                condition_fact(node, "Ready"),
                *(event_fact(event) for event in newest(_not_ready_events(case, node))[:3]),
                *(condition_fact(other, "Ready") for other in together[:2]),
                *_suffering(pods),
            ),
            immediate=_cordon(
                case, node, "Nothing new is scheduled on it, so it can catch up, and its pods stay where they are."
            ),
            alternatives=(
                *(
                    ("the control plane or the network between: many nodes at once are rarely broken",)
                    if together
                    else ()
                ),
                "failing hardware: no condition and fewer than three events of the node speak of it",
            ),
        )
    ]


def _not_ready(case: Case, node: Object, pods: list[Object]) -> list[Finding]:
    ready = condition(node, "Ready")
    at = moment(ready.get("lastTransitionTime"))
    age_s = case.age_s(at)
    if ready.get("status") == "True" or not ready or at is None or age_s is None or age_s < case.steady_s:
        return []
    if _joining(case, node, at):
        return []
    lost = ready.get("status") == "Unknown"
    said = "stopped posting its status" if lost else "says that it is not ready"
    return [
        Finding(
            target=node_ref(case, node),
            failure_class="NodeNotReady",
            cause=f"Node {node['metadata']['name']} {said} since {spoken(case.now - at)}{_because(node)}; "
            f"{many(len(pods), 'pod')} suffer{'s' if len(pods) == 1 else ''} from it.",
            confidence=confidence(
                Rests.INDIRECT, supports=sum((lost, bool(_suffering(pods)), bool(_not_ready_events(case, node))))
            ),
            evidence=(
                condition_fact(node, "Ready"),
                *(event_fact(event) for event in newest(_not_ready_events(case, node))[:2]),
                *_suffering(pods),
            ),
            immediate=_cordon(case, node, "When it comes back it takes no new pods until somebody has looked at it."),
            alternatives=(
                "the network between node and control plane is cut: its pods may still serve",
                "the kubelet or the container runtime was stopped for maintenance",
            ),
        )
    ]


def _no_network(case: Case, node: Object, pods: list[Object]) -> list[Finding]:
    told = condition(node, "NetworkUnavailable")
    at = moment(told.get("lastTransitionTime"))
    age_s = case.age_s(at)
    life_s = case.age_s(moment(node["metadata"].get("creationTimestamp")))
    if told.get("status") != "True" or age_s is None or age_s < case.steady_s or (life_s or _JOINING_S) < _JOINING_S:
        return []
    return [
        Finding(
            target=node_ref(case, node),
            failure_class="NetworkUnavailable",
            cause=f"Node {node['metadata']['name']} has no network for its pods "
            f"({plain(told.get('reason', ''), 60)}: {plain(told.get('message', ''), 120)}).",
            confidence=confidence(Rests.INDIRECT, supports=bool(_suffering(pods))),
            evidence=(condition_fact(node, "NetworkUnavailable"), *_suffering(pods)),
            immediate=_cordon(case, node, "Nothing new is scheduled where it could not be reached."),
            alternatives=("a network plugin that forgot to take the condition back: its pods may serve",),
        )
    ]


def _joining(case: Case, node: Object, since: datetime) -> bool:
    """Whether the node has just come and was never ready: its Ready condition is as old as itself."""
    created = moment(node["metadata"].get("creationTimestamp"))
    life_s = case.age_s(created)
    if created is None or life_s is None or life_s >= _JOINING_S or _not_ready_events(case, node):
        return False
    return (since - created).total_seconds() <= 2


def _flaps(case: Case, node: Object) -> int:
    """How often the node became NotReady lately; kubelet and node controller both tell, so the louder one counts."""
    by_source: dict[str, int] = {}
    for event in _not_ready_events(case, node):
        source = str((event.get("source") or {}).get("component") or event.get("reportingComponent") or "")
        by_source[source] = by_source.get(source, 0) + case.times(event)
    rebooted = sum(case.times(e) for e in case.events(node) if e.get("reason") == "Rebooted")
    return max([*by_source.values(), rebooted, 0])


def _changed_together(case: Case, node: Object) -> list[Object]:
    """The other nodes whose Ready turned in the same minutes, if they are half of all: then no single one is at fault.

    A node that has just come turned for that reason alone.
    """
    at = moment(condition(node, "Ready").get("lastTransitionTime"))
    others = [other for name, other in case.nodes.items() if name != node["metadata"]["name"]]
    if at is None or not case.recently(at) or not others:
        return []
    times = [(other, moment(condition(other, "Ready").get("lastTransitionTime"))) for other in others]
    alike = [
        other
        for other, when in times
        if when is not None and abs((at - when).total_seconds()) <= _TOGETHER_S and not _came_at(other, when)
    ]
    return alike if len(alike) >= 2 and 2 * len(alike) >= len(others) else []


def _came_at(node: Object, when: datetime) -> bool:
    created = moment(node["metadata"].get("creationTimestamp"))
    return created is not None and (when - created).total_seconds() < _JOINING_S


def _also(nodes: list[Object]) -> str:
    return f"{many(len(nodes), 'other node')} became ready or unready in the same minutes"


def _not_ready_events(case: Case, node: Object) -> list[Object]:
    return [e for e in case.events(node) if e.get("reason") == "NodeNotReady" and by_a_component(e)]


def newest(events: Iterable[Object]) -> list[Object]:
    """Events, the newest first."""
    return sorted(events, key=lambda event: str(event_time(event)), reverse=True)


def _to_move(case: Case, node: Object) -> list[Object]:
    """Pods that a drain would evict: not those of DaemonSets, not mirror pods."""
    return [
        pod
        for pod in case.snapshot.of_kind("Pod")
        if (pod.get("spec") or {}).get("nodeName") == node["metadata"]["name"]
        and alive(pod)
        and (controller_of(pod) or {}).get("kind") not in ("DaemonSet", "Node")
    ]


def _suffering(pods: list[Object]) -> list[Evidence]:
    unready = [pod for pod in pods if not pod_ready(pod)]
    told = [(pod, moment(condition(pod, "Ready").get("lastTransitionTime"))) for pod in unready]
    return [fact(pod, "status.conditions[Ready].status", "False", at) for pod, at in told[:3]]


def condition_fact(node: Object, kind: str) -> Evidence:
    """One condition of a node as evidence."""
    told = condition(node, kind)
    said = f"{told.get('status', 'not told')}: {told.get('reason', '')}: {told.get('message', '')}"
    return fact(node, f"status.conditions[{kind}].status", said, moment(told.get("lastTransitionTime")))


def _because(node: Object) -> str:
    """The kubelet's reason; its message, too, where it says what is not ready."""
    ready = condition(node, "Ready")
    reason, message = plain(ready.get("reason", ""), 60), plain(ready.get("message", ""), 160)
    if ready.get("status") == "False" and message:
        return f" ({reason}: {message})" if reason else f" ({message})"
    return f" ({reason})" if reason and reason != "KubeletReady" else ""


def _cordon(case: Case, node: Object, why: str) -> ActionProposal | None:
    if (node.get("spec") or {}).get("unschedulable"):
        return None
    return ActionProposal("cordon-node", node_ref(case, node), {}, why)


def node_ref(case: Case, node: Object) -> ResourceRef:
    """A node's name."""
    return ResourceRef(case.snapshot.target.cluster, "Node", node["metadata"]["name"])

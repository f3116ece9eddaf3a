"""A node that runs short of memory, disk space or process ids, and what its pods suffer from that.

The kubelet tells of it three ways: a condition that stays, pods that it evicts, and SystemOOM when the kernel killed outside of
any container's limit. A container that died of it is not to blame, and neither is its limit.
"""

import re

from kubernaut.domain.analysis import Evidence, Finding
from kubernaut.domain.facts import Object

from .case import Case
from .confidence import Rests, confidence
from .memory import limit_suspected, node_ran_out
from .nodes import condition_fact, newest, node_ref
from .objects import Container, condition, event_time, no_space_left
from .units import moment
from .words import event_fact, fact, many, plain, quoted

PRESSURES = {"MemoryPressure": "memory", "DiskPressure": "disk space", "PIDPressure": "process ids"}
_EVICTED_FOR = (
    ("MemoryPressure", re.compile(r"low on resource: memory|MemoryPressure", re.I)),
    (
        "DiskPressure",
        re.compile(r"low on resource: (?:\[?ephemeral-storage|nodefs|imagefs|disk|inodes)|DiskPressure", re.I),
    ),
    ("PIDPressure", re.compile(r"low on resource: pids?|PIDPressure", re.I)),
)
_SCRATCH = re.compile(
    r"exceed\w* (?:its|the) (?:total )?(?:local )?(?:ephemeral|limit)|EmptyDir volume .* exceeds|ephemeral.* exceeds",
    re.I,
)
_TAINT = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
}


def short_node(case: Case) -> list[Finding]:
    """Nodes that run short of something, when the target is one of them or its pods suffer from it."""
    if case.snapshot.target.kind == "Node":
        root = case.snapshot.root
        if root is None:
            return []
        found = [_pressed(case, root, kind, []) for kind in _pressures(root)]
        killed = _system_kills(case, root)
        return found + ([_out_of_memory(case, root, killed, [])] if killed and not _pressures(root) else [])
    return [*_evictions(case), *_kills(case), *_full(case), *_own_scratch(case)]


def _pressures(node: Object) -> list[str]:
    return [kind for kind in PRESSURES if condition(node, kind).get("status") == "True"]


def _evictions(case: Case) -> list[Finding]:
    """Pods of the target that were evicted lately, or wait because of that, while their node is still short."""
    hurt: dict[tuple[str, str], list[Object]] = {}
    for pod in case.evicted:
        said = str((pod.get("status") or {}).get("message", ""))
        name = str((pod.get("spec") or {}).get("nodeName", ""))
        for kind, words in _EVICTED_FOR:
            if words.search(said) and name in case.nodes and kind in _pressures(case.nodes[name]):
                hurt.setdefault((name, kind), []).append(pod)
    for pod in case.pods:
        said = str(condition(pod, "PodScheduled").get("message", ""))
        for kind, taint in _TAINT.items():
            if condition(pod, "PodScheduled").get("status") == "False" and taint in said:
                for name in (n for n, node in case.nodes.items() if kind in _pressures(node)):
                    hurt.setdefault((name, kind), []).append(pod)
    return [_pressed(case, case.nodes[name], kind, pods) for (name, kind), pods in hurt.items()]


def _pressed(case: Case, node: Object, kind: str, pods: list[Object]) -> Finding:
    name = node["metadata"]["name"]
    told = [e for e in case.snapshot.of_kind("Event") if e.get("reason") in ("Evicted", "EvictionThresholdMet")]
    mine = [e for e in told if case.recently(event_time(e)) and (_host(e) == name or _about(e, name))]
    suffering = f"; {many(len(pods), 'pod')} of {case.owner.name} {'suffers' if len(pods) == 1 else 'suffer'}"
    return Finding(
        target=node_ref(case, node),
        failure_class=kind,
        cause=f"Node {name} runs short of {PRESSURES[kind]}; its kubelet evicts pods{suffering if pods else ''}.",
        confidence=confidence(Rests.DIRECT, supports=bool(mine) + bool(pods)),
        evidence=(
            condition_fact(node, kind),
            *(_evicted(case, pod) for pod in pods[:3]),
            *(event_fact(event) for event in newest(mine)[:2]),
        ),
        alternatives=("the kubelet taints the node itself, so cordoning it would add nothing",),
    )


def _kills(case: Case) -> list[Finding]:
    """Containers of the target that the kernel killed because their node had no memory left."""
    hurt: dict[str, list[Container]] = {}
    for container in case.containers:
        _, end = container.last_end
        lately = end.get("reason") == "OOMKilled" and case.recently(moment(end.get("finishedAt")))
        if lately and node_ran_out(case, container):
            hurt.setdefault(str(container.pod["spec"].get("nodeName")), []).append(container)
    return [
        _out_of_memory(case, case.node_called(name), [e for c in containers for e in node_ran_out(case, c)], containers)
        for name, containers in hurt.items()
    ]


def _out_of_memory(case: Case, node: Object, events: list[Object], containers: list[Container]) -> Finding:
    name = node["metadata"]["name"]
    names = ", ".join(dict.fromkeys(c.name for c in containers[:3]))
    pressed = "MemoryPressure" in _pressures(node)
    return Finding(
        target=node_ref(case, node),
        failure_class="MemoryPressure" if pressed else "SystemOOM",
        cause=f"Node {name} ran out of memory and its kernel killed"
        + (
            f" container {plain(names, 80)} of {case.owner.name}: the container's limit is not what it met."
            if containers
            else " processes outside of any container's limit."
        ),
        confidence=confidence(
            Rests.DIRECT if pressed or len(events) > 1 else Rests.INDIRECT,
            supports=pressed,
            missing="status" not in node,
            contradictions=any(limit_suspected(case, c) for c in containers),
        ),
        evidence=(
            *(event_fact(event) for event in newest(events)[:2]),
            *((condition_fact(node, "MemoryPressure"),) if condition(node, "MemoryPressure") else ()),
            *(
                fact(c.pod, f"{c.last_end[0]}.reason", "OOMKilled", moment(c.last_end[1].get("finishedAt")))
                for c in containers[:3]
            ),
        ),
        alternatives=(
            "the pods on it ask for less memory than they use: compare requests with use before adding nodes",
        ),
    )


def _full(case: Case) -> list[Finding]:
    """Containers of the target that can't be made because their node's disk is full."""
    hurt: dict[str, list[Container]] = {}
    for container in case.containers:
        name = str((container.pod.get("spec") or {}).get("nodeName") or "")
        if name and container.waiting and _no_space(case, container):
            hurt.setdefault(name, []).append(container)
    return [
        Finding(
            target=node_ref(case, case.node_called(name)),
            failure_class="DiskPressure",
            cause=f"Node {name} has no space left on its disk, so container {containers[0].name} of "
            f"{many(len(containers), 'pod')} can't start.",
            confidence=confidence(Rests.DIRECT, supports=len(containers) > 1, contradictions=len(hurt) > 1),
            evidence=(
                *(fact(c.pod, f"{c.path}.state.waiting", f"{c.waiting}: {_no_space(case, c)}") for c in containers[:2]),
                *((condition_fact(case.nodes[name], "DiskPressure"),) if name in case.nodes else ()),
            ),
            alternatives=("the image: the registry gave it, the node could not store it",),
        )
        for name, containers in hurt.items()
    ]


def _own_scratch(case: Case) -> list[Finding]:
    """Pods of the target that were evicted again and again because they exceeded their own scratch space."""
    told = [(pod, str((pod.get("status") or {}).get("message", ""))) for pod in case.evicted]
    mine = [(pod, said) for pod, said in told if _SCRATCH.search(said)]
    if len(mine) < 2:
        return []
    return [
        Finding(
            target=case.owner,
            failure_class="Evicted",
            cause=f"{many(len(mine), 'pod')} of {case.owner.name} were evicted lately: {quoted(mine[-1][1], 160)}",
            confidence=confidence(Rests.INDIRECT, supports=len(mine) > 2),
            evidence=tuple(_evicted(case, pod) for pod, _ in mine[-3:]),
            alternatives=("the node's disk: the kubelet says that the pod exceeded its own limit",),
        )
    ]


def _no_space(case: Case, container: Container) -> str:
    told = [str(e.get("message", "")) for e in case.events(container.pod) if e.get("reason") == "Failed"]
    return no_space_left(container, told)


def _system_kills(case: Case, node: Object) -> list[Object]:
    return [e for e in case.events(node) if e.get("reason") == "SystemOOM"]


def _evicted(case: Case, pod: Object) -> Evidence:
    status = pod.get("status") or {}
    if status.get("reason") == "Evicted":
        return fact(pod, "status.reason", f"Evicted: {status.get('message', '')}", case.evicted_at(pod))
    told = condition(pod, "PodScheduled")
    return fact(
        pod, "status.conditions[PodScheduled].message", told.get("message", ""), moment(told.get("lastTransitionTime"))
    )


def _host(event: Object) -> str:
    return str((event.get("source") or {}).get("host") or event.get("reportingInstance") or "")


def _about(event: Object, name: str) -> bool:
    about = event.get("involvedObject") or {}
    return about.get("kind") == "Node" and about.get("name") == name

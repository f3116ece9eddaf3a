"""Everything at once: which objects of a cluster look unwell, and what is wrong with them, the worst first.

Most of a cluster is well, so only what shows a sign of trouble is asked the rules; nodes are always asked. One cause that many
workloads suffer from is told once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from kubernaut.domain.analysis import Finding
from kubernaut.domain.facts import Object, Snapshot, controller_of, ref_of
from kubernaut.domain.resources import ResourceRef

from .analyst import ODD, ranked
from .objects import alive, condition, containers_of, pod_ready
from .units import moment
from .words import many

EVERYTHING = "Cluster"
"""The kind of the target that means a whole cluster; `Namespace` means one namespace."""
_LATELY_S = 86400.0
_OWNERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
Judge = Callable[[Snapshot], tuple[tuple[Finding, ...], tuple[str, ...]]]


def survey(snapshot: Snapshot, judge: Judge) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Findings about everything in a snapshot, best first, and one line for each object that was looked at closely.

    Args:
        snapshot: its target is of the kind `Cluster` or `Namespace`.
        judge: the analyst, as `RulesAnalyst().judge`.
    """
    parts, on_node = _by_namespace(snapshot), _by_node(snapshot)
    found: list[Finding] = []
    looked: list[str] = []
    asked = unwell(snapshot)
    for ref in asked:
        objects = parts[ref.namespace] if ref.namespace else [*parts[""], *on_node.get(ref.name, ())]
        logs = {key: text for key, text in snapshot.logs.items() if ref.namespace in ("", key.namespace)}
        findings, seen = judge(replace(snapshot, target=ref, objects=tuple(objects), logs=logs))
        found += findings
        looked += [] if findings or ref.kind == "Node" else seen[:1]
    return merged(found), (_counted(snapshot, asked), *looked)


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each failure of each object once, as the surest of its findings tells it; best first."""
    best: dict[tuple[ResourceRef, str], Finding] = {}
    for finding in findings:
        key = (finding.target, finding.failure_class)
        if key not in best or finding.confidence > best[key].confidence:
            best[key] = finding
    return ranked(list(best.values()))


def unwell(snapshot: Snapshot) -> list[ResourceRef]:
    """Objects to ask about: every node, and the top owners of whatever shows a sign of trouble, in the order of names."""
    cluster = snapshot.target.cluster
    uids = {o["metadata"].get("uid"): o for o in snapshot.objects if o["kind"] in _OWNERS}
    found: dict[ResourceRef, None] = {}
    for node in snapshot.of_kind("Node"):
        found[ref_of(node, cluster)] = None
    for item in _suspects(snapshot):
        with suppress(*ODD):
            found[ref_of(_top(item, uids), cluster)] = None
    asked = [ref for ref in found if all(isinstance(part, str) for part in (ref.namespace, ref.kind, ref.name))]
    return sorted(asked, key=lambda ref: (ref.kind != "Node", ref.namespace, ref.kind, ref.name))


def _suspects(snapshot: Snapshot) -> Iterator[Object]:
    for pod in snapshot.of_kind("Pod"):
        with suppress(*ODD):
            if _pod_suspect(pod, snapshot.taken_at):
                yield pod
    for kind in _OWNERS:
        for item in snapshot.of_kind(kind):
            with suppress(*ODD):
                if _lacking(item) or condition(item, "ReplicaFailure").get("status") == "True":
                    yield item


def _pod_suspect(pod: Object, now: datetime) -> bool:
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp") or status.get("phase") == "Succeeded":
        return False
    if not alive(pod):
        told = [moment(c.get("lastTransitionTime")) for c in status.get("conditions") or ()]
        ends = [moment(c.last_end[1].get("finishedAt")) for c in containers_of(pod)]
        return _lately(max((at for at in (*told, *ends) if at), default=None), now)
    if not pod_ready(pod):
        return True
    return any(c.restarts and _lately(moment(c.last_end[1].get("finishedAt")), now) for c in containers_of(pod))


def _lacking(item: Object) -> bool:
    """Whether a controller has fewer pods ready than it wants, or a Job has failed."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    if item["kind"] == "Job":
        return condition(item, "Failed").get("status") == "True"
    wanted = spec.get("replicas", status.get("desiredNumberScheduled", 0))
    ready = status.get("readyReplicas", status.get("numberReady", 0))
    return int(ready or 0) < int(1 if wanted is None else wanted)


def _lately(at: datetime | None, now: datetime) -> bool:
    return at is not None and (now - at).total_seconds() <= _LATELY_S


def _top(item: Object, uids: dict[str, Object]) -> Object:
    for _ in range(4):
        reference = controller_of(item)
        owner = uids.get(str(reference["uid"])) if reference else None
        if owner is None:
            break
        item = owner
    return item


def _by_namespace(snapshot: Snapshot) -> dict[str, Sequence[Object]]:
    """Each namespace's objects with everything cluster-wide and the events of nodes; these alone under no name."""
    wide: list[Object] = []
    own: dict[str, list[Object]] = {}
    for item in snapshot.objects:
        namespace = str(item["metadata"].get("namespace") or "")
        about = item.get("involvedObject") if item["kind"] == "Event" else None
        if not namespace or (isinstance(about, Mapping) and about.get("kind") == "Node"):
            wide.append(item)
        else:
            own.setdefault(namespace, []).append(item)
    return {"": wide} | {namespace: [*items, *wide] for namespace, items in own.items()}


def _by_node(snapshot: Snapshot) -> dict[str, list[Object]]:
    """The pods of each node, and what its kubelet tells of evictions."""
    found: dict[str, list[Object]] = {}
    for pod in snapshot.of_kind("Pod"):
        spec = pod.get("spec")
        if isinstance(spec, Mapping):
            found.setdefault(str(spec.get("nodeName") or ""), []).append(pod)
    for event in snapshot.of_kind("Event"):
        if event.get("reason") == "Evicted":
            source = event.get("source")
            host = (source.get("host") if isinstance(source, Mapping) else "") or event.get("reportingInstance")
            found.setdefault(str(host or ""), []).append(event)
    return found


def _counted(snapshot: Snapshot, asked: Sequence[ResourceRef]) -> str:
    kinds = {kind: sum(1 for _ in snapshot.of_kind(kind)) for kind in ("Node", "Pod")}
    workloads = sum(1 for kind in _OWNERS[:3] for _ in snapshot.of_kind(kind))
    closely = sum(1 for ref in asked if ref.kind != "Node")
    nodes, pods = many(kinds["Node"], "node"), many(kinds["Pod"], "pod")
    return f"{nodes}, {many(workloads, 'workload')} and {pods}; {many(closely, 'workload')} looked at closely"

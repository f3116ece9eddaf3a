"""Out of memory: the kernel killed a container at its limit, and the kubelet says so in its last end.

Exit code 137 alone is only SIGKILL (a failed liveness probe, a drain, an operator), so it counts for nothing here.
"""

from datetime import datetime

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding
from kubernaut.domain.facts import Object

from .case import Case
from .changes import changed
from .confidence import Rests, confidence
from .objects import Container, container_of, event_times, killed_at_start
from .units import binary_size, moment, size_bytes, spoken
from .words import event_fact, fact, many, plain

_CALM_S = 600.0
_CHRONIC_S = 86400.0
_CHRONIC_KILLS = 3


def out_of_memory(case: Case) -> list[Finding]:
    """Containers that ran out of memory lately, one finding for each container name of the workload."""
    killed: dict[tuple[str, bool], list[Container]] = {}
    for container in case.containers:
        if _killed(case, container) and not _raised_since(case, container):
            killed.setdefault((container.name, container.init), []).append(container)
    return [_finding(case, containers) for containers in killed.values()]


def _killed(case: Case, container: Container) -> bool:
    _, end = container.last_end
    if killed_at_start(container):
        return case.present(container)
    if end.get("reason") != "OOMKilled" or (node_ran_out(case, container) and not limit_suspected(case, container)):
        return False
    return case.present(container) or _chronic(case, container)


def _chronic(case: Case, container: Container) -> bool:
    """It was killed hours ago, and so often before that the next time is due: a leak that fills the limit slowly."""
    age_s = case.age_s(moment(container.last_end[1].get("finishedAt")))
    life_s = case.age_s(moment(container.pod["metadata"].get("creationTimestamp")))
    if age_s is None or life_s is None or container.restarts < _CHRONIC_KILLS or age_s > _CHRONIC_S:
        return False
    return age_s <= 2 * life_s / container.restarts


def _survived(case: Case, container: Container) -> bool:
    """It has been serving again for a while: restarting everything now would hurt more than it helps."""
    age_s = case.age_s(case.started(container))
    return container.ready and container.running and age_s is not None and age_s > _CALM_S


def _raised_since(case: Case, container: Container) -> bool:
    """The workload asks for more by now, so this pod only has not been replaced yet."""
    wanted = size_bytes(_limit(case, container.name))
    had = size_bytes(container.limit("memory"))
    return wanted is not None and had is not None and wanted > had


def _limit(case: Case, name: str) -> str | None:
    limits = (container_of(case.template, name).get("resources") or {}).get("limits") or {}
    return None if limits.get("memory") is None else str(limits["memory"])


def _finding(case: Case, containers: list[Container]) -> Finding:
    first = max(containers, key=lambda c: c.restarts)
    limit = first.limit("memory")
    if size_bytes(limit) is None:
        return _without_limit(case, containers, first)
    before = _higher_before(case, first.name, limit)
    node_events = [e for c in containers for e in _node_out_of_memory(case, c)]
    restarts = sum(c.restarts for c in containers)
    unread = 2 * bool(case.owner.kind in ("Deployment", "ReplicaSet") and before is None and case.lacks("replicaset"))
    survived = all(_survived(case, c) for c in containers)
    tiny = all(killed_at_start(c) for c in containers)
    permanent = _raise(case, first, before)
    supports = sum((restarts >= 2, len(containers) > 1, before is not None))
    sure = confidence(
        Rests.DIRECT,
        supports=supports,
        contradictions=bool(node_events) + survived,
        missing=max(bool(case.lacks("events")), unread),
    )
    return Finding(
        target=case.owner,
        failure_class="OOMKilled",
        cause=_cause(case, containers, first, limit),
        confidence=sure,
        evidence=(
            *_ends(containers),
            *_limits(first),
            *changed(case, first.name, "resources"),
            *map(event_fact, node_events[:1]),
        ),
        immediate=None if survived or tiny else _restart(case, containers),
        permanent=permanent,
        urgent=tiny and permanent is not None,
        alternatives=(*_alternatives(node_events, before), *_maker(case)),
    )


def _cause(case: Case, containers: list[Container], first: Container, limit: str | None) -> str:
    restarts = sum(c.restarts for c in containers)
    where = "" if len(containers) == 1 else f" in {many(len(containers), 'pod')}"
    often = f"; {many(restarts, 'restart')}" if restarts else ""
    begun = min((at for c in containers if (at := moment(c.pod["metadata"].get("creationTimestamp")))), default=None)
    span = f" in {spoken(case.now - begun)}" if begun and often else ""
    kind = "Init container" if first.init and not first.sidecar else "Container"
    if killed_at_start(first):
        return (
            f"{kind} {first.name} can't begin{where}: its memory limit of {limit} is too small for that{often}{span}."
        )
    return f"{kind} {first.name} ran out of its {limit} memory{where}{often}{span}."


def _ends(containers: list[Container]) -> list[Evidence]:
    found = []
    for container in containers[:3]:
        field, end = container.last_end
        value = f"{end.get('reason', '')}, exit code {end.get('exitCode', '?')}, restarts {container.restarts}"
        found.append(fact(container.pod, f"{field}.reason", value, moment(end.get("finishedAt"))))
    return found


def _limits(container: Container) -> list[Evidence]:
    field = f"spec.containers[{container.name}].resources.limits.memory"
    return [fact(container.pod, field, container.limit("memory") or "none")]


def _higher_before(case: Case, name: str, limit: str | None) -> str | None:
    """The limit of the newest earlier revision that had another one, if that was higher."""
    now = size_bytes(limit) or 0
    for revision in case.revisions[1:]:
        earlier = ((revision.container(name).get("resources") or {}).get("limits") or {}).get("memory")
        size = size_bytes(earlier)
        if size is not None and size != now:
            return str(earlier) if size > now else None
    return None


def _raise(case: Case, container: Container, before: str | None) -> ActionProposal | None:
    written = _limit(case, container.name)
    limit = container.limit("memory")
    size = size_bytes(written or limit)
    if size is None or case.owner.kind in ("Job", "Pod"):  # neither takes another limit: its maker has to write it
        return None
    to = before or binary_size(2 * size)
    why = "the limit it ran with before" if before else "twice what it has now; no earlier revision had more"
    return ActionProposal(
        "update-resources",
        case.owner,
        {"container": container.name, "field": "limits.memory", "from": written, "to": to},
        f"Raise the memory limit of {container.name} from {written or 'none'} to {to}: {why}.",
    )


def _restart(case: Case, containers: list[Container]) -> ActionProposal | None:
    if not case.restart or any(c.init and not c.sidecar for c in containers):
        return None
    why = "Fresh containers start with empty memory and without back-off; they serve until it fills again."
    return ActionProposal(case.restart, case.owner, {}, why)


def _node_out_of_memory(case: Case, container: Container) -> list[Object]:
    """The node itself ran out of memory at that time: then the kernel may have killed a container below its limit."""
    name = str((container.pod.get("spec") or {}).get("nodeName") or "")
    return [e for e in case.events(case.node_called(name)) if e.get("reason") == "SystemOOM"] if name else []


def node_ran_out(case: Case, container: Container) -> list[Object]:
    """Events that say that the node, not the container, ran out of memory when the kernel killed it; usually none.

    The kubelet tells SystemOOM only of kills outside of any container's limit; within two minutes of this container's
    end they are one event.
    """
    at = moment(container.last_end[1].get("finishedAt"))
    told = _node_out_of_memory(case, container)
    return [e for e in told if at is not None and any(_within(at, when) for when in event_times(e))]


def limit_suspected(case: Case, container: Container) -> bool:
    """Whether the container's limit is a likely cause even though its node ran out of memory at that time: it was
    higher before, or the container was killed more often than the node ran out."""
    limit = container.limit("memory")
    if size_bytes(limit) is None:
        return False
    kills = sum(case.times(e) for e in _node_out_of_memory(case, container))
    return _higher_before(case, container.name, limit) is not None or container.restarts > kills + 1


def _within(one: datetime, other: datetime) -> bool:
    return abs((one - other).total_seconds()) <= 120


def _without_limit(case: Case, containers: list[Container], first: Container) -> Finding:
    node = plain((first.pod.get("spec") or {}).get("nodeName", "its node"))
    return Finding(
        target=case.owner,
        failure_class="OOMKilled",
        cause=f"Container {first.name} has no memory limit and was killed when memory ran out on {node}.",
        confidence=confidence(Rests.INDIRECT, missing=case.lacks("node", "events")),
        evidence=(*_ends(containers), *_limits(first), *changed(case, first.name, "resources")),
        immediate=_restart(case, containers),
        alternatives=("another pod may have used up the node's memory: look at the node before setting a limit",),
    )


def _maker(case: Case) -> tuple[str, ...]:
    if case.operator:
        return (f"{case.operator} writes this workload: the limit has to change there, or it is put back",)
    if case.owner.kind in ("Job", "Pod"):
        return (f"a {case.owner.kind} keeps the limit that it was made with: make it anew with more",)
    return ()


def _alternatives(node_events: list[Object], before: str | None) -> tuple[str, ...]:
    leak = "a memory leak: a higher limit then only buys time; watch whether use keeps growing after the fix"
    node = "the node ran out of memory" + (
        f": it did ({event_fact(node_events[0]).field}), so the limit may be innocent"
        if node_events
        else ": no SystemOOM was seen, and the container was killed at its own limit"
    )
    return (node, leak) if before is None else (node,)

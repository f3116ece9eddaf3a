"""What was looked at, one line each: the escalation's text when nothing was found, so that a person need not start over."""

from kubernaut.domain.facts import Object

from .case import Case
from .changes import last_change
from .objects import condition, event_count, event_time, name_of
from .units import moment, spoken
from .words import many, plain


def looked_at(case: Case) -> tuple[str, ...]:
    """One line for each object or group that the rules looked at; `Snapshot.missing` tells what they could not."""
    if case.snapshot.root is None:
        return (f"{case.snapshot.target} was not read",)
    lines = [_root(case)]
    lines += [_pod(case, pod) for pod in case.pods[:8]]
    if len(case.pods) > 8:
        lines.append(f"{len(case.pods) - 8} more pods")
    if change := last_change(case):
        newest, found = change
        told = "; ".join(f"{d.container} {d.field} {plain(d, 80)}" for d in found[:3]) or "no container changed"
        lines.append(f"revision {newest.number}{_ago(case, newest.object)}: {told}")
    lines += _events(case)
    if case.snapshot.logs:
        lines.append(f"logs of {many(len({(k.pod, k.container) for k in case.snapshot.logs}), 'container')}")
    return tuple(lines)


def _root(case: Case) -> str:
    root = case.snapshot.root
    if root is None:
        return ""
    if root["kind"] == "Node":
        told = condition(root, "Ready").get("status", "unknown")
        unschedulable = ", cordoned" if (root.get("spec") or {}).get("unschedulable") else ""
        return f"{name_of(root)}: Ready {told}{unschedulable}, {many(len(case.pods), 'pod')}"
    status = root.get("status") or {}
    wanted = (root.get("spec") or {}).get("replicas", status.get("desiredNumberScheduled"))
    if wanted is None:
        return f"{name_of(root)}: {status.get('phase', 'no status')}"
    ready = status.get("readyReplicas", status.get("numberReady", 0)) or 0
    return f"{name_of(root)}: {ready}/{wanted} ready"


def _pod(case: Case, pod: Object) -> str:
    status = pod.get("status") or {}
    ready = condition(pod, "Ready").get("status", "unknown")
    told = [f"{name_of(pod)}: {status.get('phase', '?')}, Ready {ready}"]
    for container in (c for c in case.containers if c.pod is pod):
        if container.waiting:
            told.append(f"{container.name} waits: {plain(container.waiting, 40)}")
        elif container.restarts:
            told.append(f"{container.name} restarted {container.restarts} times")
    return "; ".join(told)


def _events(case: Case) -> list[str]:
    about = {
        item["metadata"].get("uid") for item in (case.snapshot.root, case.workload, *case.pods) if item is not None
    }
    counts: dict[str, int] = {}
    for event in case.snapshot.of_kind("Event"):
        uid = (event.get("involvedObject") or {}).get("uid")
        if uid and uid in about and event.get("type") == "Warning" and case.recently(event_time(event)):
            reason = plain(event.get("reason", "?"), 40)
            counts[reason] = counts.get(reason, 0) + event_count(event)
    if not counts:
        return ["no warning events"]
    return [f"warning events: {', '.join(f'{reason} x{count}' for reason, count in sorted(counts.items()))}"]


def _ago(case: Case, item: Object) -> str:
    at = moment(item["metadata"].get("creationTimestamp"))
    return f", {spoken(case.now - at)} ago" if at else ""

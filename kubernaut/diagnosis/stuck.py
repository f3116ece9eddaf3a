"""Pods that never come to run, in the words of the scheduler, the controllers or the kubelet; told, never acted on.

These failures have no safe imperative cure, and what Git should say differs each time. A person gets the API's own words.
"""

from kubernaut.domain.analysis import Evidence, Finding
from kubernaut.domain.facts import Object

from .case import Case
from .commands import why_not_started
from .confidence import Rests, confidence
from .missing import absent
from .objects import Container, condition
from .units import moment
from .words import fact, many, quoted

_WAITING = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CreatePodSandboxError")


def unschedulable(case: Case) -> list[Finding]:
    """Pods that the scheduler finds no node for."""
    told = [(pod, condition(pod, "PodScheduled")) for pod in case.pods]
    stuck = [
        (pod, why)
        for pod, why in told
        if why.get("status") == "False"
        and why.get("reason") == "Unschedulable"
        and _steady(case, why.get("lastTransitionTime"))
    ]
    if not stuck:
        return []
    why = stuck[0][1]
    return [
        Finding(
            target=case.owner,
            failure_class="FailedScheduling",
            cause=f"{many(len(stuck), 'pod')} of {case.owner.name} found no node: {quoted(why.get('message', ''), 160)}",
            confidence=confidence(Rests.DIRECT, supports=len(stuck) > 1),
            evidence=tuple(_condition(p, "PodScheduled") for p, _ in stuck[:3]),
            alternatives=("nodes may be on their way, if the cluster scales itself",),
        )
    ]


def not_created(case: Case) -> list[Finding]:
    """A controller that is not allowed to create its pods: quota, admission, ServiceAccount."""
    found: list[Finding] = []
    for item in (case.workload, *(revision.object for revision in case.revisions[:1])):
        why = condition(item, "ReplicaFailure") if item is not None else {}
        if item is not None and why.get("status") == "True" and not found:
            found.append(
                Finding(
                    target=case.owner,
                    failure_class="FailedCreate",
                    cause=f"Pods of {case.owner.name} can't be created: {quoted(why.get('message', ''), 160)}",
                    confidence=confidence(Rests.DIRECT),
                    evidence=(_condition(item, "ReplicaFailure"),),
                    alternatives=("no pod exists, so there is no log and nothing to restart",),
                )
            )
    return found


def not_started(case: Case) -> list[Finding]:
    """Containers that the kubelet can't create, for a reason that no other rule knows."""
    waiting: dict[tuple[str, str], list[Container]] = {}
    for container in case.containers:
        known = bool(absent(case, container)) or bool(why_not_started(case, container))
        if container.waiting in _WAITING and case.current(container.pod) and not known:
            waiting.setdefault((container.name, container.waiting), []).append(container)
    return [
        Finding(
            target=case.owner,
            failure_class=reason,
            cause=f"Container {name} of {many(len(containers), 'pod')} can't be created: "
            f"{quoted(containers[0].waiting_message or reason, 160)}",
            confidence=confidence(Rests.HINT, supports=len(containers) > 1),
            evidence=tuple(
                fact(c.pod, f"{c.path}.state.waiting", f"{reason}: {c.waiting_message}") for c in containers[:3]
            ),
            alternatives=("a restart: the kubelet tries again by itself and is told the same",),
        )
        for (name, reason), containers in waiting.items()
    ]


def _steady(case: Case, since: object) -> bool:
    age_s = case.age_s(moment(since))
    return age_s is not None and age_s >= case.steady_s


def _condition(item: Object, kind: str) -> Evidence:
    told = condition(item, kind)
    said = f"{told.get('status', '')}: {told.get('reason', '')}: {told.get('message', '')}"
    return fact(item, f"status.conditions[{kind}].status", said, moment(told.get("lastTransitionTime")))

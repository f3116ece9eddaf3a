"""Pods that never come to run, in the words of the scheduler, the controllers or the kubelet; told, never acted on.

These failures have no safe imperative cure, and what Git should say differs each time. A person gets the API's own words, and
the object that they name: the claim that is not bound, the quota that is full.
"""

import re

from kubernaut.domain.analysis import Evidence, Finding
from kubernaut.domain.facts import Object
from kubernaut.domain.resources import ResourceRef

from .case import Case
from .commands import why_not_started
from .confidence import Rests, confidence
from .missing import absent
from .objects import Container, condition, event_time, no_space_left, pod_ready
from .symptoms import last_lines
from .units import moment, spoken
from .words import event_fact, fact, listed, many, plain, quoted

_WAITING = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CreatePodSandboxError")
_PREPARING = ("ContainerCreating", "PodInitializing")
_KEPT_BACK = ("FailedCreatePodSandBox", "FailedMount", "FailedAttachVolume", "FailedMapVolume", "NetworkNotReady")
_SICK_TAINTS = re.compile(r"node\.kubernetes\.io/(?:unreachable|not-ready|disk-pressure|memory-pressure|pid-pressure)")
_UNBOUND = re.compile(r"unbound immediate PersistentVolumeClaims|persistentvolumeclaim \"([^\"]+)\" not found", re.I)
_ACCOUNT = re.compile(r"serviceaccount \"([a-z0-9][a-z0-9.-]*)\" not found")
_QUOTA = re.compile(r"exceeded quota: ([a-z0-9][a-z0-9.-]*)")
_STATED = re.compile(
    r"runAsNonRoot|run as root|runAsUser|is not a shared mount|invalid (?:mount|capability)|not a directory", re.I
)
"""Kubelet's words that are the cause themselves, and no symptom of another one."""
_HANGS_S = 900.0
_PREPARED_S = 60.0
_STILL_S = 1200.0


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
    pod, why = stuck[0]
    message = str(why.get("message", ""))
    claims = _unbound_claims(case, pod) if _UNBOUND.search(message) else []
    coming = any(event.get("reason") == "TriggeredScaleUp" for event in case.events(pod))
    behind = f"; claim {listed(claims)} is not bound{_why_unbound(case, claims[0])}" if claims else ""
    return [
        Finding(
            target=_named(case, "PersistentVolumeClaim", claims[0]) if claims else case.owner,
            failure_class="FailedScheduling",
            cause=f"{many(len(stuck), 'pod')} of {case.owner.name} found no node{behind}: {quoted(message, 160)}",
            confidence=confidence(
                Rests.DIRECT, supports=len(stuck) > 1, contradictions=bool(_SICK_TAINTS.search(message)) + coming
            ),
            evidence=(*(_condition(p, "PodScheduled") for p, _ in stuck[:3]), *_of_claims(case, claims)),
            alternatives=("nodes are on their way, says the autoscaler",)
            if coming
            else ("nodes may be on their way, if the cluster scales itself",),
        )
    ]


def _unbound_claims(case: Case, pod: Object) -> list[str]:
    """The pod's claims that are not bound; those that were not read only when the pod has no other."""
    namespace = pod["metadata"].get("namespace", "")
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    names = [str((v.get("persistentVolumeClaim") or {}).get("claimName") or "") for v in volumes]
    named = [name for name in names if name]
    read = {name: case.snapshot.get("PersistentVolumeClaim", name, namespace) for name in named}
    unbound = [n for n, claim in read.items() if claim and (claim.get("status") or {}).get("phase") != "Bound"]
    return unbound or (named if len(named) == 1 and read[named[0]] is None else [])


def _why_unbound(case: Case, name: str) -> str:
    """What a claim waits for: its last warning, else the storage class that it asks for."""
    claim = case.snapshot.get("PersistentVolumeClaim", name, case.snapshot.target.namespace)
    if claim is None:
        return ""
    told = [e for e in case.events(claim) if e.get("type") == "Warning"]
    if told:
        last = max(told, key=lambda e: str(event_time(e)))
        return f" ({plain(last.get('message', ''), 120)})"
    asked = (claim.get("spec") or {}).get("storageClassName")
    return f" (it asks for storage class {plain(asked, 60)})" if asked else ""


def _of_claims(case: Case, claims: list[str]) -> list[Evidence]:
    found: list[Evidence] = []
    for name in claims[:2]:
        claim = case.snapshot.get("PersistentVolumeClaim", name, case.snapshot.target.namespace)
        if claim is not None:
            found.append(fact(claim, "status.phase", (claim.get("status") or {}).get("phase", "")))
            found += [event_fact(event) for event in case.events(claim)[-1:]]
    return found


def not_created(case: Case) -> list[Finding]:
    """A controller that is not allowed to create its pods: quota, admission, ServiceAccount."""
    for item in (case.workload, *(revision.object for revision in case.revisions[:1])):
        if item is None:
            continue
        why = condition(item, "ReplicaFailure")
        if why.get("status") == "True":
            return [_not_created(case, str(why.get("message", "")), _condition(item, "ReplicaFailure"))]
        told = [e for e in case.events(item) if e.get("reason") == "FailedCreate" and _still(case, e)]
        if told and _lacks_pods(case, item):
            return [_not_created(case, str(told[-1].get("message", "")), event_fact(told[-1]))]
    return []


def _not_created(case: Case, message: str, evidence: Evidence) -> Finding:
    quota, account = _QUOTA.search(message), _ACCOUNT.search(message)
    return Finding(
        target=_named(case, "ResourceQuota", quota[1])
        if quota
        else _named(case, "ServiceAccount", account[1])
        if account
        else case.owner,
        failure_class="FailedCreate",
        cause=f"Pods of {case.owner.name} can't be created"
        + (f" because quota {plain(quota[1], 60)} is exhausted" if quota else "")
        + f": {quoted(message, 200)}",
        confidence=confidence(Rests.DIRECT),
        evidence=(evidence,),
        alternatives=("the missing pods do not exist, so there is no log and nothing to restart",),
    )


def _lacks_pods(case: Case, item: Object) -> bool:
    spec, status = item.get("spec") or {}, item.get("status") or {}
    wanted = spec.get("replicas", status.get("desiredNumberScheduled", spec.get("parallelism", 1)))
    return len(case.pods) < int(1 if wanted is None else wanted)


def not_started(case: Case) -> list[Finding]:
    """Containers that the kubelet can't create, for a reason that no other rule knows."""
    waiting: dict[tuple[str, str], list[Container]] = {}
    for container in case.containers:
        known = (
            bool(absent(case, container)) or bool(why_not_started(case, container)) or bool(no_space_left(container))
        )
        if container.waiting in _WAITING and case.current(container.pod) and not known:
            waiting.setdefault((container.name, container.waiting), []).append(container)
    return [
        Finding(
            target=case.owner,
            failure_class=reason,
            cause=f"Container {name} of {many(len(containers), 'pod')} can't be created: "
            f"{quoted(containers[0].waiting_message or reason, 160)}",
            confidence=confidence(
                Rests.INDIRECT if _STATED.search(containers[0].waiting_message) else Rests.HINT,
                supports=len(containers) > 1,
            ),
            evidence=tuple(
                fact(c.pod, f"{c.path}.state.waiting", f"{reason}: {c.waiting_message}") for c in containers[:3]
            ),
            alternatives=("a restart: the kubelet tries again by itself and is told the same",),
        )
        for (name, reason), containers in waiting.items()
    ]


def kept_back(case: Case) -> list[Finding]:
    """Pods that the kubelet can't prepare a network or a volume for, as its events say."""
    held: dict[str, list[tuple[Object, Object]]] = {}
    for pod in case.pods:
        mine = [c for c in case.containers if c.pod is pod]
        waits = any(c.waiting in _PREPARING for c in mine) and not any(c.running or absent(case, c) for c in mine)
        age_s = case.age_s(moment(pod["metadata"].get("creationTimestamp")))
        told = [
            e for e in case.events(pod) if e.get("reason") in _KEPT_BACK and (_still(case, e) or _once(case, pod, e))
        ]
        if waits and told and age_s is not None and age_s >= _PREPARED_S:
            last = max(told, key=lambda e: str(event_time(e)))
            held.setdefault(str(last["reason"]), []).append((pod, last))
    return [_kept_back(case, reason, told) for reason, told in held.items()]


def _kept_back(case: Case, reason: str, told: list[tuple[Object, Object]]) -> Finding:
    nodes = {str((pod.get("spec") or {}).get("nodeName") or "") for pod, _ in told}
    serving = {str((pod.get("spec") or {}).get("nodeName") or "") for pod in case.siblings if pod_ready(pod)}
    network = reason in ("FailedCreatePodSandBox", "NetworkNotReady")
    alone = next(iter(nodes)) if network and len(nodes) == 1 and serving and not nodes & serving else ""
    what = "network sandbox" if network else "volume"
    where = f" on node {plain(alone, 60)}, while its pods on other nodes serve" if alone else ""
    return Finding(
        target=ResourceRef(case.snapshot.target.cluster, "Node", alone) if alone else case.owner,
        failure_class=reason,
        cause=f"{many(len(told), 'pod')} of {case.owner.name} gets no {what}{where}: "
        f"{quoted(told[0][1].get('message', ''), 160)}",
        confidence=confidence(Rests.INDIRECT if alone or not network else Rests.HINT, supports=len(told) > 1),
        evidence=tuple(event_fact(event) for _, event in told[:3]),
        alternatives=("a restart: the kubelet tries again by itself and is told the same",),
    )


def waits_for_init(case: Case) -> list[Finding]:
    """Pods whose init container has run for long, though nothing tells that anything is wrong with it."""
    hung: dict[str, list[Container]] = {}
    for container in case.containers:
        age_s = case.age_s(case.started(container)) if container.running else None
        if container.init and not container.sidecar and age_s is not None and age_s > _HANGS_S:
            hung.setdefault(container.name, []).append(container)
    return [
        Finding(
            target=case.owner,
            failure_class="PodInitializing",
            cause=f"Init container {name} of {many(len(containers), 'pod')} has run for "
            f"{spoken(case.now - (case.started(containers[0]) or case.now))} and does not end"
            + (f"; its last word: {quoted(lines[-1], 120)}" if (lines := last_lines(case, containers[0], 1)) else "."),
            confidence=confidence(Rests.HINT, supports=bool(lines)),
            evidence=tuple(fact(c.pod, f"{c.path}.state.running", "running", c.running_since) for c in containers[:3]),
            alternatives=("it works on something large", "it waits for something that is not there"),
        )
        for name, containers in hung.items()
    ]


def _still(case: Case, event: Object) -> bool:
    """Whether an event was told so lately that what it tells goes on; controllers repeat it every quarter of an hour."""
    age_s = case.age_s(event_time(event))
    return age_s is None or age_s <= _STILL_S


def _once(case: Case, pod: Object, event: Object) -> bool:
    """Whether it tells that a volume is attached elsewhere: that is told once, and holds until it is attached."""
    attached = [str(event_time(e)) for e in case.events(pod) if e.get("reason") == "SuccessfulAttachVolume"]
    return event.get("reason") == "FailedAttachVolume" and not any(at >= str(event_time(event)) for at in attached)


def _steady(case: Case, since: object) -> bool:
    age_s = case.age_s(moment(since))
    return age_s is not None and age_s >= case.steady_s


def _named(case: Case, kind: str, name: str) -> ResourceRef:
    return ResourceRef(case.snapshot.target.cluster, kind, name, case.snapshot.target.namespace)


def _condition(item: Object, kind: str) -> Evidence:
    told = condition(item, kind)
    said = f"{told.get('status', '')}: {told.get('reason', '')}: {told.get('message', '')}"
    return fact(item, f"status.conditions[{kind}].status", said, moment(told.get("lastTransitionTime")))

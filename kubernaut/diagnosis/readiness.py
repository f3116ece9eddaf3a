"""Pods that run and are not ready: all of them went stale, or one of them is wedged while its siblings serve.

Readiness alone is no reason to restart, so both rules ask for more: the pods were ready once (Ready turned False after the
container's start), they have been unready for a while, nothing crashes, nothing was rolled out, and their nodes are well.
"""

from datetime import datetime

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding
from kubernaut.domain.facts import Object, controller_uid, ref_of

from .case import Case
from .changes import changed
from .confidence import Rests, confidence
from .doubts import about_all, about_one
from .nodes import node_at_fault
from .objects import condition, containers_of, event_time, pod_ready
from .units import moment, spoken
from .words import event_fact, fact, listed, many

_MOST = 5


def stale_pods(case: Case) -> list[Finding]:
    """No pod of the workload is ready, though all run and once were: restart them all."""
    pods, workload = case.siblings, case.workload
    if (
        workload is None
        or not pods
        or not case.owner.kind
        or case.owner.kind not in ("Deployment", "StatefulSet", "DaemonSet")
    ):
        return []
    if any(pod_ready(pod) for pod in pods) or len(pods) < _wanted(workload) or _rolling(workload):
        return []
    if len(pods) == 1 and case.snapshot.target.kind == "Pod" and pods[0] is not case.snapshot.root:
        return []
    since = [lost_readiness(case, pod) for pod in pods]
    if not all(since) or any(node_at_fault(case, pod) for pod in pods):
        return []
    times = [at for at in since if at is not None]
    probes = _probe_failures(case, pods)
    doubts = about_all(case, pods, min(times))
    unknown_nodes = any(case.node_of(pod) is None for pod in pods)
    return [
        Finding(
            target=case.owner,
            failure_class="PodsNotReady",
            cause=f"All {many(len(pods), 'pod')} of {case.owner.name} run but lost their readiness "
            f"{spoken(case.now - max(times))} ago; nothing was rolled out and nothing crashes."
            if len(pods) > 1
            else f"The only pod of {case.owner.name} runs but lost its readiness {spoken(case.now - times[0])} ago; "
            "nothing was rolled out and it does not crash.",
            confidence=confidence(
                Rests.DIRECT,
                supports=sum((bool(probes), len(pods) > 1, _together(times))),
                contradictions=len(doubts),
                missing=case.lacks("events", "pods of") + unknown_nodes,
            ),
            evidence=(
                fact(workload, "status.readyReplicas", f"0 of {_wanted(workload)}"),
                *(_lost(pod, at) for pod, at in zip(pods[:3], since[:3], strict=True)),
                *probes[:1],
                *(doubt.evidence for doubt in doubts if doubt.evidence is not None),
                *changed(case),
            ),
            immediate=_restart(case),
            alternatives=(
                *(doubt.text for doubt in doubts),
                *(() if any(d.text.startswith("a dependency") for d in doubts) else (_unsaid(case, pods),)),
            ),
        )
    ]


def wedged_pod(case: Case) -> list[Finding]:
    """A minority of a revision's pods lost its readiness while the siblings serve: replace it."""
    if case.workload is None or case.owner.kind not in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        return []
    revisions: dict[str, list[Object]] = {}
    for pod in case.siblings:
        revisions.setdefault(controller_uid(pod), []).append(pod)
    serving = {uid: [pod for pod in pods if pod_ready(pod)] for uid, pods in revisions.items()}
    found = []
    for pod in case.pods:
        at = lost_readiness(case, pod)
        uid = controller_uid(pod)
        unready = len(revisions.get(uid, ())) - len(serving.get(uid, ()))
        minority = serving.get(uid) and (unready == 1 or unready < len(serving[uid]))
        if at is not None and minority and case.current(pod) and not node_at_fault(case, pod):
            found.append(_wedged(case, pod, at, serving[uid], unready))
    return found[:_MOST]


def lost_readiness(case: Case, pod: Object) -> datetime | None:
    """Since when a running pod that was ready is steadily unready; None if it is anything else.

    A pod that never became ready has its Ready condition from before its containers ran, so the transition tells; the
    API's times are whole seconds, so the same second proves nothing.
    """
    ready = condition(pod, "Ready")
    at = moment(ready.get("lastTransitionTime"))
    age_s = case.age_s(at)
    if ready.get("status") != "False" or at is None or age_s is None or age_s < case.steady_s:
        return None
    if (pod.get("status") or {}).get("phase") != "Running" or _gated(pod):
        return None
    main = [c for c in containers_of(pod) if not c.init]
    starts = [case.started(c) for c in main]
    if not main or not all(c.running for c in main) or any(c.waiting for c in containers_of(pod)):
        return None
    if all(c.ready for c in main) or any(s is None or at <= s for s in starts):
        return None
    crashed = [moment(c.last_end[1].get("finishedAt")) for c in main if c.last_end[1] and c.restarts]
    return None if any(end is None or end >= at for end in crashed) else at


def _wedged(case: Case, pod: Object, at: datetime, serving: list[Object], unready: int) -> Finding:
    probes = _probe_failures(case, [pod])
    doubts = about_one(case, pod, serving, at)
    events_known = not case.lacks("events")
    return Finding(
        target=ref_of(pod, case.snapshot.target.cluster),
        failure_class="PodNotReady",
        cause=f"Pod {pod['metadata']['name']} runs but lost its readiness {spoken(case.now - at)} ago, while "
        f"{many(len(serving), 'sibling')} of the same revision {'is' if len(serving) == 1 else 'are'} ready.",
        confidence=confidence(
            Rests.DIRECT if unready == 1 else Rests.INDIRECT,
            supports=sum((bool(probes), len(serving) > 1)),
            contradictions=len(doubts),
            missing=(not events_known) + (case.node_of(pod) is None),
        ),
        evidence=(
            _lost(pod, at),
            *probes[:1],
            *(fact(p, "status.conditions[Ready].status", "True") for p in serving[:2]),
            *(doubt.evidence for doubt in doubts if doubt.evidence is not None),
            *_node(case, pod),
        ),
        immediate=ActionProposal(
            "delete-pod",
            ref_of(pod, case.snapshot.target.cluster),
            {},
            f"Its {case.owner.kind} puts a fresh pod in its place; {many(len(serving), 'sibling')} go on serving.",
        ),
        alternatives=(*(doubt.text for doubt in doubts), _of_node(case, pod)),
    )


def _lost(pod: Object, at: datetime | None) -> Evidence:
    names = listed(c.name for c in containers_of(pod) if not c.init and not c.ready)
    return fact(pod, "status.conditions[Ready].status", f"False; container {names} runs and is not ready", at)


def _of_node(case: Case, pod: Object) -> str:
    if case.node_of(pod) is None:
        return "the node is at fault: it could not be read"
    return "the node is at fault: its Ready condition is True and it tells no failing hardware"


def _node(case: Case, pod: Object) -> list[Evidence]:
    node = case.node_of(pod)
    return (
        []
        if node is None
        else [fact(node, "status.conditions[Ready].status", condition(node, "Ready").get("status", ""))]
    )


def _probe_failures(case: Case, pods: list[Object]) -> list[Evidence]:
    """Recent `Unhealthy` events of the pods, the newest first."""
    told = [event for pod in pods for event in case.events(pod) if event.get("reason") == "Unhealthy"]
    return [event_fact(e) for e in sorted(told, key=lambda e: str(event_time(e)), reverse=True)]


def _unsaid(case: Case, pods: list[Object]) -> str:
    names = {pod["metadata"]["name"] for pod in pods}
    read = any(key.pod in names for key in case.snapshot.logs)
    said = "no log says so" if read else "no log was read"
    return f"a dependency that all pods need is down: a restart would not help then; {said}"


def _restart(case: Case) -> ActionProposal | None:
    if not case.restart:
        return None
    return ActionProposal(
        case.restart, case.owner, {}, "Fresh pods start without the state that the stale ones are stuck in."
    )


def _wanted(workload: Object) -> int:
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    wanted = spec.get("replicas", status.get("desiredNumberScheduled", 1))
    return int(1 if wanted is None else wanted)


def _rolling(workload: Object) -> bool:
    """Whether a template is being rolled out or was not looked at by its controller yet."""
    meta, status = workload["metadata"], workload.get("status") or {}
    if int(meta.get("generation") or 0) > int(status.get("observedGeneration") or meta.get("generation") or 0):
        return True
    updated = status.get("updatedReplicas", status.get("updatedNumberScheduled"))
    return updated is not None and int(updated) < _wanted(workload)


def _together(times: list[datetime]) -> bool:
    return (max(times) - min(times)).total_seconds() <= 60


def _gated(pod: Object) -> bool:
    """Readiness gates are somebody else's word, as a load balancer's; a restart does not change it."""
    gates = [g.get("conditionType") for g in (pod.get("spec") or {}).get("readinessGates") or ()]
    return any(condition(pod, str(gate)).get("status") != "True" for gate in gates)

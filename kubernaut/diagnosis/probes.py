"""Pods that run and never become ready: a readiness probe that asks the wrong thing, or a release that does not come up.

The kubelet says what its probe was answered. Only what a release changed, or a port that no container has, makes it a cause.
"""

import re
from dataclasses import dataclass
from typing import Any

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding
from kubernaut.domain.facts import Object

from .case import Case
from .changes import Difference, changed, last_change
from .confidence import Rests, confidence
from .images import last_good_image
from .nodes import node_at_fault
from .objects import Container, condition, containers_of, event_time, pod_ready
from .units import moment
from .words import event_fact, fact, many, plain, quoted

_PATIENCE_S = 300.0
_DEADLINE_S = 600.0
_PROBE_FIELDS = ("readinessProbe", "startupProbe", "ports")


def never_ready(case: Case) -> list[Finding]:
    """Containers of the newest revision that have run for long and were never ready."""
    waiting: dict[str, list[Container]] = {}
    for pod in case.pods:
        if case.current(pod) and not node_at_fault(case, pod):
            for container in _never_ready(case, pod):
                waiting.setdefault(container.name, []).append(container)
    return [_finding(case, containers) for containers in waiting.values()]


def _never_ready(case: Case, pod: Object) -> list[Container]:
    ready = condition(pod, "Ready")
    at = moment(ready.get("lastTransitionTime"))
    if ready.get("status") != "False" or at is None or (pod.get("status") or {}).get("phase") != "Running":
        return []
    every = [c for c in containers_of(pod) if not c.init]
    if not all(c.running for c in every):
        return []
    found = []
    for container in every:
        since = case.started(container)
        age_s = case.age_s(since)
        if container.ready or since is None or age_s is None or case.crashing(container) or at > since:
            continue
        if age_s >= _PATIENCE_S + _allowed_s(container) and container.spec.get("readinessProbe"):
            found.append(container)
    return found


def _allowed_s(container: Container) -> float:
    """How long the probes themselves allow a container to start, in seconds."""
    total = 0.0
    for name in ("startupProbe", "readinessProbe"):
        probe = container.spec.get(name) or {}
        tries = _number(probe.get("failureThreshold"), 3) * _number(probe.get("periodSeconds"), 10) if probe else 0.0
        total += _number(probe.get("initialDelaySeconds"), 0) + tries
    return total


def _finding(case: Case, containers: list[Container]) -> Finding:
    first = containers[0]
    told = _probe_events(case, containers)
    said = told[0].value if told else ""
    differences = _differences(case, first)
    probe = [d for d in differences if d.field.startswith(_PROBE_FIELDS)]
    only_image = [d.field for d in differences] == ["image"]
    image = str(first.spec.get("image", ""))
    good, proven = last_good_image(case, first.name, image) if only_image and _overdue(case, first) else ("", False)
    served = any(revision.ready for revision in case.revisions[1:])
    port = _foreign_port(first)
    explained = bool(probe) or (bool(port) and "refused" in said)
    elsewhere = any(pod_ready(p) and case.current(p) for p in case.siblings)
    return Finding(
        target=case.owner,
        failure_class="ReadinessProbeFailed",
        cause=_cause(first, len(containers), Why(probe, port, good, _answer(said))),
        confidence=confidence(
            Rests.INDIRECT if explained or (good and proven) else Rests.HINT,
            supports=sum((bool(told), len(containers) > 1, bool(probe) and served, explained and bool(port))),
            contradictions=elsewhere,
            missing=case.lacks("events"),
        ),
        evidence=(
            *(
                fact(
                    c.pod,
                    f"{c.path}.ready",
                    "False; it runs",
                    moment(condition(c.pod, "Ready").get("lastTransitionTime")),
                )
                for c in containers[:2]
            ),
            *told[:1],
            fact(first.pod, f"spec.containers[{first.name}].readinessProbe", _spoken(first)),
            *changed(case, first.name),
        ),
        permanent=_go_back(case, first, image, good) if good and proven else None,
        urgent=False,
        alternatives=_alternatives(probe, good),
    )


@dataclass(frozen=True, slots=True)
class Why:
    """What is known: what a release changed of the probe, a port that no container has, the image that served, the answer."""

    probe: list[Difference]
    port: str
    good: str
    answer: str


def _cause(first: Container, pods: int, why: Why) -> str:
    what = f"Container {first.name} of {many(pods, 'pod')} runs but never became ready: its readiness probe ({_spoken(first)})"
    if why.probe:
        what += f" was changed by the last release ({why.probe[0].field} {plain(why.probe[0], 80)})"
        return f"{what} and fails since." + (f" No container has port {why.port}." if why.port else "")
    if why.port:
        return f"{what} asks port {why.port}, which no container of the pod has."
    since = " since the last release changed its image" if why.good else ""
    if why.answer:
        return f"{what} fails{since}: {quoted(why.answer, 120)}"
    return f"{what} fails{since}." if since else f"{what} fails; why is not told."


def _answer(said: str) -> str:
    """What the probe was answered, without the kubelet's own words before it and the count behind it."""
    return re.sub(r"^(?:Readiness|Startup) probe (?:failed|errored)[^:]*:\s*|\s*\(x\d+\)$", "", said)


def _alternatives(probe: list[Difference], good: str) -> tuple[str, ...]:
    if probe:
        return (
            f"take back the change of {probe[0].field}: {plain(probe[0], 80)}",
            "a restart: the probe would fail alike",
        )
    if good:
        return ("a dependency of the new release is not there: the image may be innocent",)
    return ("it still starts: it may need longer than its probes allow", "a dependency that it waits for is not there")


def _go_back(case: Case, first: Container, image: str, good: str) -> ActionProposal:
    return ActionProposal(
        "update-image",
        case.owner,
        {"container": first.name, "from": image, "to": good},
        f"Go back to {plain(good, 120)}: its pods are ready now, and the image is all that changed.",
    )


def _overdue(case: Case, container: Container) -> bool:
    progressing = condition(case.workload, "Progressing") if case.workload is not None else {}
    age_s = case.age_s(case.started(container)) or 0.0
    return progressing.get("reason") == "ProgressDeadlineExceeded" or age_s >= _DEADLINE_S


def _differences(case: Case, container: Container) -> list[Difference]:
    change = last_change(case)
    if change is None or not case.release_to_blame:
        return []
    return [d for d in change[1] if d.container == container.name]


def _probe_events(case: Case, containers: list[Container]) -> list[Evidence]:
    told = [
        event
        for container in containers
        for event in case.events(container.pod)
        if event.get("reason") == "Unhealthy" and str(event.get("message", "")).startswith(("Readiness", "Startup"))
    ]
    return [event_fact(e) for e in sorted(told, key=lambda e: str(event_time(e)), reverse=True)]


def _foreign_port(container: Container) -> str:
    """The port that the probe asks though no container of the pod declares it; empty when they declare none at all."""
    probe = container.spec.get("readinessProbe") or {}
    asked = next((probe[how].get("port") for how in ("httpGet", "tcpSocket", "grpc") if probe.get(how)), None)
    ports = [p for c in containers_of(container.pod) for p in c.spec.get("ports") or ()]
    known = {str(p.get("containerPort")) for p in ports} | {str(p.get("name")) for p in ports}
    return str(asked) if asked is not None and ports and str(asked) not in known else ""


def _spoken(container: Container) -> str:
    probe: dict[str, Any] = container.spec.get("readinessProbe") or {}
    if get := probe.get("httpGet"):
        return plain(f"GET {get.get('path', '/')} on port {get.get('port')}", 80)
    if command := (probe.get("exec") or {}).get("command"):
        return plain(f"command {' '.join(map(str, command))}", 80)
    asked = probe.get("tcpSocket") or probe.get("grpc") or {}
    return plain(f"port {asked.get('port')}", 80)


def _number(value: object, usual: float) -> float:
    return float(value) if isinstance(value, int | float) else usual

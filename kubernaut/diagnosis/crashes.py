"""A container that crashes again and again without the API saying why: what fits in time is told, and never oversold."""

from dataclasses import dataclass

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding

from .blame import blames
from .case import Case
from .changes import Difference, changed, last_change
from .commands import why_not_started
from .confidence import Rests, confidence
from .images import last_good_image
from .nodes import node_to_blame
from .objects import Container, pod_ready
from .symptoms import Symptom, agrees, explaining, last_lines, symptom
from .units import moment
from .words import event_fact, fact, many, plain, quoted


def unexplained_crash(case: Case) -> list[Finding]:
    """Crashing containers that no other rule explains."""
    crashing: dict[str, list[Container]] = {}
    for container in case.containers:
        if case.crashing(container) and case.current(container.pod) and not _explained(case, container):
            crashing.setdefault(container.name, []).append(container)
    return [_finding(case, containers) for containers in crashing.values()]


def _explained(case: Case, container: Container) -> bool:
    _, end = container.last_end
    return (
        not end
        or end.get("reason") == "OOMKilled"
        or not case.present(container)
        or bool(why_not_started(case, container))
        or any(b.value_named and (b.nowhere or not b.unreachable) for b in blames(case, container))
        or node_to_blame(case, container.pod)
    )


def _finding(case: Case, containers: list[Container]) -> Finding:
    first = max(containers, key=lambda c: c.restarts)
    field, end = first.last_end
    differences = _since_release(case, first)
    liveness, hooks = _liveness(case, first), _hooks(case, first)
    told = None if liveness else symptom(case, first)
    fits = _probes(differences) if liveness else explaining(told, last_lines(case, first), differences)
    only_image = [d.field for d in differences] == ["image"]
    good, proven = last_good_image(case, first.name, str(first.spec.get("image", ""))) if only_image else ("", False)
    released = bool(differences) and (bool(good) or bool(fits) or _others_serve(case))
    stated = told is not None and agrees(case, first, told)
    elsewhere = any(pod_ready(p) and case.current(p) for p in case.siblings)
    return Finding(
        target=case.owner,
        failure_class="CrashLoopBackOff",
        cause=_cause(
            case, first, len(containers), Why(differences, fits, bool(liveness), told, hooks[0].value if hooks else "")
        ),
        confidence=confidence(
            Rests.INDIRECT if released or stated else Rests.HINT,
            supports=sum((proven, len(containers) > 1, bool(fits), released and stated)),
            contradictions=(bool(liveness) and not fits) + (elsewhere and released),
            missing=case.lacks("log of", "replicaset"),
        ),
        evidence=(
            fact(first.pod, f"{field}.exitCode", _said(first), moment(end.get("finishedAt"))),
            *_last_words(case, first, told),
            *liveness[:1],
            *hooks[:1],
            *changed(case, first.name),
        ),
        permanent=ActionProposal(
            "update-image",
            case.owner,
            {"container": first.name, "from": str(first.spec.get("image", "")), "to": good},
            f"Go back to {plain(good, 120)}: the image is all that changed since it ran well.",
        )
        if good
        else None,
        urgent=bool(good),
        alternatives=_alternatives(case, good, fits),
    )


@dataclass(frozen=True, slots=True)
class Why:
    """What is known about a crash: what a release changed, which of that fits, whether a probe kills it, what it says."""

    differences: list[Difference]
    fits: list[Difference]
    liveness: bool
    told: Symptom | None
    hook: str = ""


def _cause(case: Case, first: Container, pods: int, why: Why) -> str:
    what = f"Container {first.name} of {many(pods, 'pod')} crashes again and again ({_said(first)})"
    since = ""
    if why.differences:
        names = ", ".join(dict.fromkeys(d.field for d in (why.fits or why.differences)[:3]))
        since = f" since the last release changed its {plain(names, 80)}"
    if why.fits:
        since += f" ({plain(why.fits[0], 80)})"
    if why.liveness:
        return f"{what}{since}; the kubelet kills it because its liveness probe fails."
    if why.hook:
        return f"{what}{since}; the kubelet ends it because its hook after the start fails: {quoted(why.hook, 120)}"
    if why.told is not None:
        return f"{what}{since}; it {why.told.said}: {quoted(why.told.line, 120)}"
    if since:
        return f"{what}{since}."
    return f"{what}; what it says does not tell why."


def _alternatives(case: Case, good: str, fits: list[Difference]) -> tuple[str, ...]:
    found = [
        "a dependency or its data changed: the release may be innocent"
        if good
        else f"take back what the release changed: {plain(fits[0].field, 60)} {plain(fits[0], 80)}"
        if fits
        else "nothing that changed explains it",
        "a restart: it was started again several times and fails alike",
    ]
    return (*found, *((f"{case.operator} writes this workload: change it there",) if case.operator else ()))


def _others_serve(case: Case) -> bool:
    """Whether pods of an earlier revision serve in the same cluster: then the release is what differs."""
    return any(revision.ready for revision in case.revisions[1:])


def _probes(differences: list[Difference]) -> list[Difference]:
    return [d for d in differences if d.field.startswith(("livenessProbe", "startupProbe"))]


def _said(container: Container) -> str:
    _, end = container.last_end
    return plain(
        f"{end.get('reason', 'no reason')}, exit code {end.get('exitCode', '?')}, {many(container.restarts, 'restart')}"
    )


def _since_release(case: Case, container: Container) -> list[Difference]:
    """What the newest revision changed of this container, if the revision is part of the incident."""
    change = last_change(case)
    if change is None or not case.release_to_blame:
        return []
    return [d for d in change[1] if d.container == container.name]


def _liveness(case: Case, container: Container) -> list[Evidence]:
    told = [
        event
        for event in case.events(container.pod)
        if event.get("reason") == "Unhealthy" and str(event.get("message", "")).startswith(("Liveness", "Startup"))
    ]
    return [event_fact(event) for event in told]


def _hooks(case: Case, container: Container) -> list[Evidence]:
    return [event_fact(e) for e in case.events(container.pod) if e.get("reason") == "FailedPostStartHook"]


def _last_words(case: Case, container: Container, told: Symptom | None) -> list[Evidence]:
    lines = [told.line] if told else last_lines(case, container)[-1:]
    at = moment(container.last_end[1].get("finishedAt"))
    return [fact(container.pod, f"log[{container.name}]", line, at) for line in lines]

"""A container that crashes again and again without the API saying why: what fits in time is told, and never oversold."""

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding

from .case import Case
from .changes import Difference, changed, last_change
from .commands import why_not_started
from .confidence import Rests, confidence
from .images import last_good_image
from .nodes import node_to_blame
from .objects import Container
from .units import moment
from .values import blames
from .words import event_fact, fact, many, plain


def unexplained_crash(case: Case) -> list[Finding]:
    """Crashing containers that no other rule explains."""
    crashing: dict[str, list[Container]] = {}
    for container in case.containers:
        if container.crashing and case.current(container.pod) and not _explained(case, container):
            crashing.setdefault(container.name, []).append(container)
    return [_finding(case, containers) for containers in crashing.values()]


def _explained(case: Case, container: Container) -> bool:
    _, end = container.last_end
    return (
        not end
        or end.get("reason") == "OOMKilled"
        or not case.recently(moment(end.get("finishedAt")))
        or bool(why_not_started(case, container))
        or any(blame.value_named for blame in blames(case, container))
        or node_to_blame(case, container.pod)
    )


def _finding(case: Case, containers: list[Container]) -> Finding:
    first = max(containers, key=lambda c: c.restarts)
    field, end = first.last_end
    differences = _since_release(case, first)
    image = next((d for d in differences if d.field == "image"), None)
    only_image = image is not None and len(differences) == 1
    good, proven = last_good_image(case, first.name, str(first.spec.get("image", ""))) if only_image else ("", False)
    liveness = _liveness(case, first)
    return Finding(
        target=case.owner,
        failure_class="CrashLoopBackOff",
        cause=_cause(case, first, len(containers), differences, bool(liveness)),
        confidence=confidence(
            Rests.INDIRECT if good else Rests.HINT,
            supports=sum((proven, len(containers) > 1)),
            contradictions=bool(liveness),
            missing=case.lacks("log of", "replicaset"),
        ),
        evidence=(
            fact(first.pod, f"{field}.exitCode", _said(first), moment(end.get("finishedAt"))),
            *_last_words(case, first),
            *liveness[:1],
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
        alternatives=(
            "a dependency or its data changed: the release may be innocent"
            if good
            else "nothing that changed explains it",
            "a restart: it was started again several times and fails alike",
        ),
    )


def _cause(case: Case, first: Container, pods: int, differences: list[Difference], liveness: bool) -> str:
    what = f"Container {first.name} of {many(pods, 'pod')} crashes again and again ({_said(first)})"
    if liveness:
        return f"{what}; the kubelet kills it because its liveness probe fails."
    if differences:
        names = ", ".join(dict.fromkeys(d.field for d in differences[:3]))
        return f"{what} since the last release changed its {plain(names, 80)}."
    return f"{what}; what it says does not tell why."


def _said(container: Container) -> str:
    _, end = container.last_end
    return plain(
        f"{end.get('reason', 'no reason')}, exit code {end.get('exitCode', '?')}, {many(container.restarts, 'restart')}"
    )


def _since_release(case: Case, container: Container) -> list[Difference]:
    """What the newest revision changed of this container, if the revision is part of the incident."""
    change = last_change(case)
    if change is None or not case.recently(change[0].created):
        return []
    return [d for d in change[1] if d.container == container.name]


def _liveness(case: Case, container: Container) -> list[Evidence]:
    told = [
        event
        for event in case.events(container.pod)
        if event.get("reason") == "Unhealthy" and str(event.get("message", "")).startswith(("Liveness", "Startup"))
    ]
    return [event_fact(event) for event in told]


def _last_words(case: Case, container: Container) -> list[Evidence]:
    meta = container.pod["metadata"]
    for previous in (True, False):
        text = case.snapshot.log(meta.get("namespace", ""), meta["name"], container.name, previous=previous)
        lines = [line for line in text.splitlines() if line.strip()]
        if lines:
            _, end = container.last_end
            return [fact(container.pod, f"log[{container.name}]", lines[-1], moment(end.get("finishedAt")))]
    return []

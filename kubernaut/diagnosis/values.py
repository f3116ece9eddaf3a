"""A ConfigMap value that the application refuses.

Only the application tells, so its log has to name the key in a line that complains, the ConfigMap has to hold that key, and
its change has to fit in time. What the value was before is only known from the commit that changed it.
"""

from datetime import datetime

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding
from kubernaut.domain.redaction import HIDDEN, is_secret_name
from kubernaut.domain.resources import ResourceRef

from .blame import Blamed, Use, blames, uses
from .case import Case
from .changes import writers, written_at
from .confidence import Rests, confidence
from .history import before
from .objects import Container
from .units import moment
from .words import fact, many, plain, quoted, sayable


def wrong_value(case: Case) -> list[Finding]:
    """ConfigMap values that crashing containers complain about, best explained first; at most one for each ConfigMap."""
    blamed: dict[Use, list[Blamed]] = {}
    for container in case.containers:
        if case.crashing(container) and case.current(container.pod) and _failed_by_itself(container):
            for blame in blames(case, container):
                blamed.setdefault(blame.use, []).append(blame)
    best: dict[str, Finding] = {}
    for blames_ in blamed.values():
        finding = _wrong_finding(case, blames_)
        if finding.target.name not in best or finding.confidence > best[finding.target.name].confidence:
            best[finding.target.name] = finding
    return list(best.values())


def _wrong_finding(case: Case, blamed: list[Blamed]) -> Finding:
    first = max(blamed, key=lambda b: b.value_named)
    use, container = first.use, first.container
    namespace = container.pod["metadata"].get("namespace", "")
    holder = case.snapshot.get("ConfigMap", use.config_map, namespace)
    target = ResourceRef(case.snapshot.target.cluster, "ConfigMap", use.config_map, namespace)
    at = written_at(holder, "f:data") if holder is not None else None
    old = before(case, use.key, first.value, holder)
    fits = _changed_in_time(case, container, at)
    alive_elsewhere = _others_live_with_it(case, use, at)
    _, end = container.last_end
    value = HIDDEN if is_secret_name(use.key) else plain(first.value, 60)
    file = "\n" in first.value.strip()
    refuses = "because it refuses" if first.value_named or fits else "and what it says last names"
    permanent = None
    if old and sayable(use.key, first.value, old[0]):
        permanent = ActionProposal(
            "update-configmap",
            target,
            {"key": use.key, "from": first.value, "to": old[0]},
            f"Put {use.key} back to {plain(old[0], 60)}, {_told_by(old[1])}.",
        )
    direct = first.value_named and (old is not None or (fits and not first.unreachable))
    likely = first.value_named and (not first.unreachable or first.nowhere)
    return Finding(
        target=target,
        failure_class="CrashLoopBackOff",
        cause=f"Container {container.name} of {many(len({b.container.pod['metadata']['name'] for b in blamed}), 'pod')} exits "
        + (
            f"at its start {refuses} file {use.key} of ConfigMap {use.config_map}: {quoted(first.line, 160)}"
            if file
            else f"at its start {refuses} {use.key}={value!r} of ConfigMap {use.config_map}."
        ),
        confidence=confidence(
            Rests.DIRECT if direct else Rests.INDIRECT if likely or (fits and not first.unreachable) else Rests.HINT,
            supports=sum((fits, old is not None, len(blamed) > 1)),
            contradictions=alive_elsewhere,
        ),
        evidence=(
            fact(
                container.pod, f"{container.last_end[0]}.exitCode", end.get("exitCode"), moment(end.get("finishedAt"))
            ),
            fact(container.pod, f"log[{container.name}]", first.line, moment(end.get("finishedAt"))),
            *((fact(holder, f"data[{use.key}]", value, at),) if holder is not None else ()),
            *((old[1],) if old else ()),
            *(list(writers(holder, "f:data"))[:1] if holder is not None else ()),
        ),
        permanent=permanent,
        urgent=permanent is not None,
        alternatives=(
            "a restart: every start reads the same value and fails alike",
            "the application's version, not the value, changed"
            + (
                ": the ConfigMap's change fits in time, so the value is likelier"
                if fits
                else ": look at the last release"
            ),
        ),
    )


def _told_by(evidence: Evidence) -> str:
    """How it is known what the value was."""
    if evidence.object.startswith("commit/"):
        return f"as it was before commit {evidence.object.removeprefix('commit/')}"
    if "annotations" in evidence.field:
        return "as it was applied before somebody edited it"
    return f"as it was in {evidence.object}, which the release before used"


def _failed_by_itself(container: Container) -> bool:
    _, end = container.last_end
    return end.get("exitCode") not in (None, 0, 137, 143) and end.get("reason") != "OOMKilled"


def _changed_in_time(case: Case, container: Container, at: datetime | None) -> bool:
    """Whether the ConfigMap was written lately and before this container's last failure."""
    _, end = container.last_end
    finished = moment(end.get("finishedAt"))
    return at is not None and case.recently(at) and (finished is None or at <= finished)


def _others_live_with_it(case: Case, use: Use, at: datetime | None) -> bool:
    """A ready pod that started after the change and uses the same ConfigMap speaks against the value."""
    for pod in case.siblings:
        for container in (c for c in case.containers if c.pod is pod and c.ready and c.running_since):
            since = container.running_since
            if at is not None and since is not None and since > at and use in set(uses(case, container)):
                return True
    return False

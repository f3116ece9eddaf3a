"""A ConfigMap value that the application refuses.

Only the application tells, so its log has to name the key in a line that complains, the ConfigMap has to hold that key, and
its change has to fit in time. What the value was before is only known from the commit that changed it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding
from kubernaut.domain.redaction import HIDDEN, is_secret_name
from kubernaut.domain.resources import ResourceRef

from .case import Case
from .changes import writers, written_at
from .confidence import Rests, confidence
from .history import before
from .objects import Container
from .units import moment
from .words import fact, many, plain

_COMPLAINS = re.compile(
    r"fatal|error|err=|invalid|panic|exception|cannot|can't|fail|unable|missing|required|parse|unknown|illegal|malformed"
    r"|unexpected|unsupported|not a valid|out of range|refus",
    re.I,
)
_LINES = 40


@dataclass(frozen=True, slots=True)
class Use:
    """One key of a ConfigMap that a container uses, and the name that the application knows it by."""

    config_map: str
    key: str
    known_as: str


@dataclass(frozen=True, slots=True)
class Blamed:
    """A key that the application's log complains about."""

    use: Use
    container: Container
    line: str
    value: str
    value_named: bool


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


def blames(case: Case, container: Container) -> Iterator[Blamed]:
    """Keys of the container's ConfigMaps that its last words complain about."""
    meta = container.pod["metadata"]
    namespace = meta.get("namespace", "")
    text = case.snapshot.log(namespace, meta["name"], container.name, previous=True) or case.snapshot.log(
        namespace, meta["name"], container.name
    )
    lines = [line for line in text.splitlines()[-_LINES:] if _COMPLAINS.search(line)]
    for use in uses(case, container):
        holder = case.snapshot.get("ConfigMap", use.config_map, namespace)
        value = str(((holder or {}).get("data") or {}).get(use.key, ""))
        if holder is None or use.key not in (holder.get("data") or {}):
            continue
        named = [line for line in lines if re.search(rf"(?<![\w.-]){re.escape(use.known_as)}(?![\w-])", line)]
        if named:
            line = next((line for line in reversed(named) if _has_value(line, value)), named[-1])
            yield Blamed(use, container, line, value, _has_value(line, value))


def uses(case: Case, container: Container) -> Iterator[Use]:
    """Every ConfigMap key that a container gets as variable or file."""
    for variable in container.spec.get("env") or ():
        if reference := (variable.get("valueFrom") or {}).get("configMapKeyRef"):
            yield Use(str(reference.get("name")), str(reference.get("key")), str(variable.get("name")))
    namespace = container.pod["metadata"].get("namespace", "")
    for source in container.spec.get("envFrom") or ():
        if reference := source.get("configMapRef"):
            for key in _keys(case, str(reference.get("name")), namespace):
                yield Use(str(reference.get("name")), key, f"{source.get('prefix', '')}{key}")
    mounted = {mount.get("name") for mount in container.spec.get("volumeMounts") or ()}
    for volume in (container.pod.get("spec") or {}).get("volumes") or ():
        if volume.get("name") in mounted and (reference := volume.get("configMap")):
            for key in _keys(case, str(reference.get("name")), namespace):
                yield Use(str(reference.get("name")), key, key)


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
    permanent = None
    if old and not is_secret_name(use.key):
        permanent = ActionProposal(
            "update-configmap",
            target,
            {"key": use.key, "from": first.value, "to": old[0]},
            f"Put {use.key} back to {plain(old[0], 60)}, {_told_by(old[1])}.",
        )
    direct = first.value_named and (fits or old is not None)
    return Finding(
        target=target,
        failure_class="CrashLoopBackOff",
        cause=f"Container {container.name} of {many(len({b.container.pod['metadata']['name'] for b in blamed}), 'pod')} exits "
        f"at its start because it refuses {use.key}={value!r} of ConfigMap {use.config_map}.",
        confidence=confidence(
            Rests.DIRECT if direct else Rests.INDIRECT if first.value_named or fits else Rests.HINT,
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


def _has_value(line: str, value: str) -> bool:
    value = value.strip()
    return len(value) >= 2 and "\n" not in value and value in line


def _keys(case: Case, name: str, namespace: str) -> list[str]:
    holder = case.snapshot.get("ConfigMap", name, namespace)
    data: Mapping[str, Any] = (holder or {}).get("data") or {}
    return list(data)

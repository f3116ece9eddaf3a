"""Configuration at fault: a ConfigMap, a Secret or a key that is not there, or a value that the application refuses.

A missing one is told by the kubelet. A wrong value is told by the application alone: its log has to name the key in a line
that complains, the ConfigMap has to hold that key, and its change has to fit in time.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding
from kubernaut.domain.facts import Object
from kubernaut.domain.redaction import HIDDEN, is_secret_name
from kubernaut.domain.resources import ResourceRef

from .case import Case, Container
from .changes import changed, commit_fact, writers, written_at
from .confidence import Rests, confidence
from .units import moment
from .words import event_fact, fact, many, plain

_KEY = re.compile(r"couldn't find key (\S+) in (ConfigMap|Secret) (?:([^\s/]+)/)?(\S+?)[.,]?(?:\s|$)")
_OBJECT = re.compile(r'\b(configmap|secret)s? "([^"\s]+)" not found', re.I)
_MOUNT_KEY = re.compile(r"references non-existent (config|secret) key: (\S+)")
_COMPLAINS = re.compile(
    r"fatal|error|err=|invalid|panic|exception|cannot|can't|fail|unable|missing|required|parse|unknown|illegal|malformed"
    r"|unexpected|unsupported|not a valid|out of range|refus",
    re.I,
)
_LINES = 40


@dataclass(frozen=True, slots=True)
class Missing:
    """What the kubelet did not find: a whole object (key empty) or one key of it. kind: `ConfigMap` or `Secret`."""

    kind: str
    name: str
    key: str


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


def missing_configuration(case: Case) -> list[Finding]:
    """ConfigMaps, Secrets or keys that pods need and that do not exist."""
    found: dict[Missing, list[tuple[Container, Evidence]]] = {}
    for container in case.containers:
        for lacking, evidence in absent(case, container):
            if case.current(container.pod) and not _there_by_now(case, container, lacking):
                found.setdefault(lacking, []).append((container, evidence))
    return [_missing_finding(case, lacking, told) for lacking, told in found.items()]


def wrong_value(case: Case) -> list[Finding]:
    """ConfigMap values that crashing containers complain about, best explained first; at most one for each ConfigMap."""
    blamed: dict[Use, list[Blamed]] = {}
    for container in case.containers:
        if container.crashing and case.current(container.pod) and _failed_by_itself(container):
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


def before(case: Case, key: str, live: str | None) -> tuple[str, Evidence] | None:
    """The value that a key had before the newest commit that changed it to `live` (None: removed it)."""
    for commit in case.snapshot.commits:
        old = _changed_lines(commit.diff, key, "-")
        new = _changed_lines(commit.diff, key, "+")
        if old and (new == [live] if live is not None else not new) and len(set(old)) == 1 and old[0] != live:
            return old[0], commit_fact(commit)
    return None


def absent(case: Case, container: Container) -> list[tuple[Missing, Evidence]]:
    """What the kubelet says that it did not find for a container."""
    return list(_absent(case, container))


def _absent(case: Case, container: Container) -> Iterator[tuple[Missing, Evidence]]:
    if container.waiting == "CreateContainerConfigError" and (lacking := _parsed(container.waiting_message, "")):
        said = f"CreateContainerConfigError: {container.waiting_message}"
        yield lacking, fact(container.pod, f"{container.path}.state.waiting", said)
    elif container.waiting in ("ContainerCreating", "PodInitializing"):
        for event in case.events(container.pod):
            if event.get("reason") == "FailedMount":
                message = str(event.get("message", ""))
                if lacking := _parsed(message, _volume_source(container, message)):
                    yield lacking, event_fact(event)


def _parsed(message: str, source: str) -> Missing | None:
    if match := _KEY.search(message):
        return Missing(match[2], match[4], match[1])
    if match := _OBJECT.search(message):
        return Missing("ConfigMap" if match[1].lower() == "configmap" else "Secret", match[2], "")
    if (match := _MOUNT_KEY.search(message)) and source:
        return Missing("ConfigMap" if match[1] == "config" else "Secret", source, match[2])
    return None


def _volume_source(container: Container, message: str) -> str:
    """The ConfigMap or Secret behind the volume that a FailedMount names."""
    match = re.search(r'for volume "([^"]+)"', message)
    for volume in (container.pod.get("spec") or {}).get("volumes") or ():
        if match and volume.get("name") == match[1]:
            return str(
                (volume.get("configMap") or {}).get("name") or (volume.get("secret") or {}).get("secretName") or ""
            )
    return ""


def _there_by_now(case: Case, container: Container, lacking: Missing) -> bool:
    holder = case.snapshot.get(lacking.kind, lacking.name, container.pod["metadata"].get("namespace", ""))
    if holder is None:
        return False
    return not lacking.key or lacking.key in {**(holder.get("data") or {}), **(holder.get("binaryData") or {})}


def _missing_finding(case: Case, lacking: Missing, told: list[tuple[Container, Evidence]]) -> Finding:
    container = told[0][0]
    namespace = container.pod["metadata"].get("namespace", "")
    holder = case.snapshot.get(lacking.kind, lacking.name, namespace)
    target = ResourceRef(case.snapshot.target.cluster, lacking.kind, lacking.name, namespace)
    old = before(case, lacking.key, None) if lacking.key and lacking.kind == "ConfigMap" else None
    what = f"Key {lacking.key} of {lacking.kind} {lacking.name}" if lacking.key else f"{lacking.kind} {lacking.name}"
    pods = len({c.pod["metadata"]["name"] for c, _ in told})
    return Finding(
        target=target if holder is not None else case.owner,
        failure_class="CreateContainerConfigError"
        if container.waiting == "CreateContainerConfigError"
        else "FailedMount",
        cause=f"{plain(what)} does not exist, so container {container.name} of {many(pods, 'pod')} can't start.",
        confidence=confidence(
            Rests.DIRECT,
            supports=sum((holder is not None and bool(lacking.key), pods > 1, old is not None)),
            missing=(lacking.kind == "ConfigMap" and holder is None and bool(lacking.key)),
        ),
        evidence=(
            *(evidence for _, evidence in told[:2]),
            *_keys_there(holder, lacking),
            *((old[1],) if old else ()),
            *(list(writers(holder))[:1] if holder is not None else ()),
            *changed(case, container.name, "env"),
        ),
        permanent=_put_back(target, lacking.key, old[0]) if old else None,
        urgent=old is not None,
        alternatives=_missing_alternatives(lacking, old is not None),
    )


def _keys_there(holder: Object | None, lacking: Missing) -> list[Evidence]:
    if holder is None or not lacking.key:
        return []
    return [fact(holder, "data", f"has {', '.join(sorted(holder.get('data') or {})) or 'no keys'}; not {lacking.key}")]


def _put_back(target: ResourceRef, key: str, value: str) -> ActionProposal | None:
    if is_secret_name(key):
        return None
    parameters = {"key": key, "from": None, "to": value}
    return ActionProposal("update-configmap", target, parameters, f"Put {key} back as it was before it was removed.")


def _missing_alternatives(lacking: Missing, known: bool) -> tuple[str, ...]:
    found = ["a restart: no container can be created before it exists"]
    if not known:
        found.append("what its value has to be is not known from history, so nobody but its owner can fix it")
    if lacking.kind == "Secret":
        found.append("Secrets are never written with values by kubernaut: create it where your secrets come from")
    return tuple(found)


def _wrong_finding(case: Case, blamed: list[Blamed]) -> Finding:
    first = max(blamed, key=lambda b: b.value_named)
    use, container = first.use, first.container
    namespace = container.pod["metadata"].get("namespace", "")
    holder = case.snapshot.get("ConfigMap", use.config_map, namespace)
    target = ResourceRef(case.snapshot.target.cluster, "ConfigMap", use.config_map, namespace)
    at = written_at(holder, "f:data") if holder is not None else None
    old = before(case, use.key, first.value)
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
            f"Put {use.key} back to {plain(old[0], 60)}, as it was before commit {old[1].object.removeprefix('commit/')}.",
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


def _changed_lines(diff: str, key: str, sign: str) -> list[str]:
    """The values that a diff removes (`-`) or adds (`+`) for a key, read as YAML scalars."""
    found = []
    line_of_key = re.compile(rf"^{re.escape(sign)}\s+[\"']?{re.escape(key)}[\"']?:(\s.*)$")
    for line in diff.splitlines():
        match = line_of_key.match(line)
        if match and not line.startswith(sign * 3):
            found.append(_scalar(match[1]))
    return [value for value in found if value is not None]


def _scalar(text: str) -> str | None:
    """A YAML scalar's text; None for anything that goes on in the next lines."""
    try:
        node = yaml.compose(text.strip(), Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">"):
        return None
    return str(node.value)

"""A ConfigMap, a Secret or a key that pods need and that is not there: the kubelet names it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding
from kubernaut.domain.facts import Object
from kubernaut.domain.resources import ResourceRef

from .case import Case
from .changes import changed, last_change, writers
from .confidence import Rests, confidence
from .history import before
from .objects import Container
from .words import event_fact, fact, many, plain, sayable

_KEY = re.compile(r"couldn't find key (\S+) in (ConfigMap|Secret) (?:([^\s/]+)/)?(\S+?)[.,]?(?:\s|$)")
_OBJECT = re.compile(r'\b(configmap|secret)s? "([^"\s]+)" not found', re.I)
_MOUNT_KEY = re.compile(r"references non-existent (config|secret) key: (\S+)")


@dataclass(frozen=True, slots=True)
class Missing:
    """What the kubelet did not find: a whole object (key empty) or one key of it. kind: `ConfigMap` or `Secret`."""

    kind: str
    name: str
    key: str


def missing_configuration(case: Case) -> list[Finding]:
    """ConfigMaps, Secrets or keys that pods need and that do not exist."""
    found: dict[Missing, list[tuple[Container, Evidence]]] = {}
    for container in case.containers:
        for lacking, evidence in absent(case, container):
            if case.current(container.pod) and not _there_by_now(case, container, lacking):
                found.setdefault(lacking, []).append((container, evidence))
    return [_missing_finding(case, lacking, told) for lacking, told in found.items()]


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
    renamed = "" if holder is not None else _renamed_from(case, container, lacking)
    old = before(case, lacking.key, None, holder) if lacking.key and lacking.kind == "ConfigMap" else None
    what = f"Key {lacking.key} of {lacking.kind} {lacking.name}" if lacking.key else f"{lacking.kind} {lacking.name}"
    since = f" and the last release refers to it instead of {plain(renamed, 80)}" if renamed else ""
    pods = len({c.pod["metadata"]["name"] for c, _ in told})
    return Finding(
        target=case.owner if renamed else target,
        failure_class="CreateContainerConfigError"
        if container.waiting == "CreateContainerConfigError"
        else "FailedMount",
        cause=f"{plain(what)} does not exist{since}, so container {container.name} of {many(pods, 'pod')} can't start.",
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


def _renamed_from(case: Case, container: Container, lacking: Missing) -> str:
    """The object that the revision before referred to in this one's place, if that one exists; else empty."""
    change = last_change(case)
    for difference in change[1] if change and case.release_to_blame else ():
        now, then = ((side or "").partition("/")[0] for side in (difference.after, difference.before))
        refers = difference.container == container.name and difference.field.startswith("env") and now == lacking.name
        namespace = container.pod["metadata"].get("namespace", "")
        if refers and then and then != now and case.snapshot.get(lacking.kind, then, namespace) is not None:
            return then
    return ""


def _keys_there(holder: Object | None, lacking: Missing) -> list[Evidence]:
    if holder is None or not lacking.key:
        return []
    return [fact(holder, "data", f"has {', '.join(sorted(holder.get('data') or {})) or 'no keys'}; not {lacking.key}")]


def _put_back(target: ResourceRef, key: str, value: str) -> ActionProposal | None:
    if not sayable(key, value):
        return None
    parameters = {"key": key, "from": None, "to": value}
    return ActionProposal("update-configmap", target, parameters, f"Put {key} back as it was before it was removed.")


def _missing_alternatives(lacking: Missing, known: bool) -> tuple[str, ...]:
    found = ["a restart: no container can be created before it exists"]
    if not lacking.key:
        found.append(f"the name of the {lacking.kind} is misspelled in the workload: compare it with those that exist")
    if not known:
        found.append("what its value has to be is not known from history, so nobody but its owner can fix it")
    if lacking.kind == "Secret":
        found.append("Secrets are never written with values by kubernaut: create it where your secrets come from")
    return tuple(found)

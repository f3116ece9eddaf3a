"""What changed lately, and who says so: revisions compared with each other, field managers with their times, commits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubernaut.domain.analysis import Evidence
from kubernaut.domain.facts import Commit, Object

from .case import Case
from .objects import Revision, name_of
from .units import moment
from .words import fact, plain

_NESTED = ("livenessProbe", "readinessProbe", "startupProbe", "securityContext", "ports", "volumeMounts", "lifecycle")
_IGNORED_MANAGERS = ("kube-controller-manager", "kubelet", "kube-scheduler")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one container that two revisions disagree on; None where a revision lacks it."""

    container: str
    field: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.before or 'none'} -> {self.after or 'none'}"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """How the containers of two pod specifications differ: image, command, resources, variables, probes, mounts, rights."""
    found: list[Difference] = []
    old = {c["name"]: _flat(c) for f in ("initContainers", "containers") for c in before.get(f) or ()}
    new = {c["name"]: _flat(c) for f in ("initContainers", "containers") for c in after.get(f) or ()}
    for name in old.keys() & new.keys():
        for field in sorted(old[name].keys() | new[name].keys()):
            if old[name].get(field) != new[name].get(field):
                found.append(Difference(name, field, old[name].get(field), new[name].get(field)))
    return found


def last_change(case: Case) -> tuple[Revision, list[Difference]] | None:
    """The newest revision and how it differs from the one before; None when there is nothing to compare with."""
    if len(case.revisions) < 2:
        return None
    newest, before = case.revisions[:2]
    return newest, differences(before.template, newest.template)


def changed(case: Case, container: str = "", field: str = "") -> list[Evidence]:
    """Evidence of what changed lately: the last revision's differences, who wrote the template, commits that did."""
    found: list[Evidence] = []
    change = last_change(case)
    if change is not None and case.release_to_blame:
        newest, all_differences = change
        for difference in all_differences:
            if container in ("", difference.container) and difference.field.startswith(field):
                where = f"spec.template.spec.containers[{difference.container}].{difference.field}"
                found.append(fact(newest.object, where, f"{difference} (revision {newest.number})", newest.created))
    if found and case.workload is not None:
        found += list(writers(case.workload, "f:template"))[:1]
    return found[:4] + [commit_fact(commit) for commit in case.snapshot.commits[:1] if case.recently(commit.at)]


def writers(item: Object, *fields: str) -> Iterator[Evidence]:
    """Who last wrote an object's fields (of `spec` or `data`) and when, newest first; the control plane left out."""
    entries = [e for e in item["metadata"].get("managedFields") or () if e.get("manager") not in _IGNORED_MANAGERS]
    told = [(moment(e.get("time")), e) for e in entries if _touches(e, fields)]
    for at, entry in sorted(((t, e) for t, e in told if t is not None), key=lambda pair: pair[0], reverse=True):
        who = f"{entry.get('operation', 'Update')} by {entry.get('manager', 'unknown')}"
        yield Evidence(name_of(item), "metadata.managedFields", plain(who), at)


def written_at(item: Object, *fields: str) -> datetime | None:
    """When somebody last wrote one of these fields of an object; None when it is not told."""
    return next((evidence.time for evidence in writers(item, *fields)), None)


def commit_fact(commit: Commit) -> Evidence:
    """One commit."""
    return Evidence(f"commit/{commit.sha[:8]}", "subject", plain(f"{commit.subject} ({commit.author})"), commit.at)


def _touches(entry: Mapping[str, Any], fields: tuple[str, ...]) -> bool:
    if entry.get("subresource"):
        return False
    written = entry.get("fieldsV1") or {}
    names = {*written, *(written.get("f:spec") or {})}
    return not written or bool(names & set(fields or ("f:spec", "f:data", "f:binaryData")))


def _flat(container: Mapping[str, Any]) -> dict[str, str]:
    found = {"image": str(container.get("image", ""))}
    for field in _NESTED:
        found |= {name: plain(value, 60) for name, value in _leaves(field, container.get(field))}
    for field in ("command", "args"):
        if container.get(field):
            found[field] = " ".join(map(str, container[field]))
    for kind, amounts in (container.get("resources") or {}).items():
        if isinstance(amounts, Mapping):
            found |= {f"resources.{kind}.{resource}": str(amount) for resource, amount in amounts.items()}
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        reference = source.get("configMapKeyRef") or source.get("secretKeyRef")
        value = f"{reference.get('name')}/{reference.get('key')}" if reference else str(variable.get("value", ""))
        found[f"env[{variable.get('name')}]"] = plain(f"{variable.get('name')}={value}").partition("=")[2]
    for i, source in enumerate(container.get("envFrom") or ()):
        reference = source.get("configMapRef") or source.get("secretRef") or {}
        found[f"envFrom[{i}]"] = str(reference.get("name", ""))
    return found


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """The scalars below a field with their paths; headers of a probe may hold credentials and are left out."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            if key != "httpHeaders":
                yield from _leaves(f"{path}.{key}", below)
    elif isinstance(value, list | tuple):
        for i, below in enumerate(value):
            yield from _leaves(f"{path}[{i}]", below)
    elif value is not None:
        yield path, str(value)

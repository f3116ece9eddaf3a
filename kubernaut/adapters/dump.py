"""Reads what `kubectl cluster-info dump --output-directory DIR -o json` writes, so that an incident can be diagnosed later.

Layout of such a dump: `nodes.json`, `NAMESPACE/{pods,deployments,replicasets,…}.json` and `NAMESPACE/POD/logs.txt`. Any other
`*.json` beside or below (a List or one object, as `kubectl get … -o json` prints) is read, too: a dump alone holds neither
ConfigMaps nor StatefulSets. A file that can't be read costs itself only and is told by name in `Snapshot.missing`.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from kubernaut.domain.errors import BadInput, NotFound
from kubernaut.domain.facts import LogKey, Object, Snapshot
from kubernaut.domain.redaction import redact
from kubernaut.domain.resources import ResourceRef

LONGEST_FILE_BYTES = 512 * 1024 * 1024
LOG_TAIL_BYTES = 64 * 1024
_SOON = timedelta(minutes=10)
_AFTERWARDS = timedelta(seconds=20)
"""A dump is read after the newest thing that it tells; nodes tell of themselves all the time, so it is not long after."""
_SERVICE = re.compile(r"(?<![\w.-])([a-z0-9][a-z0-9-]{0,62})\.([a-z0-9][a-z0-9-]{0,62})(?![\w-])")
_ADDRESS = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|(?<![\w:])[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])"
)
_BACKING = ("Service", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Event", "ConfigMap", "Secret")
_EXPECTED = ("nodes", "pods", "events", "replicasets")
_MARK = re.compile(r"^==== (START|END) logs for container (\S+) of pod (\S+)/(\S+) ====$")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Dump:
    """Everything that a dump directory told.

    Args:
        taken_at: when it was made: that of its files where it fits, else a moment after the newest time that its objects tell.
        problems: files and objects that could not be used and why, one line each.
        kinds: kinds of which it holds a list, be it empty: what a list does not hold does not exist.
    """

    directory: Path
    taken_at: datetime
    objects: tuple[Object, ...]
    logs: Mapping[LogKey, str]
    problems: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()

    def everything(self, target: ResourceRef) -> Snapshot:
        """All facts, or those of one namespace. target: of the kind `Cluster` or `Namespace`.

        Raises:
            NotFound: the dump holds nothing of the namespace; the message names what it holds.
        """
        if target.kind != "Namespace":
            return Snapshot(
                target, self.taken_at, self.objects, self.logs, missing=(*self.problems, *self._absent(self.objects))
            )
        if target.name not in (names := self._namespaces()):
            raise NotFound(f"namespace {target.name} not found in {self.directory}: it holds {_some(names)}")
        objects = tuple(o for o in self.objects if _concerns(o, target.name))
        logs = {key: text for key, text in self.logs.items() if key.namespace == target.name}
        return Snapshot(target, self.taken_at, objects, logs, missing=(*self.problems, *self._absent(objects)))

    def snapshot(self, target: ResourceRef) -> Snapshot:
        """The facts about one target: its namespace, the nodes, everything cluster-wide, and GitOps objects.

        Raises:
            NotFound: the dump does not hold the target; the message names what it holds of that kind.
        """
        same_kind = [o for o in self.objects if o["kind"] == target.kind]
        if not any(_is(o, target.name, target.namespace) for o in same_kind):
            raise NotFound(self._not_found(target, same_kind))
        wide = not target.namespace
        near = self._named_elsewhere(target.namespace)
        objects = tuple(o for o in self.objects if wide or _concerns(o, target.namespace) or _backs(o, near))
        logs = {
            k: text for k, text in self.logs.items() if wide or k.namespace == target.namespace or k.namespace in near
        }
        return Snapshot(target, self.taken_at, objects, logs, missing=(*self.problems, *self._absent(objects)))

    def _named_elsewhere(self, namespace: str) -> frozenset[str]:
        """Other namespaces whose Services the logs of this one name: what is down there may be why it fails here."""
        services = [o for o in self.objects if o["kind"] == "Service" and _namespace(o) != namespace]
        names = {(o["metadata"]["name"], _namespace(o)): _namespace(o) for o in services}
        addresses = {
            str(o["spec"].get("clusterIP")): _namespace(o) for o in services if isinstance(o.get("spec"), dict)
        }
        found: set[str] = set()
        for text in (text for key, text in self.logs.items() if key.namespace == namespace):
            told = {(match[1], match[2]) for match in _SERVICE.finditer(text)}
            found |= {names[name] for name in told & names.keys()}
            found |= {addresses[match[0]] for match in _ADDRESS.finditer(text) if match[0] in addresses}
        return frozenset(found)

    def _namespaces(self) -> list[str]:
        return sorted({_namespace(o) for o in self.objects if _namespace(o)})

    def _absent(self, objects: tuple[Object, ...]) -> Iterator[str]:
        kinds = {f"{o['kind'].lower()}s" for o in objects} | {f"{kind.lower()}s" for kind in self.kinds}
        for kind in _EXPECTED:
            if kind not in kinds:
                yield f"{kind}: the dump holds none"
        if "configmaps" not in kinds:
            yield "configmaps: the dump holds none; `kubectl get configmaps -n NS -o json > DIR/configmaps.json` adds them"

    def _not_found(self, target: ResourceRef, same_kind: list[Object]) -> str:
        here = sorted({o["metadata"]["name"] for o in same_kind if _namespace(o) == target.namespace})
        elsewhere = sorted({_namespace(o) for o in same_kind if o["metadata"]["name"] == target.name})
        where = f" in namespace {target.namespace}" if target.namespace else ""
        hint = f"the dump holds no {target.kind}{where}"
        if elsewhere:
            hint = f"it is in namespace {', '.join(elsewhere)}: use -n"
        elif here:
            hint = f"the dump holds {_some(here)}"
        elif target.namespace and target.namespace not in (held := self._namespaces()):
            hint = f"the dump holds nothing of this namespace, but {_some(held)}"
        return f"{target.kind.lower()} {target.name} not found{where} of {self.directory}: {hint}"


def read_dump(directory: Path) -> Dump:
    """Read a dump directory.

    Raises:
        BadInput: there is no such directory, or nothing in it could be used.
    """
    if not directory.is_dir():
        raise BadInput(f"{directory} is no directory; make one with `kubectl cluster-info dump -A -o json "
                       f"--output-directory {directory}`", field="--from-dump")  # fmt: skip
    objects: dict[tuple[str, str, str], Object] = {}
    logs: dict[LogKey, str] = {}
    problems: list[str] = []
    newest_file = 0.0
    kinds: set[str] = set()
    for path in sorted(p for p in directory.rglob("*") if p.suffix in (".json", ".txt")):
        if not path.is_file():
            continue
        newest_file = max(newest_file, path.stat().st_mtime)
        name = str(path.relative_to(directory))
        if path.suffix == ".json":
            for item in _objects(path, name, problems, kinds):
                key = (item["kind"], _namespace(item), item["metadata"]["name"])
                if key not in objects or _version(item) > _version(objects[key]):
                    objects[key] = item
        elif path.name == "logs.txt":
            logs |= _logs(path, name, problems)
    if not objects:
        why = f" ({'; '.join(problems[:3])})" if problems else ""
        if any(directory.rglob("*.yaml")) or any(directory.rglob("*.yml")):
            raise BadInput(f"{directory} holds YAML, and only JSON is read: make it again with `kubectl cluster-info dump -A "
                           f"-o json --output-directory {directory}`", field="--from-dump")  # fmt: skip
        raise BadInput(f"{directory} holds no Kubernetes objects in *.json files{why}", field="--from-dump")
    objects = {key: _completed(item, objects) for key, item in objects.items()}
    named = _without_container(logs, objects)
    return Dump(directory, _taken_at(objects.values(), newest_file), tuple(objects.values()), named, tuple(problems),
                frozenset(kinds))  # fmt: skip


def _objects(path: Path, name: str, problems: list[str], kinds: set[str]) -> Iterator[Object]:
    try:
        if path.stat().st_size > LONGEST_FILE_BYTES:
            problems.append(f"{name}: larger than {LONGEST_FILE_BYTES >> 20} MiB, not read")
            return
        document = _decoded(path.read_bytes())
    except (OSError, msgspec.DecodeError, RecursionError, UnicodeError) as e:
        problems.append(f"{name}: not readable as JSON ({str(e) or type(e).__name__}); the file was left out")
        return
    kind = document.get("kind", "") if isinstance(document, dict) else ""
    kind = kind if isinstance(kind, str) else ""
    items = document.get("items") if isinstance(document, dict) else document
    if isinstance(items, list) or (items is None and kind.endswith("List")):
        items, kind = items or [], kind.removesuffix("List")
        kinds.add(kind)
    else:
        items = [document]
    bad = 0
    for item in items:
        known = _object(item, kind)
        if known is None:
            bad += 1
        else:
            yield known
    if bad:
        problems.append(f"{name}: {bad} of {len(items)} entries are no Kubernetes objects and were left out")


def _decoded(data: bytes) -> Any:
    """A JSON document; also one that another system's shell wrote with a byte order mark or in UTF-16.

    Raises:
        DecodeError: it is no JSON; the message names the place.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16").encode()
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError as e:
        if "truncated" in str(e):
            lines = data.count(b"\n") + 1
            raise msgspec.DecodeError(f"it ends in the middle, at byte {len(data)} of line {lines}") from e
        place = re.search(r"\(byte (\d+)\)", str(e))
        newlines = data.count(b"\n", 0, int(place[1])) if place else 0
        line = f", line {newlines + 1}" if place else ""
        raise msgspec.DecodeError(f"{e}{line}") from e


def _object(item: Any, kind: str) -> Object | None:
    """One object with its kind filled in, or None. Lists of one kind leave the kind of their items out."""
    if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict):
        return None
    kind = item.get("kind") or kind
    name, *others = (item["metadata"].get(key) for key in ("name", "namespace", "uid"))
    if not (isinstance(kind, str) and kind and isinstance(name, str) and name):
        return None
    if not all(other is None or isinstance(other, str) for other in others):
        return None
    item = item | {"kind": kind}
    return _without_values(item) if kind == "Secret" else item


def _completed(item: Object, objects: Mapping[tuple[str, str, str], Object]) -> Object:
    """The object with its uid and its owners' uids, where somebody trimmed them away: then names stand for them.

    Only an owner that controls is written into a pod, a ReplicaSet or a Job, so a single one without the mark has lost it.
    """
    meta = item["metadata"]
    told = meta.get("ownerReferences")
    owners = [dict(o) for o in told if isinstance(o, dict)] if isinstance(told, list) else []
    for owner in owners:
        key = (str(owner.get("kind")), _namespace(item), str(owner.get("name")))
        held = objects.get(key) or objects.get((key[0], "", key[2]))
        owner.setdefault("uid", (held["metadata"].get("uid") if held else None) or _stand_in(*key))
        if len(owners) == 1 and item["kind"] in ("Pod", "ReplicaSet", "Job"):
            owner.setdefault("controller", True)
    if meta.get("uid") and owners == (told or []):
        return item
    uid = meta.get("uid") or _stand_in(item["kind"], _namespace(item), meta["name"])
    return {**item, "metadata": {**meta, "uid": uid} | ({"ownerReferences": owners} if owners else {})}


def _stand_in(kind: str, namespace: str, name: str) -> str:
    return f"{kind}/{namespace}/{name}"


def _without_values(secret: dict[str, Any]) -> Object:
    """A Secret's key names; its values stay in the file."""
    held = [part for part in (secret.get("data"), secret.get("stringData")) if isinstance(part, dict)]
    keys = [key for part in held for key in part]
    meta = {k: v for k, v in secret["metadata"].items() if k not in ("annotations", "managedFields")}
    return {"kind": "Secret", "metadata": meta, "type": secret.get("type", ""), "data": dict.fromkeys(keys, "")}


def _logs(path: Path, name: str, problems: list[str]) -> dict[LogKey, str]:
    """The log tails of one pod's file, by container; text outside of any marks belongs to the container ''."""
    namespace, pod = path.parent.parent.name, path.parent.name
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError as e:
        problems.append(f"{name}: {e.strerror}; the log was left out")
        return {}
    lines: dict[str, list[str]] = {}
    container = ""
    for line in text.splitlines():
        mark = _MARK.match(line)
        if mark and (mark[3], mark[4]) == (namespace, pod):
            container = mark[2] if mark[1] == "START" else ""
        elif not (line.startswith("Request log error:") or (not container and not line.strip())):
            lines.setdefault(container, []).append(line)
    return {LogKey(namespace, pod, c): redact("\n".join(kept)[-LOG_TAIL_BYTES:]) for c, kept in lines.items()}


def _without_container(logs: Mapping[LogKey, str], objects: Mapping[tuple[str, str, str], Object]) -> dict[LogKey, str]:
    """Logs written without marks belong to the pod's only container, or stay unnamed."""
    named: dict[LogKey, str] = {}
    for key, text in logs.items():
        spec = objects.get(("Pod", key.namespace, key.pod), {}).get("spec")
        told = spec.get("containers") if isinstance(spec, dict) else None
        containers = [c for c in told if isinstance(c, dict)] if isinstance(told, list) else []
        if not key.container and len(containers) == 1:
            only = LogKey(key.namespace, key.pod, str(containers[0].get("name", "")))
            named[only] = "\n".join(part for part in (named.get(only, ""), text) if part)
        else:
            named[key] = "\n".join(part for part in (named.get(key, ""), text) if part)
    return named


def _taken_at(objects: Any, newest_file: float) -> datetime:
    """The newest time that the objects tell; that of the files when they were written soon after."""
    told = []
    for item in objects:
        try:
            for text in _times(item):
                if isinstance(text, str) and _TIME.match(text):
                    told.append(datetime.fromisoformat(text[:19]).replace(tzinfo=UTC))
        except (AttributeError, TypeError, ValueError):  # not the shape of the API: it tells no time
            continue
    written = datetime.fromtimestamp(newest_file, UTC)
    if not told:
        return written
    newest = max(told)
    return written if timedelta() <= written - newest <= _SOON else newest + _AFTERWARDS


def _times(item: Object) -> Iterator[Any]:
    meta, status, spec = item["metadata"], item.get("status"), item.get("spec")
    yield meta.get("creationTimestamp")
    if item["kind"] == "Event":
        yield from (item.get("lastTimestamp"), item.get("eventTime"))
        yield (item.get("series") or {}).get("lastObservedTime")
    if item["kind"] == "Lease" and isinstance(spec, dict):
        yield spec.get("renewTime")
    for entry in meta.get("managedFields") or ():
        yield entry.get("time") if isinstance(entry, dict) else None
    if isinstance(status, dict):
        for condition in status.get("conditions") or ():
            if isinstance(condition, dict):
                yield from (condition.get("lastHeartbeatTime"), condition.get("lastTransitionTime"))
        for container in status.get("containerStatuses") or ():
            for state in ("state", "lastState"):
                for detail in ((container.get(state) or {}) if isinstance(container, dict) else {}).values():
                    if isinstance(detail, dict):
                        yield from (detail.get("startedAt"), detail.get("finishedAt"))


def _namespace(item: Object) -> str:
    return str(item["metadata"].get("namespace") or "")


def _is(item: Object, name: str, namespace: str) -> bool:
    return bool(item["metadata"]["name"] == name) and _namespace(item) == namespace


def _backs(item: Object, namespaces: frozenset[str]) -> bool:
    """Whether an object belongs to what runs behind a Service of one of these namespaces."""
    return item["kind"] in _BACKING and _namespace(item) in namespaces


def _some(names: list[str]) -> str:
    return f"{', '.join(names[:8])}{' …' if len(names) > 8 else ''}"


def _concerns(item: Object, namespace: str) -> bool:
    if _namespace(item) in ("", namespace):
        return True
    about = item.get("involvedObject") if item["kind"] == "Event" else None
    if isinstance(about, dict):
        return about.get("kind") == "Node"
    return item["kind"] in ("Application", "ApplicationSet", "Kustomization", "HelmRelease", "GitRepository", "Lease")


def _version(item: Object) -> int:
    text = item["metadata"].get("resourceVersion")
    return int(text) if isinstance(text, str) and text.isdecimal() else 0

"""managedFields records who changed what: an entry for each manager, operation and subresource.

kubernaut reads recent changes from it, so it is kept for every write, not only for server-side apply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubernaut.sim.apiserver.fieldsets import Path, from_fields, item_key, leaves, set_key, shown, to_fields
from kubernaut.sim.apiserver.schema import ANY, ATOMIC_MAPS, ATOMIC_STRUCTS, SET, Type, clone, list_keys, members
from kubernaut.sim.apiserver.status import Json, StatusError

_LAST_APPLIED: Path = ("f:metadata", "f:annotations", "f:kubectl.kubernetes.io/last-applied-configuration")


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: the manager's name, Apply or Update, and through which subresource."""

    manager: str
    operation: str = "Update"
    subresource: str = ""


def _is(entry: Json, writer: Writer, api_version: str) -> bool:
    return (
        entry.get("manager") == writer.manager
        and entry.get("operation") == writer.operation
        and entry.get("subresource", "") == writer.subresource
        and entry.get("apiVersion") == api_version
    )


def base(live: list[Json] | None, sent: list[Json] | None) -> list[Json]:
    """The managedFields that a write begins with: what was sent, if that can be read, else what is held.

    A list of one empty entry forgets all. Source: k8s.io/apimachinery/pkg/util/managedfields/internal/fieldmanager.go
    """
    if sent == [{}]:
        return []
    wanted = ("manager", "operation", "apiVersion", "fieldsV1")
    if sent and all(isinstance(entry, dict) and all(entry.get(key) for key in wanted) for entry in sent):
        return sent
    return live or []


def record_update(old: Json | None, new: Json, kind: Type, writer: Writer, now: str, entries: list[Json]) -> list[Json]:
    """The managedFields after an ordinary write: the writer owns what it changed, nobody owns what is gone."""
    before = leaves(old, kind) if old else {}
    after = leaves(new, kind)
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    removed = before.keys() - after.keys()
    if not changed and not removed:
        return entries
    return _merged(entries, writer, new["apiVersion"], changed, changed | removed, now, keep_own=True)


def _merged(
    entries: list[Json],
    writer: Writer,
    api_version: str,
    owned: set[Path],
    lost: set[Path],
    now: str,
    *,
    keep_own: bool,
) -> list[Json]:
    result: list[Json] = []
    mine: set[Path] = set(owned)
    fields_type = {"fieldsType": "FieldsV1"}
    for entry in entries:
        paths = from_fields(entry["fieldsV1"])
        if _is(entry, writer, api_version):
            if keep_own:
                mine |= paths - lost
            continue
        remaining = paths - lost
        if remaining == paths:
            result.append(entry)
        elif remaining:
            result.append(entry | {"fieldsV1": to_fields(remaining)})
    if mine:
        entry = {"manager": writer.manager, "operation": writer.operation, "apiVersion": api_version, "time": now}
        entry |= fields_type | {"fieldsV1": to_fields(mine)}
        if writer.subresource:
            entry["subresource"] = writer.subresource
        result.append(entry)
    return result


def apply(
    live: Json, applied: Json, kind: Type, writer: Writer, *, force: bool, allowed: set[Path] | None = None
) -> Json:
    """Server-side apply: the live object with what the applier says, without what it no longer says.

    Args:
        allowed: fields that are taken over without force.

    Raises:
        StatusError: 409 with a FieldManagerConflict cause for each field that another manager owns.
    """
    wanted, held = _said(applied, kind), leaves(live, kind)
    entries = live["metadata"].get("managedFields") or []
    api_version = applied["apiVersion"]
    others: dict[Path, list[Json]] = {}
    mine: set[Path] = set()
    for entry in entries:
        paths = from_fields(entry["fieldsV1"])
        if _is(entry, writer, api_version):
            mine = paths
        else:
            for path in paths:
                others.setdefault(path, []).append(entry)
    clashes = [path for path, value in wanted.items() if path in others and path in held and held[path] != value]
    clashes = [path for path in clashes if path not in (allowed or ())]
    if clashes and not force:
        raise _conflict([(_shown(entry), path) for path in clashes for entry in others[path]])
    result: Json = _join(live, applied, kind)
    for path in sorted(mine - wanted.keys() - others.keys(), key=len, reverse=True):
        if path[-1] == "." and any(other[: len(path) - 1] == path[:-1] for other in others):
            continue
        _drop(result, path, kind)
    return result


def _said(applied: Json, kind: Type) -> dict[Path, Any]:
    """The fields that an applier means; that a map is there at all is nobody's saying."""
    return {
        path: value for path, value in leaves(applied, kind).items() if path[-1] != "." or not path[-2].startswith("f:")
    }


def record_apply(live: Json, applied: Json, result: Json, kind: Type, writer: Writer, now: str) -> list[Json]:
    """The managedFields after an apply: the applier owns exactly what it said."""
    wanted, before, after = _said(applied, kind), leaves(live, kind), leaves(result, kind)
    changed = {path for path, value in after.items() if path in before and before[path] != value}
    lost = changed | (before.keys() - after.keys())
    if writer.manager == "kubectl":
        lost.discard(_LAST_APPLIED)  # kept in step by the server, which changes nobody's ownership
    entries = list(live["metadata"].get("managedFields") or ())
    own = next((entry for entry in entries if _is(entry, writer, applied["apiVersion"])), None)
    if own and not lost and before == after and from_fields(own["fieldsV1"]) == set(wanted):
        return entries
    return _merged(entries, writer, applied["apiVersion"], set(wanted), lost, now, keep_own=False)


def _shown(entry: Json) -> str:
    """A manager as conflicts name it."""
    text = f'"{entry["manager"]}"'
    if entry.get("subresource"):
        text += f' with subresource "{entry["subresource"]}"'
    return f"{text} using {entry['apiVersion']}" if entry["operation"] == "Update" else text


def _conflict(clashes: list[tuple[str, Path]]) -> StatusError:
    """What was refused: by manager, and each field of each as a cause.

    Source: k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go
    """
    clashes = sorted(clashes)
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": shown(path)}
        for who, path in clashes
    ]
    if len(clashes) == 1:
        (who, path) = clashes[0]
        text = f"Apply failed with 1 conflict: conflict with {who}: {shown(path)}"
    else:
        fields: dict[str, list[str]] = {}
        for who, path in clashes:
            fields.setdefault(who, []).append(f"- {shown(path)}")
        said = [line for who, listed in fields.items() for line in (f"conflicts with {who}:", *listed)]
        text = f"Apply failed with {len(clashes)} conflicts: " + "\n".join(said)
    return StatusError(409, "Conflict", text, {"causes": causes})


def _join(live: Any, applied: Any, kind: Type) -> Any:
    if not isinstance(applied, dict) or not isinstance(live, dict):
        return clone(applied)
    result = dict(live)
    for key, value in applied.items():
        member = members(kind.model).get(key, ANY) if kind.name == "model" else (kind.item or ANY)
        keys = list_keys(kind, key) if isinstance(value, list) else ()
        if keys == (SET,):
            result[key] = list(dict.fromkeys([*(live.get(key) or []), *value]))
        elif keys:
            result[key] = _join_list(live.get(key) or [], value, keys, member.item or ANY)
        elif member.model in ATOMIC_STRUCTS or (kind.model, key) in ATOMIC_MAPS:
            result[key] = clone(value)
        else:
            result[key] = _join(live.get(key), value, member)
    return result


def _join_list(live: list[Json], applied: list[Json], keys: tuple[str, ...], kind: Type) -> list[Json]:
    wanted = {item_key(item, keys): item for item in applied}
    joined = [
        _join(item, wanted[item_key(item, keys)], kind) if item_key(item, keys) in wanted else item for item in live
    ]
    known = {item_key(item, keys) for item in live}
    return joined + [clone(item) for name, item in wanted.items() if name not in known]


def _drop(node: Any, path: Path, kind: Type) -> None:
    """Remove one leaf, copying nothing: the caller's object is a fresh join, so copy on the way down."""
    part, rest = path[0], path[1:]
    if not part.startswith("f:") or not isinstance(node, dict):
        return
    key = part[2:]
    if key not in node:
        return
    if not rest or rest == (".",):
        if not rest or not node[key]:
            del node[key]
        return
    member = members(kind.model).get(key, ANY) if kind.name == "model" else (kind.item or ANY)
    if rest[0].startswith(("k:", "v:")) and isinstance(node[key], list):
        node[key] = _without(node[key], rest, list_keys(kind, key), member.item or ANY)
        if not node[key]:
            del node[key]
        return
    node[key] = clone(node[key])
    _drop(node[key], rest, member)


def _without(items: list[Any], path: Path, keys: tuple[str, ...], kind: Type) -> list[Any]:
    result = []
    for item in items:
        name = set_key(item) if keys == (SET,) else item_key(item, keys)
        if name != path[0]:
            result.append(item)
        elif len(path) > 1 and path[1] != ".":
            copied = clone(item)
            _drop(copied, path[1:], kind)
            result.append(copied)
    return result

"""A set of field paths says which fields of an object somebody wrote; FieldsV1 is its JSON spelling.

Source: sigs.k8s.io/structured-merge-diff/fieldpath
"""

from __future__ import annotations

from typing import Any

import msgspec

from kubernaut.sim.apiserver.schema import ANY, ATOMIC_MAPS, ATOMIC_STRUCTS, SET, Type, list_keys, members
from kubernaut.sim.apiserver.status import Json

Path = tuple[str, ...]
_UNOWNED_METADATA = {
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "managedFields",
    "deletionTimestamp", "deletionGracePeriodSeconds", "generateName",
}  # fmt: skip
_encode = msgspec.json.encode


def leaves(obj: Json, kind: Type) -> dict[Path, Any]:
    """Every ownable field of an object with its value; "." stands for the presence of a map or list item."""
    found: dict[Path, Any] = {}
    for key, value in obj.items():
        if key in ("kind", "apiVersion"):
            continue
        if key == "metadata":
            value = {name: member for name, member in value.items() if name not in _UNOWNED_METADATA}
        _collect(found, (f"f:{key}",), value, kind, key)
    return found


def _member(kind: Type, key: str) -> Type:
    if kind.name == "model":
        return members(kind.model).get(key, ANY)
    return kind.item or ANY if kind.name == "map" else ANY


def _collect(found: dict[Path, Any], path: Path, value: Any, parent: Type, key: str) -> None:
    kind = _member(parent, key)
    if kind.model in ATOMIC_STRUCTS or (parent.model, key) in ATOMIC_MAPS:
        found[path] = value
    elif isinstance(value, dict):
        if kind.name == "map":
            found[(*path, ".")] = True
        elif not value and path != ("f:metadata",):
            found[path] = {}
        for name, member in value.items():
            _collect(found, (*path, f"f:{name}"), member, kind, name)
    elif isinstance(value, list):
        keys = list_keys(parent, key)
        if keys == (SET,):
            for item in value:
                found[(*path, set_key(item))] = item
        elif keys and all(isinstance(item, dict) for item in value):
            for item in value:
                _collect_item(found, (*path, item_key(item, keys)), item, kind.item or ANY)
        else:
            found[path] = value
    else:
        found[path] = value


def item_key(item: Json, keys: tuple[str, ...]) -> str:
    """How a path names one item of a list."""
    defaults = {"protocol": "TCP"}
    named = {key: item.get(key, defaults.get(key)) for key in keys}
    return "k:" + _encode(named, order="sorted").decode()


def set_key(item: Any) -> str:
    """How a path names one member of a set."""
    return "v:" + _encode(item).decode()


def _collect_item(found: dict[Path, Any], path: Path, item: Json, kind: Type) -> None:
    found[(*path, ".")] = True
    for name, member in item.items():
        _collect(found, (*path, f"f:{name}"), member, kind, name)


def to_fields(paths: set[Path]) -> Json:
    """FieldsV1 of a set."""
    tree: Json = {}
    for path in sorted(paths):
        node = tree
        for part in path:
            node = node.setdefault(part, {})
    return tree


def from_fields(tree: Json) -> set[Path]:
    """The set that FieldsV1 spells."""
    found: set[Path] = set()

    def walk(node: Json, path: Path) -> None:
        if not node and path:
            found.add(path)
        for part, below in node.items():
            walk(below, (*path, part))

    walk(tree, ())
    return found


def shown(path: Path) -> str:
    """The path as conflict messages write it: .spec.containers[name="web"].image"""
    text = ""
    for part in path:
        if part.startswith("f:"):
            text += "." + part[2:]
        elif part.startswith("k:"):
            keys = msgspec.json.decode(part[2:])
            text += "[" + ",".join(f"{key}={_encode(value).decode()}" for key, value in keys.items()) + "]"
        elif part.startswith("v:"):
            text += f"[={part[2:]}]"
    return text

"""Columns of custom kinds come from additionalPrinterColumns."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.tables.cells import AGE, NAME, Cell, Column, age


def custom_columns(resource: Resource) -> tuple[Column, ...]:
    """Name and what the definition lists, or Name and Age."""
    listed = (resource.custom or {}).get("additionalPrinterColumns")
    if not listed:
        return (NAME, AGE)
    return (NAME, *(_column(item) for item in listed))


def _column(item: Json) -> Column:
    return Column(
        item["name"],
        _cell(item["jsonPath"], item.get("type", "string")),
        item.get("type", "string"),
        item.get("format", ""),
        item.get("priority", 0),
        item.get("description", ""),
    )


def _cell(path: str, kind: str) -> Cell:
    def cell(obj: Json, now: datetime) -> Any:
        found = values(obj, path)
        if not found:
            return None
        if kind == "date":
            return age(found[0], now)
        if kind in ("integer", "number", "boolean"):
            return found[0]
        return str(found[0]) if len(found) == 1 else ",".join(str(item) for item in found)

    return cell


_STEP = re.compile(r"\.([^.\[\]]+)|\[\?\(@\.([\w.]+)\s*==\s*['\"]([^'\"]*)['\"]\)\]|\[(\d+|\*)\]")


def values(obj: Any, path: str) -> list[Any]:
    """The values at a simple JSONPath: members, indexes, [*] and [?(@.a=='b')]."""
    found = [obj]
    for match in _STEP.finditer(path if path.startswith((".", "[")) else f".{path}"):
        key, field, wanted, index = match.groups()
        following: list[Any] = []
        for value in found:
            if key is not None and isinstance(value, dict) and value.get(key.replace("\\", "")) is not None:
                following.append(value[key])
            elif isinstance(value, list):
                following += _items(value, field, wanted, index)
        found = following
    return found


def _items(value: list[Any], field: str | None, wanted: str | None, index: str | None) -> list[Any]:
    if field is not None:
        return [item for item in value if isinstance(item, dict) and str(item.get(field)) == wanted]
    if index == "*":
        return value
    return [value[int(index)]] if index is not None and int(index) < len(value) else []

"""Fields of objects as they are, not as they should be: what is missing, null or of another type reads as nothing.

An API server fills its own types well, but objects also come from older servers, from simulators and through webhooks, and
a stack trace in the middle of a remediation helps nobody.
"""

from collections.abc import Mapping
from typing import Any


def section(item: object, *keys: str) -> Mapping[str, Any]:
    """The mapping at a path; an empty one when there is none."""
    for key in keys:
        item = item.get(key) if isinstance(item, Mapping) else None
    return item if isinstance(item, Mapping) else {}


def entries(item: object, *keys: str) -> list[Mapping[str, Any]]:
    """The mappings in the list at a path; empty when there is no list."""
    found = section(item, *keys[:-1]).get(keys[-1]) if keys else item
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list | tuple) else []


def count(value: object, otherwise: int = 0) -> int:
    """A number of things, never negative: a whole number, also one that was sent as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return otherwise
    try:
        return max(0, int(value))
    except ValueError:
        return otherwise

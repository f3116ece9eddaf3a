"""Small values that every other module of the domain speaks of."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

JSON = dict[str, Any] | list[Any] | str | int | float | bool | None


class Severity(StrEnum):
    """How loud the signal is, in the words of kube-prometheus; `NONE` is a heartbeat."""

    CRITICAL = "critical"
    HIGH = "high"
    WARNING = "warning"
    INFO = "info"
    NONE = "none"

    @property
    def rank(self) -> int:
        """0 is the loudest; numbers only order."""
        return list(Severity).index(self)

    @classmethod
    def parse(cls, text: str | None) -> "Severity":
        """Read a severity label; aliases of other installations are understood, anything else is a warning."""
        word = (text or "").strip().lower()
        aliases = {
            "crit": cls.CRITICAL,
            "page": cls.CRITICAL,
            "error": cls.HIGH,
            "major": cls.HIGH,
            "warn": cls.WARNING,
        }
        try:
            return aliases.get(word) or cls(word)
        except ValueError:
            return cls.WARNING


class Priority(StrEnum):
    """The order in which remediations are worked on: P0 first."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"

    @classmethod
    def of(cls, severity: Severity, environment: str) -> "Priority":
        """Loud in production is P0; anything unknown is treated like production."""
        production = environment in ("production", "unknown")
        if severity is Severity.CRITICAL:
            return cls.P0 if production else cls.P1
        if severity in (Severity.HIGH, Severity.WARNING):
            return cls.P1 if production else cls.P2
        return cls.P2 if production else cls.P3


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def canonical(document: object) -> bytes:
    """One byte string for one JSON document: keys sorted, no white space, UTF-8. What hashes are made of."""
    return _CANONICAL.encode(document).encode()


def digest(document: object, length: int = 64) -> str:
    """SHA-256 of the canonical form, in hex, cut to `length` characters."""
    return hashlib.sha256(canonical(document)).hexdigest()[:length]


V = TypeVar("V")


def changed(value: V, **changes: Any) -> V:
    """A frozen value with some fields changed: `dataclasses.replace` for values of two or more fields, in 60 % of its time.

    A track is made anew several times in every transition, which made `replace` the largest part of one.
    """
    kind: type = type(value)
    read, places = _shape(kind)
    parts = [*read(value)]
    for name, part in changes.items():
        parts[places[name]] = part
    made: V = kind(*parts)
    return made


@cache
def _shape(kind: type) -> tuple[Callable[[object], tuple[Any, ...]], dict[str, int]]:
    """What reads all fields of a value of this class at once, and the place of each."""
    names = [field.name for field in fields(kind)]
    return attrgetter(*names), {name: place for place, name in enumerate(names)}

"""What the reducer asks the outside to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Load:
    """GET something. `kind` and `target` say what the reply is about; equal loads are never in flight twice."""

    kind: str
    target: str = ""
    path: str = ""
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Send:
    """POST or DELETE something, once.

    Args:
        what: what was asked, for people: `approve drain-node n5`.
        remediation: the remediation it is about; empty for arming.
    """

    what: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    method: str = "POST"
    remediation: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """Offer text to the terminal's clipboard."""

    text: str


@dataclass(frozen=True, slots=True)
class Repaint:
    """Paint every cell again."""


@dataclass(frozen=True, slots=True)
class Press:
    """Carry out a command of the key table, as if its key had been pressed now."""

    command: str


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave."""


Effect = Load | Send | Copy | Repaint | Press | Quit

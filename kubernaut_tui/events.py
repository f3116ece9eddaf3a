"""What can happen to the console. Times are monotonic seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .effects import Load, Send

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resized:
    """The terminal has another size."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key that no prompt has taken yet; `character` is empty for keys that write nothing.

    Args:
        at: when its bytes were read.
    """

    key: str
    character: str
    at: float


@dataclass(frozen=True, slots=True)
class Pasted:
    """Text that came all at once."""

    text: str


@dataclass(frozen=True, slots=True)
class Commanded:
    """A command of the key table."""

    id: str
    at: float


@dataclass(frozen=True, slots=True)
class Painted:
    """The screen shows what the state says."""

    at: float


@dataclass(frozen=True, slots=True)
class Pulse:
    """Time goes by; brings what the journal said since the last one.

    Args:
        wall: seconds since 1970.
        heard: ids of remediations that the journal spoke of.
        approvals: whether it spoke of approvals.
        last_line: when the stream's last line came (heartbeats count); 0.0 when there was none.
    """

    at: float
    wall: float
    heard: frozenset[str] = frozenset()
    approvals: bool = False
    last_line: float = 0.0


@dataclass(frozen=True, slots=True)
class Connected:
    """The daemon answers and its journal is followed."""

    status: Document
    at: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The daemon does not answer, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The reply to a load."""

    load: Load
    document: Document


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """A load that failed, and why."""

    load: Load
    message: str


@dataclass(frozen=True, slots=True)
class Done:
    """A change was taken by the daemon."""

    send: Send
    document: Document


@dataclass(frozen=True, slots=True)
class NotDone:
    """A change was refused, or its reply was lost (`unknown`: it may have happened)."""

    send: Send
    message: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Copied:
    """Text was offered to the terminal; nobody knows whether it took it."""

    text: str


@dataclass(frozen=True, slots=True)
class Stumbled:
    """An event could not be dealt with, because of a mistake of the console or an odd document.

    Args:
        what: the exception's name.
        again: that could not be shown either, so something that is held is odd.
    """

    what: str
    at: float
    wall: float
    again: bool = False


Event = (
    Resized | Pressed | Pasted | Commanded | Painted | Pulse | Connected | Lost | Loaded | LoadFailed | Done | NotDone
    | Copied | Stumbled
)  # fmt: skip

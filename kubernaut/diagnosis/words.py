"""Facts become evidence: redacted, on one line, short, without control characters, because cluster text is data."""

import re
from collections.abc import Iterable
from datetime import datetime

from kubernaut.domain.analysis import Evidence
from kubernaut.domain.facts import Object
from kubernaut.domain.redaction import is_secret_name, redact

from .objects import event_count, event_time, name_of

LONGEST = 240
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def plain(text: object, longest: int = LONGEST) -> str:
    """Text of the cluster that may be shown to people: one line, no escape sequences, no secrets, shortened."""
    line = _CONTROL.sub(" ", redact(str(text)[: 8 * LONGEST])).strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def sayable(key: str, *values: str) -> bool:
    """Whether values of a key may stand in a proposal: neither its name nor one of them looks like a secret."""
    return not is_secret_name(key) and all(redact(value) == value for value in values)


def fact(item: Object, field: str, value: object, at: datetime | None = None) -> Evidence:
    """One fact about an object."""
    return Evidence(name_of(item), field, plain(value), at)


def event_fact(event: Object) -> Evidence:
    """What an event says, with how often and when last."""
    about = event.get("involvedObject") or {}
    times = event_count(event)
    said = f"{event.get('message', '')}{f' (x{times})' if times > 1 else ''}"
    return Evidence(
        f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}",
        f"event {plain(event.get('reason', ''), 60)}",
        plain(said),
        event_time(event),
    )


def listed(names: Iterable[str], most: int = 3) -> str:
    """A few names of many, `a, b and 4 more`."""
    every = list(dict.fromkeys(names))
    if len(every) <= most:
        return ", ".join(every[:-1]) + (" and " if len(every) > 1 else "") + (every[-1] if every else "")
    return f"{', '.join(every[:most])} and {len(every) - most} more"


def many(count: int, noun: str) -> str:
    """`1 pod`, `3 pods`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def quoted(text: object, longest: int) -> str:
    """The outside's words at the end of a sentence of ours: as `plain`, with exactly one full stop.

    What is too long loses its middle: errors are wrapped from the outside, so their cause stands at the end.
    """
    words = plain(text, 8 * LONGEST) or "no reason was given"
    if len(words) > longest:
        half = (longest - 3) // 2
        words = f"{words[:half].rstrip()} … {words[-half:].lstrip()}"
    return words if words.endswith((".", "…", "!", "?")) else f"{words}."

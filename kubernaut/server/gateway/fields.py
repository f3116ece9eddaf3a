"""What a sender writes into a field, cut, redacted and unable to steer a terminal; and what is wrong with it."""

import re
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from kubernaut.domain.errors import BadInput
from kubernaut.domain.redaction import HIDDEN, is_secret_name, redact

MAX_LABELS = 64
_MAX_NAME = 253
_MAX_KEY = 128
_MAX_TEXT = 1024
_LOOKED_AT = 2 * _MAX_TEXT
"""A password that is cut in the middle looks like none, so it is looked for in more than is kept."""
_MAX_TIME = 40
_MAX_SHOWN = 40
_YEAR_ONE = 1
_MISSING = re.compile(r"missing required field `([^`]+)`")
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")


def labels(given: dict[str, str]) -> dict[str, str]:
    """Labels, not too many, none of them long, none of them a secret.

    Raises:
        BadInput: there are too many.
    """
    if len(given) > MAX_LABELS:
        raise BadInput(f"has {len(given)} labels, at most {MAX_LABELS} are taken", field="labels")
    return {key: _label(key, value) for key, value in _short(given)}


def annotations(given: dict[str, str]) -> dict[str, str]:
    """Annotations: sentences, so a word in a key makes no secret of a value."""
    return {key: text(value) for key, value in _short(given)}


def name(given: str) -> str:
    """What something is called; empty where nothing of it can be shown."""
    return printable(given[:_MAX_NAME]).strip()


def printable(name: str) -> str:
    """Names stand in tables and logs, where a control character would steer the terminal."""
    return name if name.isprintable() else "".join(sign if sign.isprintable() else " " for sign in name)


def shown(value: str) -> str:
    """A wrong value, short enough for an answer."""
    return repr(value if len(value) <= _MAX_SHOWN else f"{value[:_MAX_SHOWN]}…")


def text(value: str) -> str:
    """A sentence."""
    return _harmless(value[:_LOOKED_AT])


@lru_cache(4096)
def _label(key: str, value: str) -> str:
    return HIDDEN if value and is_secret_name(key) else _harmless(value)


@lru_cache(4096)
def _harmless(value: str) -> str:
    """Most texts of most alerts repeat, and looking for secrets costs more than all else that is done to them."""
    return redact(value)[:_MAX_TEXT]


def _short(given: dict[str, str]) -> list[tuple[str, str]]:
    return [(key[:_MAX_KEY], value[:_LOOKED_AT]) for key, value in list(given.items())[:MAX_LABELS]]


def time(given: str, field: str) -> datetime | None:
    """RFC 3339 with nanoseconds; the year 1 is Go's way to say "none".

    Raises:
        BadInput: it is no time; names the field.
    """
    if len(given) > _MAX_TIME:
        raise BadInput(f"{shown(given)} is not an RFC 3339 time", field=field)
    head, dot, rest = given.upper().partition(".")
    if dot:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        head = f"{head}.{digits[:6]}{rest[len(digits) :]}"
    try:
        moment = datetime.fromisoformat(head)
    except ValueError as error:
        raise BadInput(f"{shown(given)} is not an RFC 3339 time", field=field) from error
    if moment.year <= _YEAR_ONE:
        return None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise BadInput(f"{shown(given)} is beyond the calendar", field=field) from error


def misfit(error: msgspec.ValidationError) -> BadInput:
    """What msgspec found in the wrong shape, by its field."""
    said, _, path = str(error).partition(" - at `$")
    missing, unknown = _MISSING.search(said), _UNKNOWN.search(said)
    name = missing[1] if missing else unknown[1] if unknown else ""
    what = "is missing" if missing else "is unknown here" if unknown else said.replace("Expected", "expected")
    return BadInput(what, field=".".join(part for part in (path.rstrip("`").lstrip("."), name[:_MAX_SHOWN]) if part))

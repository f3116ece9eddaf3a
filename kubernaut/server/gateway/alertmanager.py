"""Alertmanager's webhook, version 4: each alert is read on its own, so one bad alert never costs its neighbours.

Source: Alertmanager notification template data; the top-level status says `firing` if any alert fires, so it is not used.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from kubernaut.domain.errors import BadInput
from kubernaut.domain.redaction import HIDDEN, is_secret_name, redact
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus
from kubernaut.domain.values import Severity, digest

from .targets import family_of, target_of

_MAX_LABELS = 64
_MAX_KEY = 128
_MAX_TEXT = 1024
_MAX_TIME = 40
_MAX_SHOWN = 40
_FINGERPRINT = re.compile(r"[0-9a-zA-Z._-]{1,64}", re.ASCII)
_YEAR_ONE = 1
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_MISSING = re.compile(r"missing required field `([^`]+)`")


class _Payload(msgspec.Struct):
    version: str
    alerts: list[msgspec.Raw]
    truncatedAlerts: int = 0  # noqa: N815 - Alertmanager's spelling


class _Alert(msgspec.Struct):
    status: str
    labels: dict[str, str]
    startsAt: str  # noqa: N815 - Alertmanager's spelling
    endsAt: str = ""  # noqa: N815
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One alert that could not be read: its place in the POST, the field and what is wrong with it."""

    index: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Notification:
    """What one POST said. `truncated`: alerts that Alertmanager left out."""

    signals: tuple[Signal, ...]
    rejected: tuple[Rejected, ...]
    truncated: int = 0


_payload = msgspec.json.Decoder(_Payload)
_alert = msgspec.json.Decoder(_Alert)


def read(body: bytes, cluster_of: Callable[[dict[str, str]], str]) -> Notification:
    """Read one POST.

    Args:
        body: the request's body.
        cluster_of: labels → configured cluster; raises BadInput for one that is not configured.

    Raises:
        BadInput: it is not JSON, or not version 4; the message names the field.
    """
    payload = _decoded(body)
    if payload.version != "4":
        raise BadInput(f"is {_shown(payload.version)}; this webhook reads version '4'", field="version")
    signals: list[Signal] = []
    rejected: list[Rejected] = []
    for index, raw in enumerate(payload.alerts):
        try:
            signals.append(_signal(raw, cluster_of))
        except BadInput as error:
            rejected.append(Rejected(index, f"alerts[{index}]{_dotted(error.field)}", error.message))
    return Notification(tuple(signals), tuple(rejected), max(0, payload.truncatedAlerts))


def _decoded(body: bytes) -> _Payload:
    try:
        return _payload.decode(body)
    except msgspec.ValidationError as error:
        raise BadInput(_what(error), field=_where(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        mended = _LONE_SURROGATE.sub(r"\\ufffd", body.decode("utf-8", "replace")).encode()
        if mended == body:
            raise BadInput(f"the body is not JSON: {error}") from error
    return _decoded(mended)


def _signal(raw: msgspec.Raw, cluster_of: Callable[[dict[str, str]], str]) -> Signal:
    try:
        alert = _alert.decode(raw)
    except msgspec.ValidationError as error:
        raise BadInput(_what(error), field=_where(error)) from error
    if alert.status not in ("firing", "resolved"):
        raise BadInput(f"is {_shown(alert.status)}, expected 'firing' or 'resolved'", field="status")
    name = _printable(alert.labels.get("alertname", "")[:253]).strip()
    if not name:
        raise BadInput("is missing", field="labels.alertname")
    if len(alert.labels) > _MAX_LABELS:
        raise BadInput(f"has {len(alert.labels)} labels, at most {_MAX_LABELS} are taken", field="labels")
    cluster = cluster_of(alert.labels)
    starts_at = _time(alert.startsAt, "startsAt")
    ends_at = _time(alert.endsAt, "endsAt") if alert.endsAt else None
    status = SignalStatus(alert.status)
    return Signal(
        name=name,
        source=SignalSource.ALERTMANAGER,
        cluster=cluster,
        status=status,
        severity=Severity.parse(alert.labels.get("severity")),
        target=target_of(name, alert.labels, cluster),
        failure_class=family_of(name, alert.labels),
        occurrence=f"{_identity(alert)}@{alert.startsAt}",
        starts_at=starts_at or datetime.now(UTC),
        ends_at=ends_at if status is SignalStatus.RESOLVED else None,
        labels=_short(alert.labels, _label),
        annotations=_short(alert.annotations, _annotation),
    )


def _identity(alert: _Alert) -> str:
    """Alertmanager's fingerprint, or what stands for it where a template left it out: the same for the same labels."""
    return alert.fingerprint if _FINGERPRINT.fullmatch(alert.fingerprint) else digest(alert.labels, 16)


def _printable(text: str) -> str:
    """Names stand in tables and logs, where a control character would steer the terminal."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…")


def _short(mapping: dict[str, str], hide: Callable[[str, str], str]) -> dict[str, str]:
    if len(mapping) > _MAX_LABELS:
        mapping = dict(list(mapping.items())[:_MAX_LABELS])
    return {key[:_MAX_KEY]: hide(key[:_MAX_KEY], value[:_MAX_TEXT]) for key, value in mapping.items()}


@lru_cache(4096)
def _label(key: str, value: str) -> str:
    """Most labels of most alerts repeat, and looking for secrets costs more than all else that is done to them."""
    return HIDDEN if value and is_secret_name(key) else redact(value)


@lru_cache(4096)
def _annotation(key: str, value: str) -> str:
    return redact(value)


def _time(text: str, field: str) -> datetime | None:
    """RFC 3339 with nanoseconds; the year 1 is Go's way to say "none"."""
    if len(text) > _MAX_TIME:
        raise BadInput(f"{_shown(text)} is not an RFC 3339 time", field=field)
    head, dot, rest = text.partition(".")
    if dot:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        text = f"{head}.{digits[:6]}{rest[len(digits) :]}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{_shown(text)} is not an RFC 3339 time", field=field) from error
    if moment.year <= _YEAR_ONE:
        return None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise BadInput(f"{_shown(text)} is beyond the calendar", field=field) from error


def _what(error: msgspec.ValidationError) -> str:
    text = str(error).split(" - at ")[0]
    return "is missing" if _MISSING.search(text) else text


def _where(error: msgspec.ValidationError) -> str:
    text, _, path = str(error).partition(" - at `$")
    missing = _MISSING.search(text)
    parts = [path.rstrip("`").lstrip("."), missing[1] if missing else ""]
    return ".".join(part for part in parts if part)


def _dotted(field: str) -> str:
    return field if not field or field.startswith("[") else f".{field}"

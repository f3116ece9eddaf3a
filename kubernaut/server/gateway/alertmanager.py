"""Alertmanager's webhook, version 4: each alert is read on its own, so one bad alert never costs its neighbours.

Source: Alertmanager notification template data; the top-level status says `firing` if any alert fires, so it is not used.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from kubernaut.domain.errors import BadInput
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus
from kubernaut.domain.values import Severity, digest

from . import fields
from .targets import family_of, target_of

MAX_ALERTS = 50_000
"""More than fit into a body of the usual size as Alertmanager writes them."""
_SLICE_S = 0.01
"""How long alerts are read before others get their turn; measured in time, for one alert costs 20 µs and another 2 ms."""
_FINGERPRINT = re.compile(r"[0-9a-zA-Z._-]{1,64}", re.ASCII)
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


class _Payload(msgspec.Struct):
    version: str
    alerts: list[msgspec.Raw]
    truncatedAlerts: int | None = 0  # noqa: N815 - Alertmanager's spelling


class _Alert(msgspec.Struct):
    status: str
    labels: dict[str, str]
    startsAt: str  # noqa: N815 - Alertmanager's spelling
    endsAt: str | None = ""  # noqa: N815
    annotations: dict[str, str] | None = None
    fingerprint: str | None = ""


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


async def read(body: bytes, cluster_of: Callable[[dict[str, str]], str]) -> Notification:
    """Read one POST.

    Args:
        body: the request's body.
        cluster_of: labels → configured cluster; raises BadInput for one that is not configured.

    Raises:
        BadInput: it is not JSON, not version 4, or holds more than MAX_ALERTS; the message names the field.
    """
    payload = _decoded(body)
    if payload.version != "4":
        raise BadInput(f"is {fields.shown(payload.version)}; this webhook reads version '4'", field="version")
    if len(payload.alerts) > MAX_ALERTS:
        raise BadInput(f"are {len(payload.alerts)}, at most {MAX_ALERTS} are read: group finer", field="alerts")
    signals: list[Signal] = []
    rejected: list[Rejected] = []
    loop = asyncio.get_running_loop()
    until = loop.time() + _SLICE_S
    for index, raw in enumerate(payload.alerts):
        if loop.time() > until:
            await asyncio.sleep(0)  # nothing here waits, and a huge group must not keep health checks waiting
            until = loop.time() + _SLICE_S
        try:
            signals.append(_signal(raw, cluster_of))
        except BadInput as error:
            rejected.append(Rejected(index, f"alerts[{index}]{_dotted(error.field)}", error.message))
    return Notification(tuple(signals), tuple(rejected), max(0, payload.truncatedAlerts or 0))


def _decoded(body: bytes) -> _Payload:
    try:
        return _payload.decode(body)
    except msgspec.ValidationError as error:
        raise fields.misfit(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        mended = _LONE_SURROGATE.sub(r"\\ufffd", body.decode("utf-8", "replace")).encode()
        if mended == body:
            raise BadInput(f"the body is not JSON: {error}") from error
    return _decoded(mended)


def _signal(raw: msgspec.Raw, cluster_of: Callable[[dict[str, str]], str]) -> Signal:
    try:
        alert = _alert.decode(raw)
    except msgspec.ValidationError as error:
        raise fields.misfit(error) from error
    if alert.status not in ("firing", "resolved"):
        raise BadInput(f"is {fields.shown(alert.status)}, expected 'firing' or 'resolved'", field="status")
    name = fields.name(alert.labels.get("alertname", ""))
    if not name:
        raise BadInput("is missing", field="labels.alertname")
    labels = fields.labels(alert.labels)
    cluster = cluster_of(alert.labels)
    starts_at = fields.time(alert.startsAt, "startsAt")
    ends_at = fields.time(alert.endsAt, "endsAt") if alert.endsAt else None
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
        labels=labels,
        annotations=fields.annotations(alert.annotations or {}),
    )


def _identity(alert: _Alert) -> str:
    """Alertmanager's fingerprint, or what stands for it where a template left it out: the same for the same labels."""
    given = alert.fingerprint or ""
    return given if _FINGERPRINT.fullmatch(given) else digest(alert.labels, 16)


def _dotted(field: str) -> str:
    return field if not field or field.startswith("[") else f".{field}"

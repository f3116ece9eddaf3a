"""A signal joins the remediation that it belongs to, or opens one; asked of the rows, inside the writer's transaction.

Because one writer asks and answers, two signals of one failure can't both find nothing and both open.
"""

import base64
import hashlib
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.remediation import FAULTS, FINAL, Remediation, RemediationPhase
from kubernaut.domain.signals import Signal, SignalStatus, SignalSummary
from kubernaut.domain.values import Priority, Severity
from kubernaut.ports import Intake, Taken

from . import codec
from .tail import JournalTail
from .transition import insert_remediation

OPEN = frozenset(RemediationPhase) - FINAL
IGNORED = Taken("", "ignored")
_LEADING_DIGITS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class _Home:
    """The columns of the remediation that a signal belongs to."""

    id: str
    severity: int
    count: int
    occurrence: str
    resolved_at: int | None
    active: bool


_HOME = "SELECT id, severity, signal_count, occurrence, resolved_at, active FROM remediation AS r"
_RECENT = (
    _HOME + " WHERE fingerprint = ? AND active = 0 AND (ended_at >= ? OR (last_seen >= ? AND EXISTS (SELECT 1 FROM"
    " occurrence o WHERE o.fingerprint = ? AND o.occurrence = ? AND o.remediation_id = r.id)))"
    " ORDER BY created_at DESC LIMIT 1"
)


def take(connection: sqlite3.Connection, tail: JournalTail, intake: Intake) -> Taken:
    """Put one signal where it belongs, inside the transaction that is open."""
    home = _active(connection, intake.fingerprint) or _moved(connection, intake)
    if intake.signal.status is SignalStatus.RESOLVED:
        home = home or _of_occurrence(connection, intake)
        return _resolve(connection, tail, intake, home) if home else IGNORED
    home = home or _recent(connection, intake) or _of_occurrence(connection, intake, FAULTS)
    return _attach(connection, tail, intake, home) if home else _open(connection, tail, intake)


def _active(connection: sqlite3.Connection, fingerprint: str) -> _Home | None:
    row = connection.execute(f"{_HOME} WHERE fingerprint = ? AND active = 1", (fingerprint,)).fetchone()
    return _Home(*row) if row else None


def _recent(connection: sqlite3.Connection, intake: Intake) -> _Home | None:
    """One that ended within the window. Repeats of a firing that it took keep the window open; a firing that began anew
    does not, or a failure that comes back every few minutes would never be looked at again."""
    since = codec.to_us(intake.received_at - timedelta(seconds=intake.window_s))
    fingerprint, occurrence = intake.fingerprint, intake.signal.occurrence
    row = connection.execute(_RECENT, (fingerprint, since, since, fingerprint, occurrence)).fetchone()
    return _Home(*row) if row else None


def _moved(connection: sqlite3.Connection, intake: Intake) -> _Home | None:
    """An active one that took this very firing before the assessment found whose failure it is."""
    return _of_occurrence(connection, intake, OPEN)


def _of_occurrence(
    connection: sqlite3.Connection, intake: Intake, phases: Collection[str] = tuple(RemediationPhase)
) -> _Home | None:
    """The newest in one of the phases that took this very firing; one that ended in a fault is a person's already."""
    rows = connection.execute(
        "SELECT r.phase, r.id, r.severity, r.signal_count, r.occurrence, r.resolved_at, r.active"
        " FROM occurrence o JOIN remediation r ON r.id = o.remediation_id"
        " WHERE o.fingerprint = ? AND o.occurrence = ? ORDER BY r.created_at DESC",
        (intake.fingerprint, intake.signal.occurrence),
    )
    return next((_Home(*row) for phase, *row in rows if phase in phases), None)


def _attach(connection: sqlite3.Connection, tail: JournalTail, intake: Intake, home: _Home) -> Taken:
    signal, now = intake.signal, codec.to_us(intake.received_at)
    count, severity = home.count + 1, min(home.severity, codec.RANK[signal.severity])
    is_new_firing = signal.occurrence != home.occurrence and _remember(connection, intake, home.id)
    connection.execute(
        "UPDATE remediation SET signal_count = ?, last_seen = max(last_seen, ?), severity = ?, occurrence = ?,"
        " resolved_at = iif(?, NULL, resolved_at) WHERE id = ?",
        (count, now, severity, signal.occurrence, is_new_firing, home.id),
    )
    if severity < home.severity:
        louder = f"severity raised from {codec.SEVERITIES[home.severity]} to {signal.severity} by {signal.name}"
        _note(tail, intake, home.id, louder, count)
    elif _worth_telling(count):
        _note(tail, intake, home.id, f"{signal.name} seen {count} times", count)
    return Taken(home.id, "attached")


def _remember(connection: sqlite3.Connection, intake: Intake, remediation_id: str) -> bool:
    """Note a firing that the remediation had not taken yet; False when it had."""
    signal = intake.signal
    return bool(
        connection.execute(
            "INSERT INTO occurrence (fingerprint, occurrence, remediation_id, source) VALUES (?,?,?,?)"
            " ON CONFLICT DO NOTHING",
            (intake.fingerprint, signal.occurrence, remediation_id, signal.source.value),
        ).rowcount
    )


def _worth_telling(count: int) -> bool:
    """1, 2, 5, 10, 20, 50, …: a storm of a million is told in nineteen entries, while the count stays exact."""
    while count % 10 == 0:
        count //= 10
    return count in _LEADING_DIGITS


def _resolve(connection: sqlite3.Connection, tail: JournalTail, intake: Intake, home: _Home) -> Taken:
    """Note that a firing is over; the trouble is gone when no firing of this source is left."""
    signal, now = intake.signal, codec.to_us(intake.received_at)
    gone = codec.to_us(signal.ends_at or intake.received_at)
    connection.execute(
        "UPDATE occurrence SET resolved_at = ? WHERE remediation_id = ? AND occurrence = ?",
        (gone, home.id, signal.occurrence),
    )
    (left,) = connection.execute(
        "SELECT count(*) FROM occurrence WHERE remediation_id = ? AND source = ? AND resolved_at IS NULL",
        (home.id, signal.source.value),
    ).fetchone()
    if left or home.resolved_at is not None:
        return Taken(home.id, "resolved")
    connection.execute("UPDATE remediation SET resolved_at = ? WHERE id = ?", (gone, home.id))
    for table, key in (("remediation", "id"), ("track", "remediation_id")):
        connection.execute(f"UPDATE {table} SET wake_at = ? WHERE {key} = ? AND wake_at > ?", (now, home.id, now))  # noqa: S608 - own names
    _note(tail, intake, home.id, f"{signal.name} resolved", home.count)
    return Taken(home.id, "resolved")


def _open(connection: sqlite3.Connection, tail: JournalTail, intake: Intake) -> Taken:
    remediation_id = _free_id(connection, intake.candidate_id)
    item = Remediation(
        id=remediation_id,
        fingerprint=intake.fingerprint,
        target=intake.owner,
        signal=_summary(intake.signal, intake),
        created_at=intake.received_at,
        failure_class=intake.signal.failure_class,
        wake_at=intake.received_at,
        priority=Priority.of(Severity(intake.signal.severity), "unknown"),
        version=1,
    )
    insert_remediation(connection, item, codec.remediation_document(item))
    _note(tail, intake, remediation_id, f"{intake.signal.name} on {intake.owner}", 1)
    return Taken(remediation_id, "opened")


def _summary(signal: Signal, intake: Intake) -> SignalSummary:
    return SignalSummary(
        name=signal.name,
        source=signal.source,
        severity=signal.severity,
        occurrence=signal.occurrence,
        first_seen=intake.received_at,
        last_seen=intake.received_at,
        labels=signal.labels,
        annotations=signal.annotations,
        requester=signal.requester,
    )


def _free_id(connection: sqlite3.Connection, candidate: str) -> str:
    """The candidate, or an id derived from it when it is taken."""
    id_, attempt = candidate, 0
    while connection.execute("SELECT 1 FROM remediation WHERE id = ?", (id_,)).fetchone():
        attempt += 1
        digest = hashlib.sha256(f"{candidate}/{attempt}".encode()).digest()
        id_ = "rr-" + base64.b32encode(digest).decode().lower()[:6]
    return id_


def _note(tail: JournalTail, intake: Intake, remediation_id: str, message: str, count: int) -> None:
    signal = intake.signal
    data = {
        "name": signal.name,
        "source": signal.source.value,
        "status": signal.status.value,
        "severity": signal.severity.value,
        "count": count,
    }
    actor = signal.requester or "kubernaut"
    tail.append([JournalDraft(intake.received_at, "signal", message, actor, remediation_id, data=data)])

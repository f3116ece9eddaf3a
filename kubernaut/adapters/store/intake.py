"""A signal joins the remediation that it belongs to, or opens one; asked of the rows, inside the writer's transaction.

Because one writer asks and answers, two signals of one failure can't both find nothing and both open.
"""

import base64
import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.remediation import FAULTS, FINAL, Remediation, RemediationPhase
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus, SignalSummary
from kubernaut.domain.values import Priority, Severity
from kubernaut.ports import Intake, Taken

from . import codec
from .tail import JournalTail
from .transition import insert_remediation

IGNORED = Taken("", "ignored")
_LEADING_DIGITS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class _Home:
    """The columns of a remediation that a signal may belong to."""

    id: str
    phase: str
    ended_at: int | None
    severity: int
    count: int
    occurrence: str
    resolved_at: int | None

    @property
    def a_persons(self) -> bool:
        """Whether its end left the failure to a person: one who was told, or who said that kubernaut should leave it.

        One that was cancelled because its alert had resolved was left to nobody.
        """
        return self.phase in FAULTS or (self.phase == RemediationPhase.CANCELLED and self.resolved_at is None)


_COLUMNS = "r.id, r.phase, r.ended_at, r.severity, r.signal_count, r.occurrence, r.resolved_at"
_ACTIVE = f"SELECT {_COLUMNS} FROM remediation r WHERE r.fingerprint = ? AND r.active = 1"  # noqa: S608 - own columns
_RECENT = (
    f"SELECT {_COLUMNS} FROM remediation r WHERE r.fingerprint = ? AND r.active = 0 AND r.ended_at >= ?"  # noqa: S608
    " ORDER BY r.created_at DESC LIMIT 1"
)
_TOOK_IT = (
    f"SELECT {_COLUMNS} FROM occurrence o JOIN remediation r ON r.id = o.remediation_id"  # noqa: S608
    " WHERE o.occurrence = ?1 AND (o.fingerprint = ?2 OR (?3 AND r.cluster = ?4)) ORDER BY r.created_at DESC"
)
_LEFT_TO = (
    "SELECT s.active, s.ended_at FROM document d JOIN remediation s"
    " ON s.id = json_extract(CAST(d.doc AS TEXT), '$.superseded_by') WHERE d.remediation_id = ?"
)


def take(connection: sqlite3.Connection, tail: JournalTail, intake: Intake) -> Taken:
    """Put one signal where it belongs, inside the transaction that is open.

    The fingerprint tells whose failure it is, as far as intake knows; a firing that was taken before is found again even
    when its pod was replaced meanwhile, so that nobody can tell any more whose pod it was.
    """
    active = _one(connection, _ACTIVE, intake.fingerprint)
    if intake.signal.status is SignalStatus.RESOLVED:
        took = _took_it(connection, intake)
        home = _open_of(took) or next(iter(took), active)
        return _resolve(connection, tail, intake, home) if home else IGNORED
    if active is not None:
        return _attach(connection, tail, intake, active)
    return _take_ended(connection, tail, intake)


def _take_ended(connection: sqlite3.Connection, tail: JournalTail, intake: Intake) -> Taken:
    """A firing whose failure is not active under its present name.

    The window is counted from the end and nothing renews it: a failure that goes on, or comes back, after a remediation
    ended well is looked at again. What a person owns is never opened behind that person's back by the same firing.
    """
    since = codec.to_us(intake.received_at - timedelta(seconds=intake.window_s))
    took = _took_it(connection, intake)
    home = _open_of(took) or next((home for home in took if _still_its(connection, home, since)), None)
    if home is None:
        home = _one(connection, _RECENT, intake.fingerprint, since)
        if home is None:
            return _open(connection, tail, intake)
        if _is_back(connection, intake, home, since):
            return _open(connection, tail, intake, after=home)
    return _attach(connection, tail, intake, home)


def _is_back(connection: sqlite3.Connection, intake: Intake, home: _Home, since: int) -> bool:
    """Whether a firing that nobody took yet tells that the failure is back: it began after an end that left it to nobody."""
    began_after = codec.to_us(intake.signal.starts_at) > (home.ended_at or 0)
    return began_after and not home.a_persons and not _left_to_another(connection, home, since)


def _one(connection: sqlite3.Connection, sql: str, *values: object) -> _Home | None:
    row = connection.execute(sql, values).fetchone()
    return _Home(*row) if row else None


def _took_it(connection: sqlite3.Connection, intake: Intake) -> list[_Home]:
    """The remediations that took this very firing, the newest first.

    A target without an owner may have lost it only because it is gone, so its firing is looked for under every name.
    """
    orphan = intake.owner == intake.signal.target
    values = (intake.signal.occurrence, intake.fingerprint, orphan, intake.owner.cluster)
    return [_Home(*row) for row in connection.execute(_TOOK_IT, values)]


def _open_of(homes: Iterable[_Home]) -> _Home | None:
    return next((home for home in homes if home.phase not in FINAL), None)


def _still_its(connection: sqlite3.Connection, home: _Home, since: int) -> bool:
    """Whether a repeat of a firing that this one took still belongs to it, though it has ended."""
    return home.a_persons or (home.ended_at or 0) >= since or _left_to_another(connection, home, since)


def _left_to_another(connection: sqlite3.Connection, home: _Home, since: int) -> bool:
    """Whether it left its failure to another one that goes on, or ended within the window."""
    if home.phase != RemediationPhase.SKIPPED:
        return False
    other = connection.execute(_LEFT_TO, (home.id,)).fetchone()
    return other is not None and bool(other[0] or (other[1] or 0) >= since)


def _attach(connection: sqlite3.Connection, tail: JournalTail, intake: Intake, home: _Home) -> Taken:
    signal, now = intake.signal, codec.to_us(intake.received_at)
    count, severity = home.count + 1, min(home.severity, codec.RANK[signal.severity])
    goes_on = signal.occurrence != home.occurrence and _remember(connection, intake, home.id)
    goes_on = goes_on and home.phase != RemediationPhase.CANCELLED  # why it was cancelled does not change any more
    connection.execute(
        "UPDATE remediation SET signal_count = ?, last_seen = max(last_seen, ?), severity = ?, occurrence = ?,"
        " resolved_at = iif(?, NULL, resolved_at) WHERE id = ?",
        (count, now, severity, signal.occurrence, goes_on, home.id),
    )
    if goes_on and home.resolved_at is not None:
        _outdate(connection, home.id)
    if signal.source is SignalSource.MANUAL:
        _wake(connection, home.id, now)  # who asks by hand waits for nothing that was put off
    if severity < home.severity:
        louder = f"severity raised from {codec.SEVERITIES[home.severity]} to {signal.severity} by {signal.name}"
        _note(tail, intake, home.id, louder, count)
    elif _worth_telling(count):
        _note(tail, intake, home.id, f"{signal.name} seen {count} times", count)
    return Taken(home.id, "attached")


_REMEMBER = (
    "INSERT INTO occurrence (fingerprint, occurrence, remediation_id, source, resolved_at) SELECT ?1, ?2, ?3, ?4,"
    " (SELECT max(resolved_at) FROM occurrence WHERE occurrence = ?2 AND fingerprint = ?1)"
    " WHERE NOT EXISTS (SELECT 1 FROM occurrence WHERE remediation_id = ?3 AND occurrence = ?2) RETURNING resolved_at"
)


def _remember(connection: sqlite3.Connection, intake: Intake, remediation_id: str) -> bool:
    """Note a firing that the remediation had not taken yet; whether it goes on. A late repeat of one that is over is over."""
    signal = intake.signal
    values = (intake.fingerprint, signal.occurrence, remediation_id, signal.source.value)
    row = connection.execute(_REMEMBER, values).fetchone()
    return row is not None and row[0] is None


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
    _wake(connection, home.id, now)
    _note(tail, intake, home.id, f"{signal.name} resolved", home.count)
    return Taken(home.id, "resolved")


def _wake(connection: sqlite3.Connection, remediation_id: str, now: int) -> None:
    """Have every part that is open look now, and again if its stage is under way."""
    for table, key in (("remediation", "id"), ("track", "remediation_id")):
        connection.execute(
            f"UPDATE {table} SET wake_at = min(wake_at, ?), woken = 1 WHERE {key} = ? AND wake_at IS NOT NULL",  # noqa: S608 - own names
            (now, remediation_id),
        )


def _outdate(connection: sqlite3.Connection, remediation_id: str) -> None:
    """Have every stage that is under way begin anew: it may have read that the trouble is gone, and end what goes on."""
    for table, key in (("remediation", "id"), ("track", "remediation_id")):
        connection.execute(
            f"UPDATE {table} SET version = version + 1 WHERE {key} = ? AND wake_at IS NOT NULL",  # noqa: S608 - own names
            (remediation_id,),
        )


def _open(connection: sqlite3.Connection, tail: JournalTail, intake: Intake, after: _Home | None = None) -> Taken:
    """A new remediation.

    Args:
        after: the one whose failure is back. What that one has done needs its time to work, and must not be done over and
            over: the new one is looked at when the window is over, unless a person asks for it or nothing was done.
    """
    remediation_id, wake_at, reason = _free_id(connection, intake.candidate_id), intake.received_at, ""
    if after is not None and after.ended_at is not None:
        ended_at = codec.from_us(after.ended_at)
        reason = f"back {(intake.received_at - ended_at).total_seconds():.0f} s after {after.id} ended"
        if after.phase == RemediationPhase.COMPLETED and intake.signal.source is not SignalSource.MANUAL:
            wake_at = max(wake_at, ended_at + timedelta(seconds=intake.window_s))
            reason += f", looked at {intake.window_s:.0f} s after that end unless it resolves"
    item = Remediation(
        id=remediation_id,
        fingerprint=intake.fingerprint,
        target=intake.owner,
        signal=_summary(intake.signal, intake),
        created_at=intake.received_at,
        failure_class=intake.signal.failure_class,
        wake_at=wake_at,
        priority=Priority.of(Severity(intake.signal.severity), "unknown"),
        reason=reason,
        version=1,
    )
    insert_remediation(connection, item, codec.remediation_document(item))
    told = f"{intake.signal.name} on {intake.owner}" + (f": {reason}" if reason else "")
    _note(tail, intake, remediation_id, told, 1)
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

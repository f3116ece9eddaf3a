"""Every question that the store answers, as functions of a connection that reads."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from kubernaut.domain.approvals import Approval, ApprovalPhase
from kubernaut.domain.journal import JournalEntry
from kubernaut.domain.plans import StepRun
from kubernaut.domain.remediation import FINAL, Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack, ImperativePhase, ImperativeTrack
from kubernaut.domain.values import Priority, changed
from kubernaut.ports import Due

from . import codec

_REMEDIATION = f"SELECT {codec.REMEDIATION_COLUMNS} FROM remediation r JOIN document d ON d.remediation_id = r.id"  # noqa: S608 - own columns

_TRACKS = f"SELECT {codec.TRACK_COLUMNS} FROM track WHERE remediation_id = ?"  # noqa: S608 - own columns


def remediation(connection: sqlite3.Connection, remediation_id: str) -> Remediation | None:
    """One remediation with its tracks."""
    row = connection.execute(f"{_REMEDIATION} WHERE r.id = ?", (remediation_id,)).fetchone()
    return whole(connection, codec.remediation_from(row)) if row else None


def whole(connection: sqlite3.Connection, item: Remediation) -> Remediation:
    """The remediation with its tracks put in."""
    imperative: ImperativeTrack | None = None
    gitops: GitOpsTrack | None = None
    rows = connection.execute(_TRACKS, (item.id,)).fetchall()
    for row in rows:
        track = codec.track_from(row, _steps(connection, row[0]))
        if isinstance(track, ImperativeTrack):
            imperative = track
        else:
            gitops = track
    return changed(item, imperative=imperative, gitops=gitops) if rows else item


def _steps(connection: sqlite3.Connection, track_id: str) -> tuple[StepRun, ...]:
    rows = connection.execute("SELECT step_id, doc FROM step WHERE track_id = ? ORDER BY position", (track_id,))
    return tuple(codec.step_from(doc, f"step {step_id} of track {track_id}") for step_id, doc in rows)


def active(connection: sqlite3.Connection, fingerprint: str) -> str | None:
    """The id of the remediation that holds the fingerprint."""
    row = connection.execute(
        "SELECT id FROM remediation WHERE fingerprint = ? AND active = 1", (fingerprint,)
    ).fetchone()
    return row[0] if row else None


def history(connection: sqlite3.Connection, owner: ResourceRef, since: datetime, limit: int) -> Sequence[Remediation]:
    """Remediations of one owner, newest first."""
    rows = connection.execute(
        f"{_REMEDIATION} WHERE r.cluster = ? AND r.kind = ? AND r.namespace = ? AND r.name = ? AND r.created_at >= ?"
        " ORDER BY r.created_at DESC LIMIT ?",
        (owner.cluster, owner.kind, owner.namespace, owner.name, codec.to_us(since), limit),
    ).fetchall()
    return [whole(connection, codec.remediation_from(row)) for row in rows]


_DUE = {
    "remediation": "SELECT wake_at, id, 'assessment', assessment FROM remediation WHERE priority = ? AND wake_at <= ?"
    " ORDER BY wake_at LIMIT ?",
    "track": "SELECT wake_at, remediation_id, kind, phase FROM track WHERE priority = ? AND wake_at <= ?"
    " ORDER BY wake_at LIMIT ?",
}
_LOOKS = frozenset(
    {
        ImperativePhase.VERIFYING,
        GitOpsPhase.AWAITING_MERGE,
        GitOpsPhase.OVERDUE,
        GitOpsPhase.SYNCING,
        GitOpsPhase.VERIFYING,
    }
)
"""Phases in which a track has acted and only looks at what became of it."""
LOOKS_LATER_US = 3_000_000


def due(connection: sqlite3.Connection, now: datetime, limit: int) -> Sequence[Due]:
    """What is to be looked at: priority by priority, so that each is one walk along an index.

    Within a priority what can act goes first, however many wait to be assessed; a look at what was done stands behind
    assessments that came up to three seconds after it.
    """
    found: list[Due] = []
    now_us = codec.to_us(now)
    for priority in Priority:
        left = limit - len(found)
        if left <= 0:
            break
        rows: list[tuple[bool, int, str, str, int]] = []
        for sql in _DUE.values():
            for at, id_, part, phase in connection.execute(sql, (priority.value, now_us, left)):
                look = phase in _LOOKS
                acts = part != "assessment" and not look
                rows.append((not acts, at + LOOKS_LATER_US if look else at, id_, part, at))
        found += [
            Due(id_, part, codec.from_us(at), look=at != counted) for _, counted, id_, part, at in sorted(rows)[:left]
        ]
    return found


_NEXT = (
    "SELECT wake_at FROM remediation WHERE priority = ? AND wake_at IS NOT NULL ORDER BY wake_at LIMIT 1",
    "SELECT wake_at FROM track WHERE priority = ? AND wake_at IS NOT NULL ORDER BY wake_at LIMIT 1",
)


def next_wake(connection: sqlite3.Connection) -> datetime | None:
    """The earliest `wake_at` of all rows."""
    earliest = [
        row[0]
        for sql in _NEXT
        for priority in Priority
        if (row := connection.execute(sql, (priority.value,)).fetchone())
    ]
    return codec.from_us_or_none(min(earliest, default=None))


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Remediations by phase, and `needs_you`, `active`, `total`."""
    result = {"needs_you": 0, "active": 0, "total": 0}
    for phase, rank, n in connection.execute(
        "SELECT phase, sort_rank, count(*) FROM remediation INDEXED BY remediation_order GROUP BY phase, sort_rank"
    ):
        result[phase] = result.get(phase, 0) + n
        result["total"] += n
        result["active"] += 0 if phase in FINAL else n
        result["needs_you"] += n if rank == 0 else 0
    return result


def approval(connection: sqlite3.Connection, approval_id: str) -> Approval | None:
    """One approval with its votes."""
    row = connection.execute("SELECT id, doc, version FROM approval WHERE id = ?", (approval_id,)).fetchone()
    return _with_votes(connection, row) if row else None


def approvals(connection: sqlite3.Connection, phase: ApprovalPhase | None, remediation_id: str) -> Sequence[Approval]:
    """Approvals, those that expire first first."""
    conditions, values = ["1"], []
    if phase is not None:
        conditions.append("phase = ?")
        values.append(phase.value)
    if remediation_id:
        conditions.append("remediation_id = ?")
        values.append(remediation_id)
    rows = connection.execute(
        f"SELECT id, doc, version FROM approval WHERE {' AND '.join(conditions)} ORDER BY expires_at, id",  # noqa: S608 - own conditions
        values,
    ).fetchall()
    return [_with_votes(connection, row) for row in rows]


def _with_votes(connection: sqlite3.Connection, row: tuple[str, bytes, int]) -> Approval:
    id_, doc, version = row
    votes = connection.execute(
        "SELECT principal, verdict, at, reason FROM vote WHERE approval_id = ? ORDER BY position", (id_,)
    )
    return codec.approval_from(id_, doc, version, tuple(codec.vote_from(vote) for vote in votes))


def journal(connection: sqlite3.Connection, after: int, limit: int, remediation_id: str) -> Sequence[JournalEntry]:
    """Entries with seq > after, in order."""
    where = "remediation_id = ? AND seq > ?" if remediation_id else "seq > ?"
    values = (remediation_id, after, limit) if remediation_id else (after, limit)
    rows = connection.execute(
        f"SELECT {codec.JOURNAL_COLUMNS} FROM journal WHERE {where} ORDER BY seq LIMIT ?",  # noqa: S608 - own columns
        values,
    )
    return [codec.entry_from(row) for row in rows]

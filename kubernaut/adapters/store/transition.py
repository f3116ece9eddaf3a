"""One transition is written whole or not at all: rows with their version check, journal entries, messages to the outside."""

import sqlite3
from datetime import datetime

from kubernaut.domain.approvals import Approval
from kubernaut.domain.errors import Conflict, NotFound
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import ImperativeTrack, Track
from kubernaut.domain.values import changed
from kubernaut.ports import Change

from . import codec, outbox
from .derived import Head, derive, settle
from .tail import JournalTail


def write(connection: sqlite3.Connection, tail: JournalTail, change: Change, now: datetime) -> Change:
    """Write the change inside the transaction that is open, and return it with the versions that its rows have now.

    Raises:
        Conflict: a row has another version, or the fingerprint belongs to another active remediation.
        NotFound: a row that should be updated does not exist.
    """
    heads: dict[str, Head] = {}
    remediation = change.remediation
    if remediation is not None:
        remediation = _write_remediation(connection, remediation, heads, now)
    tracks = tuple(_write_track(connection, track, heads, now) for track in change.tracks)
    approvals = tuple(_write_approval(connection, approval) for approval in change.approvals)
    drafts = list(change.journal)
    for head in heads.values():
        if not head.moved:
            continue
        if phase_entry := settle(connection, head, _end_of(change, head.id), _moment(drafts, now)):
            drafts.append(phase_entry)
    if drafts:
        tail.append(drafts)
    if change.outbox:
        outbox.put(connection, change.outbox, now)
    return Change(remediation, tracks, approvals, change.journal, change.outbox)


def _moment(drafts: list[JournalDraft], now: datetime) -> datetime:
    return drafts[-1].at if drafts else now


def _end_of(change: Change, remediation_id: str) -> datetime | None:
    ends = [track.ended_at for track in change.tracks if track.remediation_id == remediation_id]
    if change.remediation is not None and change.remediation.id == remediation_id:
        ends.append(change.remediation.ended_at)
    return max((end for end in ends if end is not None), default=None)


def _head(connection: sqlite3.Connection, remediation_id: str, heads: dict[str, Head]) -> Head:
    head = heads.get(remediation_id) or Head.read(connection, remediation_id)
    if head is None:
        raise NotFound(f"there is no remediation {remediation_id}")
    heads[remediation_id] = head
    return head


_UPDATE_REMEDIATION = (
    "UPDATE remediation SET environment = ?1, priority = ?2, assessment = ?3, wake_at = iif(woken, min(?4, ?5), ?4),"
    " woken = 0, haystack = ?6, version = version + 1 WHERE id = ?7"
)
_UPDATE_TRACK = (
    "UPDATE track SET phase = ?1, wake_at = iif(woken, min(?2, ?3), ?2), woken = 0, doc = ?4, version = version + 1"
    " WHERE id = ?5 AND version = ?6"
)
"""A part that was woken while its stage was under way is looked at again at once: its stage may not have seen why."""


def _write_remediation(
    connection: sqlite3.Connection, item: Remediation, heads: dict[str, Head], now: datetime
) -> Remediation:
    doc = codec.remediation_document(item)
    if item.version == 0:
        insert_remediation(connection, item, doc)
        _head(connection, item.id, heads)
        return changed(item, version=1)
    head = _head(connection, item.id, heads)
    if head.version != item.version:
        raise Conflict(f"remediation {item.id} changed since it was read: version {head.version}, not {item.version}")
    connection.execute(
        _UPDATE_REMEDIATION,
        (item.environment, item.priority.value, item.assessment.value, codec.to_us_or_none(item.wake_at),
         codec.to_us(now), codec.haystack(item), item.id),
    )  # fmt: skip
    connection.execute("UPDATE document SET doc = ? WHERE remediation_id = ?", (doc, item.id))
    if head.priority != item.priority.value:
        connection.execute("UPDATE track SET priority = ? WHERE remediation_id = ?", (item.priority.value, item.id))
    if head.fingerprint != item.fingerprint:
        _move(connection, item, head.fingerprint)
    head.move(assessment=item.assessment.value)
    head.priority = item.priority.value
    return changed(item, version=item.version + 1)


def _move(connection: sqlite3.Connection, item: Remediation, old_fingerprint: str) -> None:
    """The failure is another owner's than intake knew: its firings are known under both names from now on."""
    target = item.target
    try:
        connection.execute(
            "UPDATE remediation SET fingerprint = ?, cluster = ?, kind = ?, namespace = ?, name = ? WHERE id = ?",
            (item.fingerprint, target.cluster, target.kind, target.namespace, target.name, item.id),
        )
    except sqlite3.IntegrityError as e:
        raise Conflict(f"the failure of {target} has an active remediation already, {item.id} can't take it") from e
    connection.execute(
        "INSERT INTO occurrence (fingerprint, occurrence, remediation_id, source, resolved_at) SELECT ?, occurrence,"
        " remediation_id, source, resolved_at FROM occurrence WHERE fingerprint = ? AND remediation_id = ?"
        " ON CONFLICT DO NOTHING",
        (item.fingerprint, old_fingerprint, item.id),
    )


_INSERT_REMEDIATION = (
    "INSERT INTO remediation (id, fingerprint, cluster, kind, namespace, name, environment, priority, assessment, phase,"
    " active, needs_you, sort_rank, wake_at, created_at, ended_at, signal, severity, signal_count, first_seen, last_seen,"
    " occurrence, resolved_at, haystack, version) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,1)"
)


def insert_remediation(connection: sqlite3.Connection, item: Remediation, doc: bytes) -> None:
    """A new row; Conflict when the id or the active fingerprint is taken."""
    derived, signal, target = derive(item.assessment.value, None, None), item.signal, item.target
    try:
        connection.execute(
            _INSERT_REMEDIATION,
            (item.id, item.fingerprint, target.cluster, target.kind, target.namespace, target.name, item.environment,
             item.priority.value, item.assessment.value, derived.phase, derived.active, derived.needs_you,
             derived.sort_rank, codec.to_us_or_none(item.wake_at), codec.to_us(item.created_at),
             codec.to_us_or_none(item.ended_at), signal.name, codec.RANK[signal.severity], signal.count,
             codec.to_us(signal.first_seen), codec.to_us(signal.last_seen), signal.occurrence,
             codec.to_us_or_none(signal.resolved_at), codec.haystack(item)),
        )  # fmt: skip
    except sqlite3.IntegrityError as e:
        raise Conflict(f"remediation {item.id} exists, or its failure has an active remediation already") from e
    connection.execute("INSERT INTO document (remediation_id, doc) VALUES (?, ?)", (item.id, doc))
    connection.execute(
        "INSERT INTO occurrence (fingerprint, occurrence, remediation_id, source) VALUES (?, ?, ?, ?)",
        (item.fingerprint, signal.occurrence, item.id, signal.source.value),
    )


def _write_track(connection: sqlite3.Connection, track: Track, heads: dict[str, Head], now: datetime) -> Track:
    head = _head(connection, track.remediation_id, heads)
    doc, phase, wake_at = codec.track_document(track), track.phase.value, codec.to_us_or_none(track.wake_at)
    if track.version == 0:
        try:
            connection.execute(
                "INSERT INTO track (id, remediation_id, kind, phase, priority, wake_at, doc, version)"
                " VALUES (?,?,?,?,?,?,?,1)",
                (track.id, track.remediation_id, track.kind.value, phase, head.priority, wake_at, doc),
            )
        except sqlite3.IntegrityError as e:
            raise Conflict(f"remediation {track.remediation_id} has its {track.kind} track already") from e
    else:
        updated = connection.execute(
            _UPDATE_TRACK, (phase, wake_at, codec.to_us(now), doc, track.id, track.version)
        ).rowcount
        if not updated:
            raise _mismatch(connection, "track", track.id, track.version)
    if isinstance(track, ImperativeTrack):
        head.move(imperative=phase)
        _write_steps(connection, track)
    else:
        head.move(gitops=phase)
    return changed(track, version=track.version + 1)


_UPSERT_STEP = (
    "INSERT INTO step (track_id, position, step_id, phase, doc) VALUES (?,?,?,?,?) ON CONFLICT (track_id, position)"
    " DO UPDATE SET step_id = excluded.step_id, phase = excluded.phase, doc = excluded.doc"
)


def _write_steps(connection: sqlite3.Connection, track: ImperativeTrack) -> None:
    """Write the steps that differ from what is there: most transitions leave them as they are."""
    there = connection.execute("SELECT doc FROM step WHERE track_id = ? ORDER BY position", (track.id,)).fetchall()
    for position, run in enumerate(track.steps):
        doc = codec.encode(run)
        if position >= len(there) or there[position][0] != doc:
            connection.execute(_UPSERT_STEP, (track.id, position, run.step_id, run.phase.value, doc))
    if len(there) > len(track.steps):
        connection.execute("DELETE FROM step WHERE track_id = ? AND position >= ?", (track.id, len(track.steps)))


def _write_approval(connection: sqlite3.Connection, approval: Approval) -> Approval:
    doc, expires_at = codec.approval_document(approval), codec.to_us(approval.expires_at)
    if approval.version == 0:
        try:
            connection.execute(
                "INSERT INTO approval (id, remediation_id, track_id, phase, expires_at, doc, version)"
                " VALUES (?,?,?,?,?,?,1)",
                (approval.id, approval.remediation_id, approval.track_id, approval.phase.value, expires_at, doc),
            )
        except sqlite3.IntegrityError as e:
            raise Conflict(f"approval {approval.id} exists already, or its remediation does not") from e
    else:
        updated = connection.execute(
            "UPDATE approval SET phase = ?, expires_at = ?, doc = ?, version = version + 1 WHERE id = ? AND version = ?",
            (approval.phase.value, expires_at, doc, approval.id, approval.version),
        ).rowcount
        if not updated:
            raise _mismatch(connection, "approval", approval.id, approval.version)
    connection.executemany(
        "INSERT INTO vote (approval_id, position, principal, verdict, at, reason) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT (approval_id, position) DO NOTHING",
        [
            (approval.id, position, vote.principal, vote.verdict.value, codec.to_us(vote.at), vote.reason)
            for position, vote in enumerate(approval.votes)
        ],
    )
    return changed(approval, version=approval.version + 1)


def _mismatch(connection: sqlite3.Connection, table: str, id_: str, expected: int) -> Conflict | NotFound:
    row = connection.execute(f"SELECT version FROM {table} WHERE id = ?", (id_,)).fetchone()  # noqa: S608 - own names
    if row is None:
        return NotFound(f"there is no {table} {id_}")
    return Conflict(f"{table} {id_} changed since it was read: version {row[0]}, not {expected}")

"""Rows and values: what is a column, what is a document, and how both become one value again.

Documents are JSON of the frozen dataclasses. Whatever changes without its document (counters, wake times, versions) is a
column, and the column wins when both are read back.
"""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from kubernaut.domain.approvals import Approval, Verdict, Vote
from kubernaut.domain.errors import BadInput, Permanent
from kubernaut.domain.journal import JournalEntry
from kubernaut.domain.plans import StepRun
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import GitOpsTrack, ImperativeTrack, Track, TrackKind
from kubernaut.domain.values import Severity, changed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
SEVERITIES = tuple(Severity)
RANK = {severity: rank for rank, severity in enumerate(Severity)}

_encoder = msgspec.json.Encoder()
_remediation = msgspec.json.Decoder(Remediation)
_imperative = msgspec.json.Decoder(ImperativeTrack)
_gitops = msgspec.json.Decoder(GitOpsTrack)
_step = msgspec.json.Decoder(StepRun)
_approval = msgspec.json.Decoder(Approval)
_object = msgspec.json.Decoder(dict[str, Any])

T = TypeVar("T")


def to_us(moment: datetime) -> int:
    """Whole microseconds since 1970-01-01 UTC; refuses a time without a zone."""
    try:
        return (moment - EPOCH) // _MICROSECOND
    except TypeError as e:
        raise BadInput(f"the time {moment} has no time zone; use UTC") from e


def to_us_or_none(moment: datetime | None) -> int | None:
    """As `to_us`; None stays None."""
    return None if moment is None else to_us(moment)


def from_us(epoch_us: int) -> datetime:
    """The moment, UTC."""
    return EPOCH + timedelta(microseconds=epoch_us)


def from_us_or_none(epoch_us: int | None) -> datetime | None:
    """As `from_us`; None stays None."""
    return None if epoch_us is None else from_us(epoch_us)


def encode(value: object, what: str = "") -> bytes:
    """JSON of a domain value.

    Args:
        what: the value's name in the error; its type when left out.

    Raises:
        BadInput: it holds something that JSON can't say.
    """
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, OverflowError) as e:
        raise BadInput(f"{what or type(value).__name__} can't be stored: {e}") from e


def _decode(decoder: "msgspec.json.Decoder[T]", doc: bytes, what: str) -> T:
    try:
        return decoder.decode(doc)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise Permanent(f"the stored document of {what} can't be read ({e}): restore it from a backup") from e


def object_from(doc: bytes, what: str) -> dict[str, Any]:
    """A free-form JSON object."""
    return _decode(_object, doc, what)


# ------------------------------------------------------------------------------------------------- remediations

REMEDIATION_COLUMNS = (
    "r.id, d.doc, r.wake_at, r.ended_at, r.severity, r.signal_count, r.first_seen, r.last_seen, r.occurrence,"
    " r.resolved_at, r.version"
)


def remediation_document(remediation: Remediation) -> bytes:
    """The remediation without its tracks, which have rows of their own."""
    if remediation.imperative is not None or remediation.gitops is not None:
        remediation = changed(remediation, imperative=None, gitops=None)
    return encode(remediation)


def remediation_from(row: tuple[Any, ...]) -> Remediation:
    """The remediation of a row of `REMEDIATION_COLUMNS`, without its tracks."""
    (id_, doc, wake_at, ended_at, severity, count, first_seen, last_seen, occurrence, resolved_at, version) = row
    stored = _decode(_remediation, doc, f"remediation {id_}")
    signal = changed(
        stored.signal,
        severity=SEVERITIES[severity],
        count=count,
        first_seen=from_us(first_seen),
        last_seen=from_us(last_seen),
        occurrence=occurrence,
        resolved_at=from_us_or_none(resolved_at),
    )
    return changed(
        stored,
        signal=signal,
        wake_at=from_us_or_none(wake_at),
        ended_at=from_us_or_none(ended_at),
        version=version,
    )


def haystack(remediation: Remediation) -> str:
    """The text that a listing's words are looked for in; the phase is looked for in its own column."""
    best = remediation.analysis.best if remediation.analysis else None
    target = remediation.target
    return " ".join(
        (
            remediation.id, str(target), target.kind, target.cluster, remediation.signal.name,
            best.failure_class if best else "", best.cause if best else "",
        )
    ).lower()  # fmt: skip


# ------------------------------------------------------------------------------------------------------- tracks

TRACK_COLUMNS = "id, kind, wake_at, doc, version"


_DOCUMENTED = [field.name for field in fields(ImperativeTrack) if field.name != "steps"]
_documented = attrgetter(*_DOCUMENTED)


def track_document(track: Track) -> bytes:
    """The track without its steps, which have rows of their own."""
    if isinstance(track, ImperativeTrack):
        return encode(dict(zip(_DOCUMENTED, _documented(track), strict=True)), type(track).__name__)
    return encode(track)


def track_from(row: tuple[Any, ...], steps: tuple[StepRun, ...]) -> Track:
    """The track of a row of `TRACK_COLUMNS` with its steps."""
    id_, kind, wake_at, doc, version = row
    wake = from_us_or_none(wake_at)
    if kind == TrackKind.IMPERATIVE:
        imperative = _decode(_imperative, doc, f"track {id_}")
        return changed(imperative, wake_at=wake, steps=steps, version=version)
    return changed(_decode(_gitops, doc, f"track {id_}"), wake_at=wake, version=version)


def step_from(doc: bytes, what: str) -> StepRun:
    """One step's state."""
    return _decode(_step, doc, what)


# ---------------------------------------------------------------------------------------------------- approvals


def approval_document(approval: Approval) -> bytes:
    """The approval without its votes, which have rows of their own."""
    return encode(replace(approval, votes=()))


def approval_from(id_: str, doc: bytes, version: int, votes: tuple[Vote, ...]) -> Approval:
    """The approval with its votes."""
    return replace(_decode(_approval, doc, f"approval {id_}"), votes=votes, version=version)


def vote_from(row: tuple[Any, ...]) -> Vote:
    """The vote of a row (principal, verdict, at, reason)."""
    principal, verdict, at, reason = row
    return Vote(principal, Verdict(verdict), from_us(at), reason)


# ------------------------------------------------------------------------------------------------------ journal

JOURNAL_COLUMNS = "seq, at, kind, message, actor, remediation_id, track, data, previous_hash, hash"


def entry_from(row: tuple[Any, ...]) -> JournalEntry:
    """The journal entry of a row of `JOURNAL_COLUMNS`."""
    seq, at, kind, message, actor, remediation_id, track, data, previous_hash, hash_ = row
    what = f"journal entry {seq}"
    return JournalEntry(
        seq, from_us(at), kind, message, actor, remediation_id, track, object_from(data, what), previous_hash, hash_
    )

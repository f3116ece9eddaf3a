"""The journal: gapless, append-only, each entry bound to the one before it by its hash."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .values import canonical

GENESIS = "0" * 64
"""The hash that the first entry is bound to."""


@dataclass(frozen=True, slots=True)
class JournalDraft:
    """An entry before the store gives it its place.

    Args:
        kind: what sort of entry, as `signal`, `phase`, `intent`, `mutation`, `vote`, `policy`, `pull-request`.
        actor: who did it: `kubernaut`, or a principal as `ana`.
        message: one sentence for people; never a secret.
        track: `imperative`, `gitops` or empty.
    """

    at: datetime
    kind: str
    message: str
    actor: str = "kubernaut"
    remediation_id: str = ""
    track: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An entry in its place: `seq` counts from 1 without gaps."""

    seq: int
    at: datetime
    kind: str
    message: str
    actor: str
    remediation_id: str
    track: str
    data: dict[str, Any]
    previous_hash: str
    hash: str


def _hash(seq: int, draft: JournalDraft, previous_hash: str) -> str:
    body = [
        seq,
        draft.at.isoformat(),
        draft.kind,
        draft.message,
        draft.actor,
        draft.remediation_id,
        draft.track,
        draft.data,
    ]
    return hashlib.sha256(previous_hash.encode() + canonical(body)).hexdigest()


def chain(draft: JournalDraft, seq: int, previous_hash: str) -> JournalEntry:
    """Give a draft its place behind the entry with `previous_hash`."""
    return JournalEntry(
        seq, draft.at, draft.kind, draft.message, draft.actor, draft.remediation_id, draft.track, draft.data,
        previous_hash, _hash(seq, draft, previous_hash),
    )  # fmt: skip


def first_broken(entries: Iterable[JournalEntry], previous_hash: str = GENESIS, seq: int = 1) -> int | None:
    """The place of the first entry that is missing or was changed; None when the chain holds."""
    for entry in entries:
        draft = JournalDraft(
            entry.at, entry.kind, entry.message, entry.actor, entry.remediation_id, entry.track, entry.data
        )
        if entry.seq != seq or entry.previous_hash != previous_hash or entry.hash != _hash(seq, draft, previous_hash):
            return seq
        seq, previous_hash = seq + 1, entry.hash
    return None

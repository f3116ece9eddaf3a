"""The journal: gapless, append-only, each entry bound to the one before it by its hash."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from json.encoder import encode_basestring as _quoted
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


def seal(draft: JournalDraft, seq: int, previous_hash: str, data: str) -> str:
    """The hash of a draft in its place: SHA-256 over the hash before it and one canonical JSON array of its fields.

    The array is put together from its parts, because whoever writes entries has the largest of them, the data, at hand.

    Args:
        data: the canonical form of the draft's data as it will be read back.
    """
    words = (draft.at.isoformat(), draft.kind, draft.message, draft.actor, draft.remediation_id, draft.track)
    body = f"{previous_hash}[{seq},{','.join(map(_quoted, words))},{data}]"
    return hashlib.sha256(body.encode()).hexdigest()


def chain(draft: JournalDraft, seq: int, previous_hash: str) -> JournalEntry:
    """Give a draft its place behind the entry with `previous_hash`."""
    return JournalEntry(
        seq, draft.at, draft.kind, draft.message, draft.actor, draft.remediation_id, draft.track, draft.data,
        previous_hash, seal(draft, seq, previous_hash, canonical(draft.data).decode()),
    )  # fmt: skip


def first_broken(entries: Iterable[JournalEntry], previous_hash: str = GENESIS, seq: int = 1) -> int | None:
    """The place of the first entry that is missing or was changed; None when the chain holds."""
    for entry in entries:
        draft = JournalDraft(
            entry.at, entry.kind, entry.message, entry.actor, entry.remediation_id, entry.track, entry.data
        )
        sealed = seal(draft, seq, previous_hash, canonical(entry.data).decode())
        if entry.seq != seq or entry.previous_hash != previous_hash or entry.hash != sealed:
            return seq
        seq, previous_hash = seq + 1, entry.hash
    return None

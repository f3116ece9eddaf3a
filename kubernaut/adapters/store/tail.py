"""The journal's tail is known to the writer alone, so every entry gets the next place and the hash of the one before.

The tail moves with the transaction: rolling a savepoint back puts it back, too, which is why `seq` has no gaps.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC

import msgspec

from kubernaut.domain.errors import BadInput, Permanent
from kubernaut.domain.journal import GENESIS, JournalDraft, seal
from kubernaut.domain.values import canonical

from .codec import from_us, object_from, to_us

Mark = tuple[int, str, int]

_sorted = msgspec.json.Encoder(order="sorted")

_INSERT = (
    "INSERT INTO journal (seq, at, kind, message, actor, remediation_id, track, data, previous_hash, hash)"
    " VALUES (?,?,?,?,?,?,?,?,?,?)"
)


class JournalTail:
    """Where the journal ends: the newest entry's seq and hash."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        row = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        self.seq: int = row[0] if row else 0
        self.hash: str = row[1] if row else GENESIS
        self._rows: list[tuple[object, ...]] = []
        self.safe: Mark = self.mark()
        """The tail as of the last commit."""

    def mark(self) -> Mark:
        """The tail as it is now, for `reset`."""
        return self.seq, self.hash, len(self._rows)

    def reset(self, mark: Mark) -> None:
        """Put the tail back, because the entries since were rolled back."""
        self.seq, self.hash, rows = mark
        del self._rows[rows:]

    def keep(self) -> bool:
        """The transaction is on the disk: its tail is safe. Returns whether the journal grew."""
        grew = self.safe[0] != self.seq
        self.safe = self.mark()
        return grew

    def append(self, drafts: Iterable[JournalDraft]) -> None:
        """Give each draft its place; `write` puts them into the file.

        The hash is taken over what can be read back, not over what was handed in: data is turned into JSON first, so
        that a time or a tuple in it does not break the chain later.
        """
        for draft in drafts:
            at_us = to_us(draft.at)
            if draft.at.tzinfo is not UTC:
                draft = replace(draft, at=from_us(at_us))
            text, readable = _read_back(draft) if draft.data else ("{}", "{}")
            try:
                hash_ = seal(draft, self.seq + 1, self.hash, readable)
            except UnicodeEncodeError as e:
                raise BadInput(f"a journal entry of kind {draft.kind} holds text that is no Unicode: {e}") from e
            self._rows.append(
                (self.seq + 1, at_us, draft.kind, draft.message, draft.actor, draft.remediation_id, draft.track,
                 text.encode(), self.hash, hash_)
            )  # fmt: skip
            self.seq, self.hash = self.seq + 1, hash_

    def write(self) -> None:
        """Write the entries of the whole transaction at once, just before it is committed."""
        self._connection.executemany(_INSERT, self._rows)
        self._rows.clear()


def _read_back(draft: JournalDraft) -> tuple[str, str]:
    """The data as it is written, and the canonical form of what will be read: for almost all data they are the same.

    Another encoder that gives the same text for what was read proves it. Where it does not (a number too large for 64
    bits comes back as a float), the slow way is taken.
    """
    try:
        text = canonical(draft.data)
        read = object_from(text, "its data")
        same = _sorted.encode(read) == text
        return text.decode(), (text if same else canonical(read)).decode()
    except (TypeError, ValueError, Permanent) as e:
        raise BadInput(f"the data of a journal entry of kind {draft.kind} is no JSON: {e}") from e

"""The store on one SQLite file: what it acknowledged survives kill -9 and a power cut."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

from kubernaut.domain.approvals import Approval, ApprovalPhase
from kubernaut.domain.errors import Permanent
from kubernaut.domain.journal import GENESIS, JournalEntry, first_broken
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.ports import Change, Clock, Due, Intake, OutboxMessage, Page, Query, Taken

from . import intake, listing, outbox, queries, transition
from .lock import FileLock
from .readers import Readers
from .schema import connect, migrate
from .writer import Writer

FOLLOW_PAGE = 500
VERIFY_PAGE = 2000
FEW = 4
"""Remediations that are read on the spot: some 0.1 ms each."""


class SqliteStore:
    """`ports.Store` on SQLite; one process at a time holds it. Made by `open`.

    Args:
        make_writer: builds the writer, given what it has to call after each commit.
    """

    def __init__(
        self, lock: FileLock, readers: Readers, clock: Clock, make_writer: Callable[[Callable[[], None]], Writer]
    ) -> None:
        self._lock = lock
        self._readers = readers
        self._clock = clock
        self._closed = False
        self._arrival = asyncio.Event()
        self._writer = make_writer(self._announce)

    @classmethod
    async def open(cls, path: Path, clock: Clock) -> Self:
        """Open the file, or make it, and bring it to the present schema.

        Raises:
            Permanent: another process has it, a newer version wrote it, or it is damaged or no SQLite file.
            Temporary: the folder or the file can't be written.
        """
        async with AsyncExitStack() as stack:
            lock = await asyncio.to_thread(FileLock.acquire, path.with_name(f"{path.name}.lock"))
            stack.callback(lock.release)
            connection = await asyncio.to_thread(connect, path)
            stack.callback(connection.close)
            try:
                await asyncio.to_thread(migrate, connection, path)
                readers = Readers(path)
                stack.push_async_callback(readers.close)
                store = cls(lock, readers, clock, partial(Writer, connection))
            except sqlite3.DatabaseError as e:
                raise Permanent(f"the store {path} is damaged ({e}): restore it from a backup") from e
            stack.pop_all()  # they are the store's now
            return store

    async def close(self) -> None:
        """Commit what is queued, end all followers, let the file go. Closing twice closes once."""
        if self._closed:
            return
        self._closed = True
        await self._writer.close()
        self._arrival.set()
        await self._readers.close()
        self._lock.release()

    def _announce(self) -> None:
        self._arrival.set()
        self._arrival = asyncio.Event()

    # ------------------------------------------------------------------------------------------------- writing

    async def take(self, intakes: Sequence[Intake]) -> Sequence[Taken]:
        """See `ports.Store.take`."""
        return await self._writer.submit(lambda connection, tail: [intake.take(connection, tail, i) for i in intakes])

    async def commit(self, change: Change) -> Change:
        """See `ports.Store.commit`."""
        return await self._writer.submit(
            lambda connection, tail: transition.write(connection, tail, change, self._clock.now())
        )

    async def outbox_done(self, message_id: int) -> None:
        """See `ports.Store.outbox_done`."""
        now = self._clock.now()
        await self._writer.submit(lambda connection, _: outbox.done(connection, message_id, now))

    async def outbox_retry(self, message_id: int, at: datetime, error: str) -> None:
        """See `ports.Store.outbox_retry`."""
        await self._writer.submit(lambda connection, _: outbox.retry(connection, message_id, at, error))

    # ------------------------------------------------------------------------------------------------- reading

    async def remediation(self, remediation_id: str) -> Remediation | None:
        """See `ports.Store.remediation`. Raises Permanent when its stored documents are damaged."""
        return self._readers.answer(lambda c: queries.remediation(c, remediation_id))

    async def active(self, fingerprint: str) -> str | None:
        """See `ports.Store.active`."""
        return self._readers.answer(lambda c: queries.active(c, fingerprint))

    async def history(self, owner: ResourceRef, since: datetime, limit: int = 20) -> Sequence[Remediation]:
        """See `ports.Store.history`. A few are answered on the spot, for most owners have none but the one that asks."""
        few = self._readers.answer(lambda c: queries.history(c, owner, since, min(limit, FEW)))
        if len(few) < FEW or limit <= FEW:
            return few
        return await self._readers.ask(lambda c: queries.history(c, owner, since, limit))

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        """See `ports.Store.due`."""
        return self._readers.answer(lambda c: queries.due(c, now, limit))

    async def next_wake(self) -> datetime | None:
        """See `ports.Store.next_wake`."""
        return self._readers.answer(queries.next_wake)

    async def list(self, query: Query) -> Page:
        """See `ports.Store.list`. A remediation whose documents are damaged shows as escalated, with the reason."""
        return await self._readers.ask(lambda c: listing.page(c, query))

    async def counts(self) -> Mapping[str, int]:
        """See `ports.Store.counts`."""
        return await self._readers.ask(queries.counts)

    async def approval(self, approval_id: str) -> Approval | None:
        """See `ports.Store.approval`."""
        return self._readers.answer(lambda c: queries.approval(c, approval_id))

    async def approvals(self, phase: ApprovalPhase | None = None, remediation_id: str = "") -> Sequence[Approval]:
        """See `ports.Store.approvals`."""
        return await self._readers.ask(lambda c: queries.approvals(c, phase, remediation_id))

    async def outbox(self, now: datetime, limit: int) -> Sequence[OutboxMessage]:
        """See `ports.Store.outbox`."""
        return await self._readers.ask(lambda c: outbox.due(c, now, limit))

    # ----------------------------------------------------------------------------------------------- the journal

    async def journal(self, after: int, limit: int, remediation_id: str = "") -> Sequence[JournalEntry]:
        """See `ports.Store.journal`."""
        return await self._readers.ask(lambda c: queries.journal(c, after, limit, remediation_id))

    async def last_seq(self) -> int:
        """See `ports.Store.last_seq`."""
        return self._writer.last_seq

    async def follow(self, after: int) -> AsyncIterator[JournalEntry]:
        """See `ports.Store.follow`. Entries are read from the file, never handed over from memory, so that a slow
        follower costs no memory and none misses or repeats one."""
        while not self._closed:
            arrival = self._arrival
            entries = await self.journal(after, FOLLOW_PAGE) if self._writer.last_seq > after else ()
            for entry in entries:
                yield entry
                after = entry.seq
            if not entries:
                await arrival.wait()

    async def verify_journal(self) -> int | None:
        """The place of the first journal entry that is missing or was changed; None when the chain holds."""
        seq, previous_hash = 0, GENESIS
        while entries := await self.journal(seq, VERIFY_PAGE):
            broken = await asyncio.to_thread(first_broken, entries, previous_hash, seq + 1)
            if broken is not None:
                return broken
            seq, previous_hash = entries[-1].seq, entries[-1].hash
        return None

"""One connection writes; whoever waits meanwhile shares the next commit.

A commit costs a flush to the disk whatever is in it, so all jobs that queued up during one flush go into the next
transaction together. One job's error costs its neighbours nothing: most errors (a stale version) come before the job's
first write, and after any other the transaction is rolled back and its jobs run again, each in a savepoint. Savepoints
for everybody cost a tenth of a transition. A future resolves only after the commit, and all futures of a batch come back
to the event loop in one call.

The statements of a batch run on the event loop for a few milliseconds at most, and only the flush goes to the writer's
thread. Statements on the thread were measured: every one of them gives the interpreter lock away and waits up to 5 ms
for it while the loop is busy, which made the 99th percentile about twice as long (docs/store.md), and all of it is work
that the loop's core has to do anyway.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from kubernaut.domain.errors import Conflict, KubernautError, Permanent, Temporary

from .tail import JournalTail

T = TypeVar("T")
Job = Callable[[sqlite3.Connection, JournalTail], T]
"""Statements and their result. It has no effect but through its arguments, because it may be run twice."""

SHORTEST_SLICE_S, LONGEST_SLICE_S = 0.005, 0.025
"""How long the jobs of one transaction may keep the event loop: three times as long as the last flush took, within
these bounds, so that a slow disk is asked less often."""

CHECKPOINT_PAGES = 4000
"""Pages of the write-ahead log after which a commit folds it into the file."""

BUSY_RETRY_S = 0.02
BUSY_LIMIT_S = 5.0
"""How long another process, as a backup, may hold the file before the jobs that wait are told."""


@dataclass(slots=True)
class _Waiting:
    job: Job[Any]
    future: "asyncio.Future[Any]"
    result: Any = None
    error: Exception | None = None

    def tell(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """The only one that writes.

    Args:
        connection: for the writer alone; closed with it.
        committed: called after each commit that added to the journal.
    """

    def __init__(self, connection: sqlite3.Connection, committed: Callable[[], None]) -> None:
        connection.execute("PRAGMA busy_timeout=0")
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        self._connection = connection
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._tail = JournalTail(connection)
        self._queue: deque[_Waiting] = deque()
        self._slice_s = SHORTEST_SLICE_S
        self._flush_began = 0.0
        self._busy_since: float | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False

    @property
    def last_seq(self) -> int:
        """The newest journal entry that is safe on the disk."""
        return self._tail.safe[0]

    def submit(self, job: Job[T]) -> "asyncio.Future[T]":
        """Have the job run in the next transaction; the future resolves after its commit.

        Raises (through the future):
            Temporary: nothing was written; the disk is full or another process holds the file.
            Permanent: the store is closed.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if self._closing:
            future.set_exception(Permanent("the store is closed"))
            return future
        self._queue.append(_Waiting(job, future))
        if self._idle.is_set():
            self._idle.clear()
            self._loop.call_soon(self._turn)
        return future

    async def close(self) -> None:
        """Commit what is queued, then close the connection."""
        self._closing = True
        await self._idle.wait()
        await self._loop.run_in_executor(self._disk, self._connection.close)
        self._disk.shutdown()

    def _turn(self) -> None:
        """One transaction: begin, run jobs until the slice is over, hand the flush to the thread."""
        if not self._begin():
            return
        until = self._loop.time() + self._slice_s
        batch: list[_Waiting] = []
        attempt = self._attempt
        try:
            while self._queue:
                waiting = self._queue.popleft()
                if waiting.future.cancelled():
                    continue
                batch.append(waiting)
                if not attempt(waiting):
                    self._again(batch)
                    attempt = self._guarded
                if self._loop.time() > until:
                    break
            self._tail.write()
        except Exception as e:
            self._give_up(batch, e)
            self._next()
            return
        self._flush_began = self._loop.time()
        flush = self._loop.run_in_executor(self._disk, self._connection.execute, "COMMIT")
        flush.add_done_callback(partial(self._deliver, batch))

    def _begin(self) -> bool:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as e:
            self._busy_since = self._busy_since or self._loop.time()
            if _is_busy(e) and self._loop.time() - self._busy_since < BUSY_LIMIT_S:
                self._loop.call_later(BUSY_RETRY_S, self._turn)
                return False
            batch = list(self._queue)
            self._queue.clear()
            self._give_up(batch, e)
            self._next()
            return False
        self._busy_since = None
        return True

    def _attempt(self, waiting: _Waiting) -> bool:
        """Run a job; False when it failed and has written something by then, so that its transaction is spoilt."""
        connection, mark = self._connection, self._tail.mark()
        before = connection.total_changes
        try:
            waiting.result = waiting.job(connection, self._tail)
        except sqlite3.OperationalError:
            raise
        except Exception as e:
            self._tail.reset(mark)
            waiting.error = _translated(e)
            return connection.total_changes == before
        return True

    def _guarded(self, waiting: _Waiting) -> bool:
        """As `_attempt`, in a savepoint: whatever a failed job has written is taken back, and nothing else."""
        self._connection.execute("SAVEPOINT job")
        if not self._attempt(waiting):
            self._connection.execute("ROLLBACK TO job")
        self._connection.execute("RELEASE job")
        return True

    def _again(self, batch: list[_Waiting]) -> None:
        """Begin the transaction anew with the same jobs, so that the one that spoilt it spoils nothing."""
        self._connection.execute("ROLLBACK")
        self._tail.reset(self._tail.safe)
        self._connection.execute("BEGIN IMMEDIATE")
        for waiting in batch:
            waiting.result = waiting.error = None
            self._guarded(waiting)

    def _deliver(self, batch: list[_Waiting], flush: "asyncio.Future[Any]") -> None:
        error = flush.exception()
        if error is not None:
            self._give_up(batch, error)
        else:
            took_s = self._loop.time() - self._flush_began
            self._slice_s = min(LONGEST_SLICE_S, max(SHORTEST_SLICE_S, 3 * took_s))
            for waiting in batch:
                waiting.tell()
            if self._tail.keep():
                self._committed()
        if self._queue:
            self._turn()  # now, so that the work of those who were just told falls into its flush
        else:
            self._idle.set()

    def _next(self) -> None:
        if self._queue:
            self._loop.call_soon(self._turn)
        else:
            self._idle.set()

    def _give_up(self, batch: list[_Waiting], cause: BaseException) -> None:
        """Nothing of the batch was written: put the tail back and tell everybody."""
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        self._tail.reset(self._tail.safe)
        for waiting in batch:
            waiting.result, waiting.error = None, waiting.error or _translated(cause)
            waiting.tell()


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _translated(error: BaseException) -> Exception:
    translated: KubernautError
    if isinstance(error, KubernautError):
        return error
    if isinstance(error, sqlite3.IntegrityError):
        translated = Conflict(f"the store refused the write: {error}")
    elif isinstance(error, sqlite3.Error) and _is_busy(error):
        translated = Temporary(f"another process holds the store ({error}): end what has the file open")
    elif isinstance(error, sqlite3.OperationalError):
        translated = Temporary(f"the store can't write ({error}): check the free space and the health of its disk")
    else:
        translated = Permanent(f"the store can't write: {type(error).__name__}: {error}")
    translated.__cause__ = error
    return translated

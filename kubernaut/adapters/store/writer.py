"""One thread writes; whoever waits meanwhile shares the next commit.

A commit costs a flush to the disk whatever is in it, so all jobs that queued up during one flush go into the next
transaction together, each in a savepoint: one job's error costs its neighbours nothing. A future resolves only after the
commit, and all futures of a batch come back to the event loop in one call.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from kubernaut.domain.errors import Conflict, KubernautError, Permanent, Temporary

from .tail import JournalTail

T = TypeVar("T")
Job = Callable[[sqlite3.Connection, JournalTail], T]

MAX_BATCH = 512
"""Jobs in one transaction at most, so that the first of them does not wait long for the last."""

CHECKPOINT_PAGES = 4000
"""Pages of the write-ahead log after which it is folded into the file."""


@dataclass(slots=True)
class _Waiting:
    job: Job[Any]
    future: "asyncio.Future[Any]"
    result: Any = None
    error: Exception | None = None


class Writer:
    """The thread that owns the only connection that writes.

    Args:
        connection: opened for this thread alone.
        committed: called on the event loop after each commit, with the journal's newest seq.
    """

    def __init__(self, connection: sqlite3.Connection, committed: Callable[[int], None]) -> None:
        self._connection = connection
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        self._tail = JournalTail(connection)
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Waiting] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self.last_seq = self._tail.seq
        self._thread.start()

    def submit(self, job: Job[T]) -> "asyncio.Future[T]":
        """Have the job run in the next transaction; the future resolves after its commit."""
        future: asyncio.Future[T] = self._loop.create_future()
        if self._closing:
            future.set_exception(Permanent("the store is closed"))
            return future
        self._queue.append(_Waiting(job, future))
        self._wake.set()
        return future

    async def close(self) -> None:
        """Commit what is queued, then end the thread."""
        self._closing = True
        self._wake.set()
        while self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while batch := self._next_batch():
                self._write(batch)
                self._loop.call_soon_threadsafe(self._deliver, batch, self._tail.seq)
            if self._closing and not self._queue:
                self._connection.close()
                return

    def _next_batch(self) -> list[_Waiting]:
        queue = self._queue
        return [queue.popleft() for _ in range(min(len(queue), MAX_BATCH))]

    def _deliver(self, batch: Sequence[_Waiting], seq: int) -> None:
        for waiting in batch:
            if waiting.future.done():
                continue
            if waiting.error is not None:
                waiting.future.set_exception(waiting.error)
            else:
                waiting.future.set_result(waiting.result)
        if seq != self.last_seq:
            self.last_seq = seq
            self._committed(seq)

    def _write(self, batch: Sequence[_Waiting]) -> None:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            for waiting in batch:
                self._attempt(waiting)
            connection.execute("COMMIT")
        except Exception as e:
            self._give_up(batch, e)

    def _attempt(self, waiting: _Waiting) -> None:
        connection, mark = self._connection, self._tail.mark()
        connection.execute("SAVEPOINT job")
        try:
            waiting.result = waiting.job(connection, self._tail)
        except sqlite3.OperationalError:
            raise
        except Exception as e:
            connection.execute("ROLLBACK TO job")
            self._tail.reset(mark)
            waiting.error = _translated(e)
        connection.execute("RELEASE job")

    def _give_up(self, batch: Sequence[_Waiting], cause: Exception) -> None:
        """Nothing of the batch was written: tell all of them, and start over from what the file says."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._tail.reload()
        for waiting in batch:
            waiting.result = None
            waiting.error = waiting.error or _translated(cause)


def _translated(error: Exception) -> Exception:
    if isinstance(error, KubernautError):
        return error
    if isinstance(error, sqlite3.IntegrityError):
        translated: KubernautError = Conflict(f"the store refused the write: {error}")
    elif isinstance(error, sqlite3.OperationalError):
        translated = Temporary(
            f"the store can't write ({error}): check the disk's free space and who else has the file"
        )
    else:
        translated = Permanent(f"the store can't write: {type(error).__name__}: {error}")
    translated.__cause__ = error
    return translated

"""Reads never wait for the writer, and the writer never for them: each has a connection that can't write.

Questions about one row, which the runner asks all the time, are answered on the spot: some 50 µs along an index. Handing
them to a thread was measured to take many times as long (docs/store.md), for a thread has to win the interpreter lock back
after every statement. Questions whose answers grow (lists, histories, the journal) go to threads, one hop for one question.

A question of several statements sees one state of the store: it runs inside a read transaction.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from kubernaut.domain.errors import Permanent, Temporary

from .listing import install
from .schema import connect

T = TypeVar("T")
Question = Callable[[sqlite3.Connection], T]

THREADS = 2
PATIENCE_MS = 50
"""How long a question that is answered on the spot waits for a file that another process is opening."""


class Readers:
    """A connection for the event loop's thread and a few threads with one each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._here = connect(path, read_only=True)
        self._here.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
        self._local = threading.local()
        self._connections = [self._here]
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="store-reader")
        self._closed = False

    def answer(self, question: Question[T]) -> T:
        """The answer to a question about a row or a few, at once; asked from the event loop's thread only.

        Raises:
            Temporary: the file can't be read now.
            Permanent: the store is closed.
        """
        self._check()
        return _answer(self._here, question)

    async def ask(self, question: Question[T]) -> T:
        """The answer to a question about many rows, from a thread; raises as `answer`."""
        self._check()
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._answer_there, question)

    async def close(self) -> None:
        """End the threads; questions under way are answered first."""
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown)
        for connection in self._connections:
            connection.close()

    def _check(self) -> None:
        if self._closed:
            raise Permanent("the store is closed")

    def _answer_there(self, question: Question[T]) -> T:
        """In a thread, which connects when it is first asked: a pool whose threads can't begin would be broken for good."""
        if not hasattr(self._local, "connection"):
            connection = connect(self._path, read_only=True)
            install(connection)
            self._connections.append(connection)
            self._local.connection = connection
        return _answer(self._local.connection, question)


def _answer(connection: sqlite3.Connection, question: Question[T]) -> T:
    try:
        connection.execute("BEGIN")
        try:
            return question(connection)
        finally:
            connection.execute("COMMIT")
    except sqlite3.Error as e:
        raise Temporary(f"the store can't be read ({e}): check the health of its disk") from e

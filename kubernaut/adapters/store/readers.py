"""Reads run on threads of their own, each with a connection that can't write; one hop for one question.

A question of several statements sees one state of the store: it runs inside a read transaction, which in WAL mode neither
waits for the writer nor makes it wait.
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


class Readers:
    """A few threads that read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="store-reader", initializer=self._connect)
        self._closed = False

    async def ask(self, question: Question[T]) -> T:
        """The answer, from one state of the store.

        Raises:
            Temporary: the file can't be read now.
            Permanent: the store is closed.
        """
        if self._closed:
            raise Permanent("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, question)

    def close(self) -> None:
        """End the threads; questions under way are answered first."""
        self._closed = True
        self._pool.shutdown(wait=True)
        for connection in self._connections:
            connection.close()

    def _connect(self) -> None:
        self._local.connection = connect(self._path, read_only=True)
        install(self._local.connection)
        self._connections.append(self._local.connection)

    def _answer(self, question: Question[T]) -> T:
        connection: sqlite3.Connection = self._local.connection
        try:
            connection.execute("BEGIN")
            try:
                return question(connection)
            finally:
                connection.execute("COMMIT")
        except sqlite3.OperationalError as e:
            raise Temporary(f"the store can't be read ({e})") from e

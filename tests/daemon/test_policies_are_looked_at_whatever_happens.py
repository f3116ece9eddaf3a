"""What goes wrong while files are looked at ends neither the looking nor the daemon."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kubernaut.adapters.rego.engine import Reload
from kubernaut.adapters.store import SqliteStore
from kubernaut.clock import SystemClock
from kubernaut.domain.errors import Temporary
from kubernaut.server.gateway.tokens import Tokens
from kubernaut.server.reloads import Reloads


@dataclass
class Engine:
    """Policies on a machine that has no room for a process the first times."""

    crowded: int = 0
    wanted: int = 1
    revision: str = "000000000000"
    looks: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def reload(self) -> Reload:
        self.looks += 1
        if self.looks <= self.crowded:
            raise Temporary("no process can be started")
        if self.looks >= self.crowded + self.wanted:
            self.done.set()
        return Reload(self.revision, changed=False)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path / "kubernaut.db", SystemClock())
    yield store
    await store.close()


async def test_what_was_edited_while_the_daemon_started_is_looked_at(tmp_path: Path, store: SqliteStore) -> None:
    engine = Engine()
    looking = asyncio.create_task(Reloads(Tokens(None), engine, tmp_path, store, SystemClock()).run(0.01))
    async with asyncio.timeout(60):
        await engine.done.wait()
    looking.cancel()


async def test_what_could_not_be_looked_at_is_looked_at_again(tmp_path: Path, store: SqliteStore) -> None:
    engine = Engine(crowded=3)
    looking = asyncio.create_task(Reloads(Tokens(None), engine, tmp_path, store, SystemClock()).run(0.01))
    async with asyncio.timeout(60):
        await engine.done.wait()
    assert engine.looks == 4
    assert not looking.done()
    looking.cancel()


async def test_folders_that_come_and_go_do_not_end_the_looking(tmp_path: Path, store: SqliteStore) -> None:
    folder, ended = tmp_path / "policies", threading.Event()
    folder.mkdir()

    def exchange() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            data = folder / f"..{number % 20}"
            data.mkdir()
            (data / "approval.rego").write_text("package x\n")
            shutil.rmtree(data)

    engine = Engine(wanted=1500)
    thread = threading.Thread(target=exchange)
    thread.start()
    looking = asyncio.create_task(Reloads(Tokens(None), engine, folder, store, SystemClock()).run(0.0))
    try:
        async with asyncio.timeout(60):
            await asyncio.wait(
                {looking, asyncio.ensure_future(engine.done.wait())}, return_when=asyncio.FIRST_COMPLETED
            )
    finally:
        ended.set()
        thread.join()
    assert not looking.done()
    looking.cancel()

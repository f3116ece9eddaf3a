"""A link that dies between the daemon's deed and its reply: the console says UNKNOWN, looks, and never repeats."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kubernaut.domain.approvals import ApprovalPhase

from .desk import console, desk, until

pytestmark = pytest.mark.timeout(110)


class Wire:
    """A socket in front of the daemon's that can lose what comes back of a POST."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.cut = False
        self.posts = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, away = await asyncio.open_unix_connection(str(self.target))
        lost = asyncio.Event()

        async def forth() -> None:
            while data := await reader.read(65536):
                if data.startswith(b"POST /v1/approvals"):
                    self.posts += 1
                    if self.cut:
                        lost.set()
                away.write(data)
                await away.drain()
            away.close()

        async def back() -> None:
            while data := await there.read(65536):
                if lost.is_set():
                    self.cut = False
                    writer.transport.abort()
                    return
                writer.write(data)
                await writer.drain()
            writer.close()

        with contextlib.suppress(ConnectionError):
            await asyncio.gather(forth(), back())
        for end in (writer, away):
            end.close()
            with contextlib.suppress(ConnectionError):
                await end.wait_closed()


@asynccontextmanager
async def wire(target: Path, path: Path) -> AsyncIterator[Wire]:
    made = Wire(target)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(made.carry(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_unix_server(accept, str(path))
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def test_a_vote_whose_reply_is_lost_is_cast_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as home:
        await home.four()
        async with wire(home.socket, tmp_path / "wire.sock") as between:
            app = console(tmp_path / "wire.sock")
            async with app.run_test(size=(80, 24)) as pilot:
                await until(app, "rr-09c1de", "LIVE")
                await pilot.press("colon", *"rw", "space", *"drill", "enter")
                await until(app, "READ-WRITE")
                await pilot.press("2")
                await until(app, "1 pending")
                await pilot.press("a")
                await until(app, "Type n5")
                await asyncio.sleep(0.4)
                between.cut = True
                await pilot.press("n", "5")
                await until(app, "the reply was lost; read back, it is now")
                approval = await home.approval()
                assert approval.phase is ApprovalPhase.APPROVED
                assert len(approval.votes) == 1
                assert between.posts == 1

"""Names and groups of users may come from a server far away; while that is silent everybody else is served."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from kubernaut.domain.approvals import Role
from kubernaut.domain.errors import Temporary
from kubernaut.server.principals import Directory, Membership


@pytest.fixture
def silence() -> Iterator[threading.Event]:
    """Set at the end of the silence, at the latest at the end of the test."""
    over = threading.Event()
    yield over
    over.set()


@asynccontextmanager
async def served(directory: Directory, path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    async def name(request: web.Request) -> web.Response:
        try:
            who = await directory.peer(request)
        except Temporary as error:
            return web.Response(status=503, text=str(error))
        return web.Response(text=f"{who.name} {who.role}")

    async def alive(request: web.Request) -> web.Response:
        return web.Response(text="alive")

    app = web.Application()
    app.add_routes([web.get("/name", name), web.get("/alive", alive)])
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path), limit=0)) as session:
        yield session
    await runner.cleanup()


async def text(session: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    async with session.get(f"http://x{path}") as response:
        return response.status, await response.text()


async def test_others_are_answered_while_it_is_asked(tmp_path: Path, silence: threading.Event) -> None:
    asked = threading.Event()

    def slow(uid: int, gid: int) -> tuple[str, list[str]]:
        asked.set()
        assert silence.wait(60)
        return "ana", ["sre"]

    directory = Directory({Role.APPROVER: Membership(frozenset(), frozenset({"sre"}))}, slow, look_up_s=60)
    async with served(directory, tmp_path / "s") as session, asyncio.timeout(60):
        waiting = asyncio.create_task(text(session, "/name"))
        await asyncio.to_thread(asked.wait)
        assert await text(session, "/alive") == (200, "alive")
        assert not waiting.done()
        silence.set()
        assert await waiting == (200, "ana approver")


async def test_who_can_not_be_named_in_time_is_told_where_to_look(tmp_path: Path, silence: threading.Event) -> None:
    def never(uid: int, gid: int) -> tuple[str, list[str]]:
        assert silence.wait(60)
        return "ana", []

    async with served(Directory({}, never, look_up_s=0.1), tmp_path / "s") as session, asyncio.timeout(60):
        status, said = await text(session, "/name")
    assert status == 503
    assert "directory does not say within 0.1 s who user" in said
    assert "sssd" in said

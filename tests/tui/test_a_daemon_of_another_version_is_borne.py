"""Replies that lack what this console needs are told in their place; the console goes on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from .desk import console, screen, until
from .documents import page, status

pytestmark = pytest.mark.timeout(110)


class Stranger:
    """A daemon that answers what it is told to."""

    def __init__(self) -> None:
        self.page: dict[str, Any] = {"items": [{"id": "rr-4f2abc", "story": "no more than this"}], "total": 1}

    async def remediations(self, _: web.Request) -> web.Response:
        return web.json_response(self.page)

    async def status(self, _: web.Request) -> web.Response:
        return web.json_response(status())

    async def journal(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b'{"heartbeat": "2026-03-01T03:12:00.000Z", "seq": 6}\n')
                await asyncio.sleep(0.5)
        return response


@asynccontextmanager
async def stranger(path: Path) -> AsyncIterator[Stranger]:
    made = Stranger()
    app = web.Application()
    app.add_routes(
        [
            web.get("/v1/status", made.status),
            web.get("/v1/remediations", made.remediations),
            web.get("/v1/journal", made.journal),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    try:
        yield made
    finally:
        await runner.cleanup()


async def test_a_list_that_can_not_be_read_is_told_and_read_again(tmp_path: Path) -> None:
    async with stranger(tmp_path / "s.sock") as daemon:
        app = console(tmp_path / "s.sock")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "The list can't be read", "console and daemon", "LIVE")
            daemon.page = page()
            await pilot.press("ctrl+r")
            await until(app, "rr-09c1de", "shop/checkout")
            assert "can't be read" not in screen(app)

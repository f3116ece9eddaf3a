"""Replies that lack what this console needs are told in their place; the console goes on."""

import asyncio
import contextlib
import json
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
        self.state: Any = status()
        self.entries: list[Any] = []
        self.answers: dict[str, tuple[int, Any]] = {}

    async def remediations(self, _: web.Request) -> web.Response:
        return web.json_response(self.page)

    async def status(self, _: web.Request) -> web.Response:
        return web.json_response(self.state)

    async def anything(self, request: web.Request) -> web.Response:
        code, body = self.answers.get(request.path, (404, {"error": {"code": "not_found", "message": "no such thing"}}))
        return web.json_response(body, status=code)

    async def journal(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for entry in self.entries:
            await response.write(json.dumps(entry).encode() + b"\n")
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
            web.route("*", "/v1/{rest:.*}", made.anything),
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


async def test_a_status_that_can_not_be_read_is_told_and_asked_for_again(tmp_path: Path) -> None:
    async with stranger(tmp_path / "s.sock") as daemon:
        daemon.page = page()
        daemon.state = {**status(), "me": None, "clusters": {}}
        app = console(tmp_path / "s.sock")
        async with app.run_test(size=(80, 24)):
            await until(app, "DOWN", "reply can't be read")
            daemon.state = status()
            await until(app, "LIVE", "rr-09c1de")


@pytest.mark.parametrize("entry", [None, [], {"seq": 7}, {"seq": 7, "remediation_id": ["rr"], "kind": {}}, "x"])
async def test_a_journal_that_can_not_be_read_is_told(tmp_path: Path, entry: object) -> None:
    async with stranger(tmp_path / "s.sock") as daemon:
        daemon.page, daemon.entries = page(), [entry]
        app = console(tmp_path / "s.sock")
        async with app.run_test(size=(80, 24)):
            await until(app, "DOWN since", "reply can't be read")
            daemon.entries = []
            await until(app, "LIVE", "rr-09c1de")


@pytest.mark.parametrize(
    "answer",
    [(500, {"error": None}), (500, None), (503, {"error": {"code": [], "message": {}}}), (200, None), (200, {})],
)
async def test_a_detail_that_can_not_be_read_says_so_in_its_place(tmp_path: Path, answer: tuple[int, Any]) -> None:
    async with stranger(tmp_path / "s.sock") as daemon:
        daemon.page = page()
        for each in ("rr-4f2abc", "rr-4f2abc/yaml"):
            daemon.answers[f"/v1/remediations/{each}"] = answer
        app = console(tmp_path / "s.sock")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "rr-4f2abc")
            await pilot.press("g", "enter")
            await until(app, "rr-4f2abc", "daemon")
            await pilot.press("y")
            text = await until(app, "> yaml", "the daemon")
            assert "reading …" not in text
            await pilot.press("1")
            await until(app, "rr-09c1de")


async def test_a_row_further_down_that_can_not_be_shown_does_not_end_the_console(tmp_path: Path) -> None:
    async with stranger(tmp_path / "s.sock") as daemon:
        rows = [{**page()["items"][3], "id": f"rr-{n:06d}"} for n in range(60)]
        rows[30] = {"id": "rr-odd000"}
        daemon.page = {"items": rows, "total": 60}
        app = console(tmp_path / "s.sock")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "rr-000000")
            await pilot.press("space", "space")
            await until(app, "that can't be shown (KeyError)", "LIVE", "20 of 60")
            await pilot.press("k")
            await until(app, "19 of 60")


async def test_a_change_whose_reply_can_not_be_read_is_unknown(tmp_path: Path) -> None:
    async with stranger(tmp_path / "s.sock") as daemon:
        daemon.page = page()
        daemon.state = status(armed=False)
        daemon.answers["/v1/arm"] = (200, {"well": "done"})
        app = console(tmp_path / "s.sock")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(app, "rr-4f2abc", "READ-ONLY")
            await pilot.press("colon", *"rw", "space", *"drill", "enter")
            await until(app, "UNKNOWN whether read-write for production happened", "READ-ONLY")

"""The genuine Alertmanager delivers what was fired, as it was fired."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

pytestmark = pytest.mark.genuine


@dataclass
class Listener:
    """A receiver of webhooks that keeps what it got."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: "asyncio.Queue[tuple[str, dict[str, Any]]]" = field(default_factory=asyncio.Queue)

    async def receive(self, request: web.Request) -> web.Response:
        await self.got.put((request.headers.get("Authorization", ""), await request.json()))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def next(self) -> tuple[str, dict[str, Any]]:
        async with asyncio.timeout(20):
            return await self.got.get()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    app = web.Application()
    app.router.add_post("/hook", listener.receive)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    listener.url = f"http://127.0.0.1:{port}/hook"
    yield listener
    await runner.cleanup()


async def test_a_fired_alert_arrives_with_its_labels_and_the_token(listener: Listener, start_alertmanager: Any) -> None:
    alertmanager = await start_alertmanager(listener.url, token="secret-token")
    since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    await alertmanager.fire(
        {"alertname": "KubePodCrashLooping", "namespace": "shop", "pod": "web-1"}, {"summary": "crash"}, starts_at=since
    )
    authorization, body = await listener.next()
    assert authorization == "Bearer secret-token"
    assert body["version"] == "4"
    [alert] = body["alerts"]
    assert alert["status"] == "firing"
    assert alert["labels"] == {"alertname": "KubePodCrashLooping", "namespace": "shop", "pod": "web-1"}
    assert datetime.fromisoformat(alert["startsAt"]) == since


async def test_a_resolve_arrives_after_the_firing(listener: Listener, start_alertmanager: Any) -> None:
    alertmanager = await start_alertmanager(listener.url)
    labels = {"alertname": "KubePodNotReady", "namespace": "shop", "pod": "web-1"}
    await alertmanager.fire(labels)
    assert (await listener.next())[1]["alerts"][0]["status"] == "firing"
    await alertmanager.resolve(labels)
    assert (await listener.next())[1]["alerts"][0]["status"] == "resolved"


async def test_a_delivery_answered_503_is_repeated(listener: Listener, start_alertmanager: Any) -> None:
    listener.answers.append(503)
    alertmanager = await start_alertmanager(listener.url, group_interval="5s")
    await alertmanager.fire({"alertname": "KubePodNotReady", "namespace": "shop", "pod": "web-1"})
    first, second = await listener.next(), await listener.next()
    assert first[1]["alerts"][0]["fingerprint"] == second[1]["alerts"][0]["fingerprint"]

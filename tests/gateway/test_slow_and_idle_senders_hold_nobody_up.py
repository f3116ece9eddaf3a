"""A sender that dawdles is let go, and many idle ones leave room for the next."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kubernaut.adapters.store import SqliteStore
from kubernaut.clock import SystemClock
from kubernaut.pipeline.intake import IntakeDesk
from kubernaut.server.gateway import app
from kubernaut.server.gateway.alertmanager import read

from .house import CLUSTER, TOKEN, House, alert, house, payload


@pytest.fixture
def head() -> bytes:
    return f"POST /v1/alertmanager HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n".encode()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path, head: bytes) -> None:
    async with house(tmp_path, gateway={"read_deadline_s": 0.3}) as home:
        reader, writer = await asyncio.open_connection("127.0.0.1", home.running.gateway_port)
        writer.write(head + b"Content-Length: 100\r\n\r\n{")
        async with asyncio.timeout(10):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
            rest = await reader.read()
        assert b"did not arrive within 0.3 s" in rest
        await _closed(writer)
        assert (await home.post(payload(alert(1))))[0] == 200


async def test_a_trickle_is_no_body(tmp_path: Path, head: bytes) -> None:
    async with house(tmp_path, gateway={"read_deadline_s": 0.5}) as home:
        reader, writer = await asyncio.open_connection("127.0.0.1", home.running.gateway_port)
        writer.write(head + b"Content-Length: 100000\r\n\r\n")

        async def trickle() -> None:
            with contextlib.suppress(ConnectionError):
                while True:
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())
        async with asyncio.timeout(10):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        trickling.cancel()
        await _closed(writer)


async def test_a_head_that_does_not_end_is_not_waited_for(home: House) -> None:
    gateway = app.Gateway(None, None, None, lambda: "", max_body_bytes=10, read_deadline_s=1)  # type: ignore[arg-type]
    runner = web.ServerRunner(gateway.server(idle_s=0.3), shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        for sent in (b"", b"POST /v1/alertm", b"GET /healthz HTTP/1.1\r\nX: y\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
            writer.write(sent)
            async with asyncio.timeout(10):
                assert await reader.read() == b""
            await _closed(writer)
    finally:
        await runner.cleanup()


async def test_three_hundred_idle_senders_leave_room_for_one_more(home: House, head: bytes) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", home.running.gateway_port) for _ in range(300)]
    for _, writer in idle[::2]:
        writer.write(head)
    status, _ = await home.post(payload(alert(1)))
    assert status == 200
    for _, writer in idle:
        await _closed(writer)


async def test_a_sender_that_asks_before_a_large_body_is_told_to_go_on(home: House, head: bytes) -> None:
    body = b'{"version": "4", "alerts": []}'
    reader, writer = await asyncio.open_connection("127.0.0.1", home.running.gateway_port)
    writer.write(head + f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        await reader.readline()
        writer.write(body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    await _closed(writer)


async def test_a_sender_without_a_token_does_not_get_to_send_its_body(home: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", home.running.gateway_port)
    writer.write(b"POST /v1/alertmanager HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
    await _closed(writer)


@pytest.mark.parametrize(
    "request_text",
    [b"GARBAGE\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(500)) + b"\r\n",
     b"POST /v1/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     b"POST /v1/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"],
)  # fmt: skip
async def test_what_is_no_http_is_refused(home: House, request_text: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", home.running.gateway_port)
    writer.write(request_text)
    async with asyncio.timeout(10):
        line = await reader.readline()
    assert line == b"" or line.split()[1].startswith(b"4")
    await _closed(writer)
    assert (await home.post(payload(alert(1))))[0] == 200


class Silent:
    """A cluster that never answers."""

    def __init__(self) -> None:
        self.asked = 0

    def cached(self, kind: str, namespace: str, name: str) -> None:
        return None

    async def list(self, kind: str) -> None:
        self.asked += 1
        await asyncio.Event().wait()


async def test_a_silent_cluster_is_waited_for_once_a_delivery(tmp_path: Path) -> None:
    """A node alert knows an address, and whose it is only the cluster knows; many alerts must not wait many times."""
    clock, silent = SystemClock(), Silent()
    store = await SqliteStore.open(tmp_path / "kubernaut.db", clock)
    desk = IntakeDesk(store, {CLUSTER: silent}, clock, 300.0, lambda: None)  # type: ignore[dict-item]
    labels = {"alertname": "KubeNodeNotReady", "pod": None, "namespace": None, "container": None}
    alerts = [alert(n, labels=labels | {"instance": f"10.0.{n // 250}.{n % 250}:9100"}) for n in range(200)]
    notification = await read(json.dumps(payload(*alerts)).encode(), lambda _labels: CLUSTER)
    taken = await desk.take(notification.signals)
    assert {one.outcome for one in taken} == {"opened"}
    assert silent.asked == 1
    await store.close()


async def test_a_huge_delivery_lets_others_to_the_disk_while_it_is_taken(tmp_path: Path) -> None:
    """Neither the event loop nor the store's one writer belongs to whoever sends much."""
    clock = SystemClock()
    store = await SqliteStore.open(tmp_path / "kubernaut.db", clock)
    desk = IntakeDesk(store, {CLUSTER: Silent()}, clock, 300.0, lambda: None)  # type: ignore[dict-item]
    huge, small = [
        (await read(json.dumps(payload(*map(alert, numbers))).encode(), lambda _labels: CLUSTER)).signals
        for numbers in (range(3000), range(2999, 3001))
    ]
    delivery = asyncio.create_task(desk.take(huge))
    await asyncio.sleep(0)
    [last_of_huge, _] = await desk.take(small)
    assert not delivery.done()
    assert (await store.counts())["total"] < 1000
    taken = await delivery
    assert [one.outcome for one in taken] == ["opened"] * 2999 + ["attached"]
    assert taken[-1].remediation_id == last_of_huge.remediation_id
    assert (await store.counts())["total"] == 3001
    await store.close()


def _costly() -> list[dict[str, Any]]:
    """Each of them costs as much as a hundred small ones."""
    labels = {f"l{n}": f"https://user:password@host-{n}/" + "x" * 900 for n in range(55)}
    return [alert(n, labels={key: f"{n}{value}" for key, value in labels.items()}) for n in range(100)]


@pytest.mark.parametrize(
    "alerts", [_costly(), [alert(n, status="maybe") for n in range(20_000)]], ids=["costly", "many that are wrong"]
)
async def test_while_a_group_is_read_others_get_their_turn(alerts: list[dict[str, Any]]) -> None:
    """Half a second of reading without a pause would be half a second in which nobody is told that we live."""
    body = json.dumps(payload(*alerts)).encode()
    reading = asyncio.create_task(read(body, lambda _labels: CLUSTER))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    notification = await reading
    assert len(notification.signals) + len(notification.rejected) == len(alerts)
    assert turns > 4

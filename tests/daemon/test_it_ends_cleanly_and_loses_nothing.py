"""SIGTERM ends the daemon within five seconds whatever hangs on its doors; kill -9 takes nothing that was acknowledged."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
from gateway.house import alert, payload

from kubernaut.lab.parts.http import answers

from .process import Life, life


async def test_it_ends_while_streams_requests_and_idle_connections_are_open(one: Life) -> None:
    await one.start()
    assert await one.post(payload(alert(1))) == 200
    streams = [await asyncio.open_unix_connection(str(one.house.socket)) for _ in range(5)]
    for reader, writer in streams:
        writer.write(b"GET /v1/journal?follow=true HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    idle = [await asyncio.open_connection("127.0.0.1", one.house.port) for _ in range(20)]
    half = await asyncio.open_connection("127.0.0.1", one.house.port)
    head = f"POST /v1/alertmanager HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {one.house.token}\r\n"
    half[1].write(f"{head}Content-Length: 999\r\n\r\n{{".encode())
    used = await asyncio.open_connection("127.0.0.1", one.house.port)
    used[1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await used[0].readline()).startswith(b"HTTP/1.1 200")
    status, took_s = await one.terminate()
    for _, writer in [*streams, *idle, half, used]:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    assert status == 0, one.log
    assert took_s < 5
    assert not one.house.socket.exists()
    assert "Traceback" not in one.log


async def test_what_was_acknowledged_survives_kill_9(one: Life) -> None:
    await one.start()
    for number in range(20):
        assert await one.post(payload(alert(number))) == 200
    one.send(signal.SIGKILL)
    await one.ended()
    await one.start()  # the socket file that it left behind is no obstacle
    async with one.house.client() as client:
        page = await client.get("/v1/remediations", limit="500")
    assert {item["target"]["name"] for item in page["items"]} == {f"web-{n}" for n in range(20)}


async def test_somebody_who_does_not_come_back_is_not_waited_for(tmp_path: Path) -> None:
    """A thread can't be cancelled: a name server that is silent would hold up the end for as long as it likes."""
    code = (
        "import asyncio, threading\n"
        "from kubernaut.cli.daemon import end_in_any_case\n"
        "async def main():\n"
        "    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)\n"
        "    end_in_any_case(0.5)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    assert process.returncode == 0
    assert b"did not come to its end in time" in said


async def test_ctrl_c_is_a_clean_end(one: Life) -> None:
    await one.start()
    one.send(signal.SIGINT)
    status, _ = await one.ended()
    assert status == 0, one.log


@contextlib.contextmanager
def _silent(kubeconfig: Path) -> Iterator[None]:
    """A cluster that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"    server: https://127.0.0.1:{server.getsockname()[1]}"
        lines = [address if "server:" in line else line for line in kubeconfig.read_text().splitlines()]
        kubeconfig.write_text("\n".join(lines))
        yield


async def test_a_signal_during_the_start_ends_it(tmp_path: Path) -> None:
    async with life(tmp_path) as one:
        with _silent(tmp_path / "kubeconfig"):
            one.begin()
            while not (one.house.state_dir / "kubernaut.db").exists():  # noqa: ASYNC110 - a process, not a task
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.3)
            status, took_s = await one.terminate()
            assert status == 0, one.log
            assert took_s < 5
            assert "Traceback" not in one.log


async def test_while_it_starts_it_tells_health_and_takes_no_signal(tmp_path: Path) -> None:
    """What owns what is not known yet, so a signal taken now would be nobody's duplicate later."""
    async with life(tmp_path) as one:
        with _silent(tmp_path / "kubeconfig"):
            one.begin()
            async with asyncio.timeout(60), aiohttp.ClientSession() as web:
                while not await answers(f"{one.house.gateway_url}/healthz"):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.01)
                seen = set()
                while 200 not in seen:
                    async with web.get(f"{one.house.gateway_url}/readyz") as response:
                        if response.status == 503:
                            assert await response.text() == "starting\n"
                        status = await one.post(payload(alert(1)))
                        assert status == 503 or "ready" in one.log
                        seen.add(response.status)
            assert await one.post(payload(alert(9))) == 200
            await one.terminate()


async def test_a_silent_cluster_does_not_hold_up_the_others_for_long(tmp_path: Path) -> None:
    async with life(tmp_path) as one:
        (tmp_path / "kubeconfig").write_text((tmp_path / "kubeconfig").read_text().replace("127.0.0.1", "192.0.2.1"))
        await one.start()
        async with one.house.client() as client:
            [cluster] = (await client.get("/v1/clusters"))["items"]
        assert cluster["state"] != "LIVE"
        assert await one.post(payload(alert(1))) == 200
        status, took_s = await one.terminate()
        assert (status, took_s < 5) == (0, True), one.log

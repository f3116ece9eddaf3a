"""A cluster can be closed at any moment, also while it connects: no connection is left to the garbage collector.

The servers here shake hands, or not even that, and never say good-bye: what is closed politely stays open for half a minute.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_certificates import Authority

from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.sim.cluster import SimulatedCluster


class RudeServer:
    """Takes every connection in a thread of its own and never says a word after the handshake.

    Args:
        tls: None for a server that does not even shake hands.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._kept: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                taken, _ = self._socket.accept()
                self._kept.append(taken)
                if self._tls is not None:
                    with contextlib.suppress(OSError):  # the client was gone before
                        self._kept[-1] = self._tls.wrap_socket(taken, server_side=True)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for kept in self._kept:
            kept.close()

    def connections(self) -> int:
        """How many connections to it this process holds open."""
        mine = set()
        for entry in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):  # it was closed meanwhile
                mine.add(os.readlink(entry))
        rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
        return sum(row[2].endswith(f":{self.port:04X}") and f"socket:[{row[9]}]" in mine for row in rows)


@pytest.fixture(params=["silent", "rude"])
def server(request, tmp_path) -> Iterator[RudeServer]:
    authority = Authority()
    made = RudeServer(authority.server_side(tmp_path) if request.param == "rude" else None)
    authority.kubeconfig(tmp_path / "config", f"https://localhost:{made.port}", {"token": "t"})
    yield made
    made.close()


async def logged_in(path: Path, server: RudeServer, clock: Any) -> KubernetesCluster:
    """A cluster that has loaded the library and its credentials: the next request begins to connect at once."""
    cluster = await KubernetesCluster.connect("c", path, None, clock)
    read = asyncio.ensure_future(cluster.get("Node", "", "n", live=True))
    async with asyncio.timeout(60):
        while not server.connections():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    read.cancel()
    await asyncio.wait({read})
    return cluster


async def test_requests_that_were_cancelled_while_they_connected_end_with_the_cluster(server, tmp_path, clock):
    cluster = await logged_in(tmp_path / "config", server, clock)
    for turns in range(120):
        read = asyncio.ensure_future(cluster.get("Node", "", "n", live=True))
        for _ in range(turns):
            await asyncio.sleep(0)
        read.cancel()
        await asyncio.wait({read})
    await cluster.close()
    assert server.connections() == 0


async def test_a_cluster_is_closed_while_its_watches_connect(server, tmp_path, clock):
    await (await logged_in(tmp_path / "config", server, clock)).close()
    for turns in range(20):
        cluster = await KubernetesCluster.connect("c", tmp_path / "config", None, clock)
        await cluster.start()
        await asyncio.sleep(turns / 1000)
        await cluster.close()
        assert server.connections() == 0, f"after {turns} ms"


async def test_a_cluster_that_was_read_is_closed(tmp_path, clock):
    simulated = SimulatedCluster()
    await simulated.start()
    try:
        before = len(os.listdir("/proc/self/fd"))
        cluster = await KubernetesCluster.connect("c", simulated.write_kubeconfig(tmp_path / "config"), None, clock)
        await cluster.start()
        async with asyncio.timeout(60):
            await cluster.synced()
            await cluster.close()
            while len(os.listdir("/proc/self/fd")) > before:  # noqa: ASYNC110 - the server's ends, when it has noticed
                await asyncio.sleep(0.01)
    finally:
        await simulated.stop()

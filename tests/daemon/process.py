"""`kubernaut daemon` as a process of its own, on the simulated cluster of the test's process."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from gateway.house import CLUSTER

from kubernaut.lab.house import Daemon
from kubernaut.lab.parts.http import answers
from kubernaut.sim.cluster import SimulatedCluster

KUBERNAUT = (sys.executable, "-m", "kubernaut.cli.main")


def run(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """`kubernaut …` to its end."""
    return subprocess.run(
        [*KUBERNAUT, *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=cwd,
        env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@dataclass
class Life:
    """A daemon's configuration, and its process when it runs."""

    house: Daemon
    popen: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        return self.house.config

    @property
    def log(self) -> str:
        return (self.house.folder / "log").read_text()

    async def start(self) -> None:
        self.begin()
        async with asyncio.timeout(60):
            while not await answers(f"{self.house.gateway_url}/readyz"):
                assert self.popen, "begun above"
                assert self.popen.poll() is None, self.log
                await asyncio.sleep(0.05)

    def begin(self) -> None:
        with (self.house.folder / "log").open("ab") as log:
            self.popen = subprocess.Popen([*KUBERNAUT, "daemon", "--config", str(self.config)], stdout=log, stderr=log)

    def send(self, number: int) -> None:
        assert self.popen is not None
        os.kill(self.popen.pid, number)

    async def ended(self, within_s: float = 10.0) -> tuple[int, float]:
        """Exit status, and how long it took."""
        assert self.popen is not None
        began = time.monotonic()
        async with asyncio.timeout(within_s):
            while self.popen.poll() is None:  # noqa: ASYNC110 - a process, not a task
                await asyncio.sleep(0.02)
        return self.popen.returncode, time.monotonic() - began

    async def terminate(self) -> tuple[int, float]:
        self.send(signal.SIGTERM)
        return await self.ended()

    async def post(self, body: Mapping[str, Any]) -> int:
        headers = {"Authorization": f"Bearer {self.house.token}"}
        url = f"{self.house.gateway_url}/v1/alertmanager"
        async with aiohttp.ClientSession(headers=headers) as web, web.post(url, data=json.dumps(body)) as response:
            return response.status

    def kill(self) -> None:
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()


@asynccontextmanager
async def life(folder: Path, **sections: Any) -> AsyncIterator[Life]:
    """A daemon that is configured but not started; killed at the end if the test did not end it."""
    async with contextlib.AsyncExitStack() as stack:
        sim = SimulatedCluster()
        stack.push_async_callback(sim.stop)
        await sim.start("127.0.0.1")
        kubeconfig = sim.write_kubeconfig(folder / "kubeconfig", context=CLUSTER)
        extra = {"watch": {"enabled": False}, **sections}
        one = Life(Daemon(folder / "d", kubeconfig=kubeconfig, times={"patience_s": 0}, extra=extra))
        one.house.write()
        stack.callback(one.kill)
        yield one

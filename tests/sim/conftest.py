"""A simulated cluster for each test, and genuine kubectl to talk to it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from kubernaut.lab.parts import Parts
from kubernaut.sim.client import ApiClient
from kubernaut.sim.cluster import SimulatedCluster

Kubectl = Callable[..., Awaitable[str]]


@pytest.fixture
async def simulated() -> AsyncIterator[SimulatedCluster]:
    """A fresh cluster as patient as a genuine one."""
    cluster = SimulatedCluster()
    await cluster.start()
    yield cluster
    await cluster.stop()


@pytest.fixture
async def client(simulated: SimulatedCluster, tmp_path: Path) -> AsyncIterator[ApiClient]:
    async with ApiClient.from_kubeconfig(simulated.write_kubeconfig(tmp_path / "client")) as made:
        yield made


def find_kubectl() -> str:
    """The project's own build of kubectl, else the machine's; tests are skipped if there is neither."""
    parts = Parts.find()
    if not parts.why_missing(("control-plane",)):
        return str(parts.path("control-plane", "kubectl"))
    found = shutil.which("kubectl")
    if found is None:
        pytest.skip("kubectl is neither built (scripts/genuine build) nor on PATH")
    return found


@pytest.fixture
def kubectl(simulated: SimulatedCluster, tmp_path: Path) -> Kubectl:
    """Run kubectl and return its output; it must succeed unless `fails=True`."""
    program = find_kubectl()

    async def run(
        *arguments: str, user: str = "admin", stdin: str = "", fails: bool = False, within_s: float = 30
    ) -> str:
        config = simulated.write_kubeconfig(tmp_path / f"kubeconfig-{user}", user)
        environment = {"KUBECONFIG": str(config), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(within_s):
                raw, _ = await process.communicate(stdin.encode())
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        text = raw.decode()
        assert (process.returncode != 0) == fails, text
        return text

    return run

"""The database is locked by somebody else, or its disk is full: signals are refused with 503, nothing is lost, work goes on."""

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from e2e.incident import Incidents, restarts

from kubernaut.lab.alerting import Firing
from kubernaut.lab.house import Daemon
from kubernaut.lab.simulated import SimulatedWorld

Trouble = Callable[[Daemon], AbstractContextManager[None]]


async def _post(daemon: Daemon) -> int:
    """One post of an alert about a Deployment that nobody has, as Alertmanager posts it."""
    labels = {"alertname": "KubeDeploymentReplicasMismatch", "namespace": "shop", "deployment": "nope"}
    payload = Firing({**labels, "severity": "warning"}, {}, datetime.now(UTC)).payload()
    headers = {"Authorization": f"Bearer {daemon.token}"}
    timeout = aiohttp.ClientTimeout(total=30)
    async with (
        aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
        session.post(f"{daemon.gateway_url}/v1/alertmanager", json=payload) as answer,
    ):
        return answer.status


@contextmanager
def _locked(daemon: Daemon) -> Iterator[None]:
    """Somebody else, a backup perhaps, holds the write lock."""
    locker = sqlite3.connect(daemon.state_dir / "kubernaut.db", isolation_level=None, timeout=10)
    locker.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        locker.execute("ROLLBACK")
        locker.close()


@contextmanager
def _full(daemon: Daemon) -> Iterator[None]:
    """No file of the daemon may grow: every write to the database fails, as on a full disk."""
    process = daemon.pid
    assert process is not None
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("trouble", [_locked, _full])
async def test_it_is_waited_for(tmp_path: Path, trouble: Trouble) -> None:
    async with SimulatedWorld(tmp_path / "w") as world:
        incidents = Incidents(world, tmp_path)
        scenario = await incidents.broken(1)
        daemon = await incidents.daemon()
        try:
            engineer = await incidents.fired(scenario, daemon)
            pull = await engineer.proposed()
            with trouble(daemon):
                assert await _post(daemon) == 503
                assert (await engineer.look())["id"] == engineer.id, "what is known can still be read"
            assert await _post(daemon) == 200
            await engineer.merge(pull)
            document = await engineer.ended()
            assert document["phase"] == "Completed"
            assert len(await restarts(world, scenario)) == 1
            assert await incidents.chain_holds()
        finally:
            await incidents.end()

"""A daemon process that dies where it is told, as often as it is told, in a world where scenario 1 happens."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from e2e.incident import QUICK, Engineer, World, git, restarts

from kubernaut.adapters.store import SqliteStore
from kubernaut.clock import SystemClock
from kubernaut.domain.errors import Permanent
from kubernaut.lab.house import Daemon
from kubernaut.sim.scenarios import scenario

Death = tuple[str, str]
"""The step, and `before` or `after` its commit."""
NEVER: Death = ("", "")
PATIENCE_S = 6.0
TIMES = {**QUICK, "stability_s": 0.6, "verify_poll_s": 0.1, "merge_poll_s": 0.2, "sync_poll_s": 0.1}


class MortalDaemon(Daemon):
    """A daemon with the next death in its command line."""

    death: Death = NEVER

    def command(self) -> list[str]:
        """The test's own entry instead of `kubernaut daemon`."""
        return [sys.executable, str(Path(__file__).with_name("mortal_daemon.py")), str(self.config), *self.death]


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of pattern B when it is over. died: the deaths that came to pass."""

    phase: str
    tracks: tuple[str, ...]
    remediations: int
    restarts: int
    branches: int
    pull_requests: int
    merges: int
    mended: bool
    journal_holds: bool
    died: tuple[Death, ...]
    steps: tuple[str, ...]


async def live_through(world: World, folder: Path, deaths: Sequence[Death], **extra: Any) -> Left:
    """Scenario 1 from the incident to its end, with a daemon that is killed at each of `deaths` and started again."""
    chosen = scenario(1)
    await world.deploy(chosen)
    await world.break_(chosen)
    daemon = MortalDaemon(
        folder, kubeconfig=world.kubeconfig_of("kubernaut"), forge_root=world.forge_root,
        repositories=world.repositories, times=TIMES, extra={"watch": {"enabled": False}, **extra},
    )  # fmt: skip
    died: list[Death] = []
    try:
        coming = list(deaths)
        daemon.death = coming.pop(0) if coming else NEVER
        await daemon.start()
        firing = asyncio.create_task(_fire(world, daemon))
        while not await _over(daemon):
            died.append(daemon.death)
            daemon.kill()  # it is dead already; this takes its process away
            daemon.death = coming.pop(0) if coming else NEVER
            with suppress(Permanent):  # it may die of the next one before it is ready
                await daemon.start()
        await firing
        try:
            left = await _left(world, daemon)
        except aiohttp.ClientConnectionError:  # it died of the last step right after it had told the end
            died.append(daemon.death)
            daemon.kill()
            daemon.death = NEVER
            await daemon.start()
            left = await _left(world, daemon)
    finally:
        await world.end_watches()
        await daemon.stop()
    store = await SqliteStore.open(daemon.state_dir / "kubernaut.db", SystemClock())
    try:
        holds = await store.verify_journal() is None and await store.last_seq() > 0
    finally:
        await store.close()
    steps = (daemon.state_dir / "steps.txt").read_text("utf-8").splitlines()
    return Left(*left, holds, tuple(died), tuple(steps))


async def _fire(world: World, daemon: Daemon) -> None:
    """Alertmanager's patience: it posts again when nobody took it."""
    while True:
        with suppress(Exception):
            return await world.fire(scenario(1), daemon.gateway_url, daemon.token)
        await asyncio.sleep(0.2)


async def _over(daemon: Daemon) -> bool:
    """Follows the remediation to its end, and merges; False if the daemon died on the way."""
    try:
        async with daemon.client() as client:
            engineer = Engineer(client, daemon)
            while daemon.running:
                with suppress(TimeoutError):
                    await _look(engineer)
                    if engineer.id and (await engineer.look())["ended"]:
                        return True
                await asyncio.sleep(0.1)
    except Exception as error:
        await asyncio.sleep(0.2)
        if daemon.running:
            raise AssertionError(f"{error}\n{daemon.tail()}") from error
    return False


async def _look(engineer: Engineer) -> None:
    """One look of the person who merges whatever is open, after the mitigation.

    A restart gives only so much relief; a mitigation that is still not steady because the daemon keeps dying will be by the
    permanent fix, so the person does not wait for it for ever.
    """
    client = engineer.client
    items = (await client.get("/v1/remediations"))["items"]
    engineer.id = items[0]["id"] if items else ""
    track = await engineer.track("imperative") if items else {}
    if track.get("phase") != "Completed" and not _long_ago(track.get("mutated")):
        return
    for pull in (await client.get("/v1/pulls"))["items"]:
        if pull["state"] == "open":
            await engineer.merge(pull)


def _long_ago(moment: str | None) -> bool:
    return bool(moment) and (datetime.now(UTC) - datetime.fromisoformat(str(moment))).total_seconds() > PATIENCE_S


async def _left(world: World, daemon: Daemon) -> tuple[Any, ...]:
    async with daemon.client() as client:
        items = (await client.get("/v1/remediations"))["items"]
        pulls = (await client.get("/v1/pulls"))["items"]
    repository = world.forge_root / "fleet.git"
    branches = git(repository, "branch", "--list", "kubernaut/*", "--format=%(refname)").split()
    merges = git(repository, "log", "--merges", "--format=%s", "main").splitlines()
    return (
        items[0]["phase"], tuple(f"{t['kind']} {t['phase']}" for t in items[0]["tracks"]), len(items),
        len(await restarts(world, scenario(1))), len(branches), len(pulls), len(merges),
        await world.mended(scenario(1)),
    )  # fmt: skip

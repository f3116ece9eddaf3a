"""The demo: a world, a daemon and a console (or, without a terminal, incidents that are told); nothing stays behind."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from kubernaut.sim.scenarios import Scenario

from .genuine import GenuineWorld
from .house import Daemon
from .incident import Tell, break_and_fire, run_headless
from .simulated import SimulatedWorld
from .world import Stage

_BETWEEN_S = 6.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show.

    Args:
        genuine: on a genuine control plane, Argo CD and Alertmanager instead of the simulated ones.
        keep: leave the temporary folder, for a look afterwards.
    """

    scenarios: Sequence[Scenario]
    genuine: bool = False
    as_json: bool = False
    keep: bool = False


def quiet(_: str) -> None:
    """Tell nobody."""


def loud(line: str) -> None:
    """Tell on standard output, at once."""
    print(line, flush=True)


async def headless(wanted: Wanted) -> int:
    """Run the scenarios one after the other; exit status 0 when all ended as they should."""
    tell: Tell = quiet if wanted.as_json else loud
    status = 0
    async with _stage(wanted, tell) as (world, daemon):
        for scenario in wanted.scenarios:
            ended = await run_headless(world, daemon, scenario, tell)
            if wanted.as_json:
                loud(json.dumps(ended.document()))
            else:
                loud(_summary(ended.document()))
            status = status if ended.as_expected else 1
    return status


def _summary(document: dict[str, object]) -> str:
    mutation = document["signal_to_mutation_s"]
    took = f"{mutation} s from signal to mutation" if mutation is not None else "no mutation needed"
    return f"scenario {document['scenario']} {document['outcome']}: {document['story']} ({took})\n"


async def interactive(wanted: Wanted) -> int:
    """Open the console on live incidents; quitting it stops everything that was started."""
    async with _stage(wanted, loud) as (world, daemon):
        loud(f"kubectl:  export KUBECONFIG={world.kubeconfig}")
        loud(f"alerts:   {daemon.gateway_url}/v1/alertmanager   API: {daemon.socket}")
        loud("the console opens; `:q` quits it and stops everything")
        await asyncio.sleep(1.0)
        staging = asyncio.create_task(_incidents(world, daemon, wanted.scenarios))
        try:
            return await _console(daemon)
        finally:
            staging.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await staging


async def _incidents(world: Stage, daemon: Daemon, scenarios: Sequence[Scenario]) -> None:
    """One incident after the other, with a pause to look at each."""
    for scenario in scenarios:
        await break_and_fire(world, daemon, scenario, quiet)
        await asyncio.sleep(_BETWEEN_S)


async def _console(daemon: Daemon) -> int:
    """The console in the foreground of this terminal."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kubernaut_tui.main", "--socket", str(daemon.socket), env=dict(os.environ)
        )
        return await process.wait()
    finally:
        signal.signal(signal.SIGINT, previous)


@asynccontextmanager
async def _stage(wanted: Wanted, tell: Tell) -> AsyncIterator[tuple[Stage, Daemon]]:
    """A world with the scenarios deployed and healthy, and a daemon that looks after it."""
    folder = Path(tempfile.mkdtemp(prefix="kubernaut-demo-"))
    kind = GenuineWorld if wanted.genuine else SimulatedWorld
    parts = "genuine control plane, Argo CD, Alertmanager" if wanted.genuine else "simulated cluster and Argo CD"
    async with contextlib.AsyncExitStack() as stack:
        if wanted.keep:
            stack.callback(lambda: loud(f"kept: {folder}"))
        else:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        tell(f"starting: {parts}, git")
        world = await stack.enter_async_context(kind(folder / "world", forge_root=folder / "forge"))
        for scenario in wanted.scenarios:
            tell(f"deploying {scenario.app} to {scenario.namespace}, from Git by Argo CD")
            await world.deploy(scenario)
        daemon = Daemon(
            folder / "daemon", kubeconfig=world.kubeconfig, forge_root=world.forge_root, repositories=world.repositories
        )
        stack.push_async_callback(daemon.stop)
        tell("starting: kubernaut daemon")
        await daemon.start()
        yield world, daemon
        tell("stopping everything")

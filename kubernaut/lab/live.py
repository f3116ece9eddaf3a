"""The demo for a person: the console on incidents that come one after the other."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import termios
from collections.abc import Sequence

from kubernaut.domain.errors import KubernautError
from kubernaut.lab.parts.catalogue import Parts
from kubernaut.lab.parts.process import bound
from kubernaut.sim.scenarios import Scenario

from .aftermath import NORMAL_SCREEN
from .demo import loud
from .house import Client
from .incident import break_and_fire
from .scene import Scene, Wanted, scene

_ORDER = (1, 11, 3, 5, 2, 6, 4)
"""A pull request to merge and a drain to approve come first; then what needs nobody is mixed with what does."""
_READ_S, _OPENING_S = 12.0, 2.0
_BETWEEN_S, _ENOUGH, _AT_MOST_S = 25.0, 3, 60.0

_INTRODUCTION = """
The cluster, from another terminal:
  export KUBECONFIG={kubeconfig}{kubectl}

The console shows incidents one after the other, what needs
you (!) on top.
  j k    choose one, enter opens it
  d      see the proposed change
  a      approve a plan, merge a pull request: then the last
         line says what to type
  x      reject it
  ?      all keys
  :q     quit, which stops and removes all this
Nobody approves but you. Production is armed for 15 minutes
(:rw REASON arms it again).
"""


async def live(wanted: Wanted) -> int:
    """Open the console on live incidents; quitting it stops everything that was started."""
    async with scene(wanted, loud) as on:
        loud(_INTRODUCTION.format(kubeconfig=on.world.kubeconfig, kubectl=_kubectl()))
        await _enter_or(_READ_S)
        troubles: list[str] = []
        async with on.daemon.client() as client:
            await client.post("/v1/arm", {"reason": "the demo's own production"})
            incidents = asyncio.create_task(_incidents(on, client, _ordered(wanted.scenarios), troubles))
            try:
                status = await _console(on)
            finally:
                incidents.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await incidents
            if not on.daemon.running:
                status = 1
                troubles.append(f"the daemon ended by itself; the end of its log:\n{on.daemon.tail(10)}")
            for trouble in troubles:
                loud(f"kubernaut: {trouble}")
            await _balance(client)
    return status


def _kubectl() -> str:
    """What to say where `kubectl` is not on PATH."""
    if shutil.which("kubectl"):
        return ""
    built = Parts.find().folders.get("control-plane")
    return f"\n  alias kubectl={built / 'kubectl'}" if built else "\n  (kubectl is not on PATH here: install it first)"


def _ordered(scenarios: Sequence[Scenario]) -> list[Scenario]:
    places = {number: place for place, number in enumerate(_ORDER)}
    return sorted(scenarios, key=lambda each: places.get(each.number, len(places) + each.number))


async def _enter_or(seconds: float) -> None:
    """Wait so long for Enter, so that what was printed can be read; what is typed meanwhile goes nowhere else."""
    loud(f"Enter opens the console; it opens by itself in {seconds:.0f} s.")
    loop = asyncio.get_running_loop()
    pressed = asyncio.Event()
    loop.add_reader(0, pressed.set)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await pressed.wait()
    finally:
        loop.remove_reader(0)
    with contextlib.suppress(termios.error):
        termios.tcflush(0, termios.TCIFLUSH)


async def _incidents(on: Scene, client: Client, scenarios: Sequence[Scenario], troubles: list[str]) -> None:
    """One incident after the other, at the pace of somebody who reads; none is added to many that wait for a person."""
    await asyncio.sleep(_OPENING_S)
    for each in scenarios:
        try:
            await break_and_fire(on.world, on.daemon, each, lambda _: None)
        except KubernautError as error:
            troubles.append(str(error))
        await asyncio.sleep(_BETWEEN_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_AT_MOST_S):
                while await _waiting(client) >= _ENOUGH:  # noqa: ASYNC110  # asks a daemon
                    await asyncio.sleep(1.0)


async def _waiting(client: Client) -> int:
    """How many remediations need a person."""
    try:
        return int((await client.get("/v1/status"))["counts"]["needs_you"])
    except KubernautError:
        return 0


async def _console(on: Scene) -> int:
    """The console in the foreground of this terminal; ends with this process, however that ends."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # in the console Ctrl-C leaves a question
    command = bound([sys.executable, "-m", "kubernaut_tui.main", "--socket", on.daemon.socket])
    on.aftermath.terminal_is_fine = False
    process = await asyncio.create_subprocess_exec(*command, env=dict(os.environ))
    try:
        status = await process.wait()
        on.aftermath.terminal_is_fine = status >= 0
    finally:
        signal.signal(signal.SIGINT, previous)
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status < 0:
        loud(NORMAL_SCREEN)
    if status:
        loud(f"kubernaut: the console ended with status {status}")
    return 1 if status else 0


async def _balance(client: Client) -> None:
    """In one line how it went."""
    with contextlib.suppress(KubernautError):
        counts = (await client.get("/v1/status"))["counts"]
        done = counts["by_phase"].get("Completed", 0)
        incidents = "1 incident" if counts["total"] == 1 else f"{counts['total']} incidents"
        loud(f"{incidents}: {done} completed, {counts['needs_you']} still waited for you")

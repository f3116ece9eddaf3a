"""What the demo plays on: a world with its applications deployed, and a daemon that looks after it; nothing stays behind."""

import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from kubernaut.sim.scenarios import Scenario

from .aftermath import Aftermath
from .genuine import GenuineWorld
from .house import Daemon
from .simulated import SimulatedWorld
from .world import Stage

Tell = Callable[[str], None]
_PARTS = {True: "genuine control plane, Argo CD, Alertmanager and git", False: "simulated cluster and Argo CD, git"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show.

    Args:
        genuine: on a genuine control plane, Argo CD and Alertmanager instead of the simulated ones.
        as_json: one object a scenario on standard output; what is told goes to standard error.
        keep: leave the temporary folder, for a look afterwards.
    """

    scenarios: Sequence[Scenario]
    genuine: bool = False
    as_json: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """A world, its daemon and what tidies up behind them."""

    world: Stage
    daemon: Daemon
    aftermath: Aftermath


@contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """What the world logs goes to a file: standard output is a program's or the console's."""
    with path.open("w", encoding="utf-8") as file:
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(file))
        try:
            yield
        finally:
            structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))


@asynccontextmanager
async def scene(wanted: Wanted, tell: Tell) -> AsyncIterator[Scene]:
    """A world with the scenarios deployed and healthy, and a daemon that looks after it.

    Raises:
        Permanent: a part is missing or something did not come up.
    """
    servers = os.path.join(tempfile.gettempdir(), f"kubernaut-part-{os.getpid()}-*")  # a glob
    aftermath = Aftermath("kubernaut-demo-", [servers])
    folder = aftermath.folder
    async with contextlib.AsyncExitStack() as stack:
        if wanted.keep:
            aftermath.keep = True
            stack.callback(tell, f"kept: {folder}")
        stack.callback(aftermath.end)
        stack.enter_context(_log_to(folder / "world.log"))
        tell(f"starting: {_PARTS[wanted.genuine]}")
        kind = GenuineWorld if wanted.genuine else SimulatedWorld
        world = await stack.enter_async_context(kind(folder / "world", forge_root=folder / "forge"))
        for number, each in enumerate(wanted.scenarios, 1):
            tell(f"deploying {number} of {len(wanted.scenarios)}: {each.app} to {each.namespace}, from Git by Argo CD")
            await world.deploy(each)
        daemon = Daemon(
            folder / "daemon", kubeconfig=world.kubeconfig, forge_root=world.forge_root, repositories=world.repositories
        )
        stack.push_async_callback(daemon.stop)
        tell("starting: kubernaut daemon")
        await daemon.start()
        stack.callback(tell, "stopping everything")
        yield Scene(world, daemon, aftermath)

"""The daemon with an end that comes exactly where a test wants it: SIGKILL right before or right after one commit.

Everything is the daemon's own; only the store's file is opened by a subclass that counts nothing and knows one step.
Run as `python mortal_daemon.py CONFIG STEP before|after`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from kubernaut.adapters.store import SqliteStore
from kubernaut.cli.log import configure_log
from kubernaut.daemon import running
from kubernaut.domain.tracks import ImperativeTrack
from kubernaut.ports import Change, Clock, Intake, Taken
from kubernaut.settings import load

SIGNAL = "a signal"


def step_of(change: Change) -> str:
    """What a transition is, in words that are the same in each run: phases, steps, and what is said in the journal."""
    parts = [f"assessment {change.remediation.assessment}"] if change.remediation else []
    for track in change.tracks:
        steps = f"[{' '.join(run.phase for run in track.steps)}]" if isinstance(track, ImperativeTrack) else ""
        parts.append(f"{track.kind} {track.phase}{steps}")
    said = "+".join(sorted({draft.kind for draft in change.journal}))
    return ", ".join(parts) + (f" ({said})" if said else "")


class MortalStore(SqliteStore):
    """Tells each step to `steps.txt` beside the database, and dies at the one it was told."""

    step = ""
    when = ""

    @classmethod
    async def open(cls, path: Path, clock: Clock) -> Self:
        """As the genuine one, and the protocol beside it."""
        store = await super().open(path, clock)
        store.protocol = path.with_name("steps.txt")
        return store

    protocol: Path

    async def commit(self, change: Change) -> Change:
        """Commit, and die before or after it."""
        step = step_of(change)
        self._reach(step, "before")
        committed = await super().commit(change)
        with self.protocol.open("a") as file:
            file.write(f"{step}\n")
        self._reach(step, "after")
        return committed

    async def take(self, intakes: Sequence[Intake]) -> Sequence[Taken]:
        """Take signals, and die before or after it."""
        self._reach(SIGNAL, "before")
        taken = await super().take(intakes)
        self._reach(SIGNAL, "after")
        return taken

    def _reach(self, step: str, when: str) -> None:
        if (step, when) == (self.step, self.when):
            os.kill(os.getpid(), signal.SIGKILL)


async def _serve(config: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = load(config)
    configure_log(settings.log.level, settings.log.format)
    async with running(settings, open_store=MortalStore.open):
        await stop.wait()


if __name__ == "__main__":
    MortalStore.step, MortalStore.when = sys.argv[2:4]
    asyncio.run(_serve(Path(sys.argv[1])))

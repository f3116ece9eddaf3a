"""Files that may change while the daemon runs: tokens and policies. A broken edit keeps what was good, and says so."""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import structlog

from kubernaut.domain.errors import BadInput, KubernautError, Temporary
from kubernaut.domain.journal import JournalDraft
from kubernaut.ports import Change, Clock, Store
from kubernaut.server.gateway.tokens import Tokens

log = structlog.get_logger()
_SHOWN = 3


class Reloaded(Protocol):
    """What a reload came to."""

    @property
    def revision(self) -> str: ...
    @property
    def changed(self) -> bool: ...
    @property
    def faults(self) -> Sequence[object]: ...


class Policies(Protocol):
    """A policy engine that can look at its folder again."""

    @property
    def revision(self) -> str: ...
    async def reload(self) -> Reloaded: ...


class Reloads:
    """Looks at the files every few seconds, and at once when somebody asks for it (SIGHUP).

    Args:
        folder: of the policies.
    """

    def __init__(self, tokens: Tokens, policies: Policies, folder: Path, store: Store, clock: Clock) -> None:
        self._tokens = tokens
        self._policies = policies
        self._folder = folder
        self._store = store
        self._clock = clock
        self._asked = asyncio.Event()
        self._told = ""

    def now(self) -> None:
        """Look now, also at what seems unchanged."""
        self._asked.set()

    async def run(self, every_s: float) -> None:
        """Look for as long as the daemon runs; what changed in the policies, or why it was not taken, is journaled.

        Policies are read only when a name, a size or a time changed: reading them all every few seconds would be waste,
        and a fault would be told again and again.
        """
        seen = None  # the first look is at everything: somebody may have edited while the daemon started
        while True:
            asked = await self._pause(every_s)
            self._look_at_tokens(at_once=asked)
            state = await asyncio.to_thread(_state_of, self._folder)
            if (asked or state != seen) and await self._look_at_policies():
                seen = state
            if asked:
                log.info("looked again at tokens and policies", policies=self._policies.revision[:12])

    async def _pause(self, every_s: float) -> bool:
        """Whether somebody asked before the time was over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await self._asked.wait()
        asked = self._asked.is_set()
        self._asked.clear()
        return asked

    def _look_at_tokens(self, *, at_once: bool) -> None:
        try:
            self._tokens.refresh(at_once=at_once)
            self._told = ""
        except BadInput as error:
            if str(error) != self._told or at_once:
                log.warning("the tokens file can't be used, the old tokens stay valid", error=str(error))
            self._told = str(error)

    async def _look_at_policies(self) -> bool:
        """Whether that was a look; else it is tried again."""
        try:
            outcome = await self._policies.reload()
        except Temporary as error:
            log.warning("policies can't be looked at now, those in force stay", error=str(error))
            return False
        if outcome.faults:
            text = "; ".join(str(fault) for fault in outcome.faults[:_SHOWN])
            message = f"policies of {self._folder} were not taken, revision {outcome.revision[:12]} stays: {text}"
        elif outcome.changed:
            message = f"policies of {self._folder} reloaded: revision {outcome.revision[:12]}"
        else:
            return True
        data = {"revision": outcome.revision, "changed": outcome.changed, "faults": [str(f) for f in outcome.faults]}
        note = JournalDraft(self._clock.now(), "policy", message, data=data)
        try:
            await self._store.commit(Change(journal=(note,)))
        except KubernautError as error:
            log.warning("a reload could not be journaled", message_lost=message, error=str(error))
        return True


def _state_of(folder: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of all files; links are followed, because a mounted ConfigMap is made of them.

    What comes or goes meanwhile is seen at the next look.
    """
    state = []
    for above, _, names in os.walk(folder):
        for path in (os.path.join(above, name) for name in names):
            with contextlib.suppress(OSError):
                stat = os.stat(path)
                state.append((path, stat.st_size, stat.st_mtime_ns))
    return sorted(state)

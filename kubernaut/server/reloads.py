"""Files that may change while the daemon runs: tokens and policies. A broken edit keeps what was good, and says so."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import structlog

from kubernaut.domain.errors import BadInput, KubernautError
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

    async def reload(self) -> Reloaded: ...


async def reload_tokens(tokens: Tokens, every_s: float) -> None:
    """Look at the tokens file for as long as the daemon runs."""
    told = ""
    while True:
        await asyncio.sleep(every_s)
        try:
            tokens.refresh()
            told = ""
        except BadInput as error:
            if str(error) != told:
                log.warning("the tokens file can't be used, the old tokens stay valid", error=str(error))
            told = str(error)


async def reload_policies(policies: Policies, folder: Path, store: Store, clock: Clock, every_s: float) -> None:
    """Look at the policies' folder for as long as the daemon runs; what changed, or why it was not taken, is journaled.

    The files are read only when a name, a size or a time changed: reading them all every few seconds would be waste, and
    a fault would be told again and again.
    """
    seen = await asyncio.to_thread(_state_of, folder)
    while True:
        await asyncio.sleep(every_s)
        state = await asyncio.to_thread(_state_of, folder)
        if state == seen:
            continue
        outcome = await policies.reload()
        seen = state
        if outcome.faults:
            text = "; ".join(str(fault) for fault in outcome.faults[:_SHOWN])
            message = f"policies of {folder} were not taken, revision {outcome.revision[:12]} stays: {text}"
        elif outcome.changed:
            message = f"policies of {folder} reloaded: revision {outcome.revision[:12]}"
        else:
            continue
        data = {"revision": outcome.revision, "changed": outcome.changed, "faults": [str(f) for f in outcome.faults]}
        try:
            await store.commit(Change(journal=(JournalDraft(clock.now(), "policy", message, data=data),)))
        except KubernautError as error:
            log.warning("a reload could not be journaled", message_lost=message, error=str(error))


def _state_of(folder: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of all files; links are followed, because a mounted ConfigMap is made of them."""
    state = []
    for path in sorted(folder.rglob("*")):
        try:
            stat = path.stat()
        except OSError:
            continue
        state.append((str(path), stat.st_size, stat.st_mtime_ns))
    return state

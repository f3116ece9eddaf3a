"""The link to the daemon: follows the journal, reconnects by itself, and keeps what it heard until the next pulse."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from kubernaut.domain.errors import KubernautError

from .client import Client
from .events import Connected, Event, Lost, Pulse

_AGAIN_S = (0.5, 1.0, 2.0, 3.0)
_APPROVAL_KINDS = frozenset({"approval", "vote"})


def unreadable(error: Exception) -> str:
    """What to say of a reply that lacks what it should have, or has something else."""
    return f"the daemon's reply can't be read ({type(error).__name__}): console and daemon differ in version?"


class Link:
    """One connection at a time, for as long as `run` runs.

    Args:
        client: the daemon.
        feed: takes what happens.
        pause: waits so many seconds before the next attempt.
    """

    def __init__(
        self,
        client: Client,
        feed: Callable[[Event], None],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._feed = feed
        self._pause = pause
        self._tries = 0
        self._heard: set[str] = set()
        self._approvals = False
        self._last_line = 0.0

    def pulse(self) -> Pulse:
        """What was heard since the last pulse."""
        heard, approvals = frozenset(self._heard), self._approvals
        self._heard.clear()
        self._approvals = False
        return Pulse(time.monotonic(), time.time(), heard, approvals, self._last_line)

    async def run(self) -> None:
        """Connect, follow, and connect again, until cancelled; more slowly while the journal says nothing at all."""
        while True:
            try:
                status = await self._client.get("/v1/status")
                self._last_line = time.monotonic()
                self._feed(Connected(status, self._last_line))
                await self._follow(int(status["journal_seq"]))
                reason = "the daemon closed its journal"
            except KubernautError as error:
                reason = str(error)
            except Exception as error:
                reason = unreadable(error)
            self._feed(Lost(reason))
            await self._pause(_AGAIN_S[min(self._tries, len(_AGAIN_S) - 1)])
            self._tries += 1

    async def _follow(self, after: int) -> None:
        async for entry in self._client.journal(after):
            self._last_line = time.monotonic()
            self._tries = 0
            if "heartbeat" in entry:
                continue
            if entry["remediation_id"]:
                self._heard.add(entry["remediation_id"])
            self._approvals = self._approvals or entry["kind"] in _APPROVAL_KINDS

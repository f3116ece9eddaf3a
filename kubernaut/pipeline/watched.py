"""Signals that the watches raise: queued in the callback, taken by a task, so that a watch never waits for the disk."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping

import structlog

from kubernaut.domain.errors import KubernautError
from kubernaut.domain.signals import Signal

from .intake import IntakeDesk

log = structlog.get_logger()
_QUEUE = 10_000
_AT_A_TIME = 256
_AGAIN_S = 2.0


class WatchedSignals:
    """What object state says, on its way to the intake.

    Args:
        ignore_namespaces: whose objects raise no signal.
    """

    def __init__(self, ignore_namespaces: Collection[str]) -> None:
        self._ignored = frozenset(ignore_namespaces)
        self._queue: asyncio.Queue[Signal] = asyncio.Queue(_QUEUE)

    def put(self, signal: Signal) -> None:
        """Called by the watch."""
        if signal.target is not None and signal.target.namespace in self._ignored:
            return
        try:
            self._queue.put_nowait(signal)
        except asyncio.QueueFull:
            log.warning("a signal from object state was dropped, its state will raise it again", name=signal.name)

    async def pump(self, intake: IntakeDesk, count: Callable[[str, Mapping[str, int]], None]) -> None:
        """Take what was queued, for as long as the daemon runs.

        Args:
            count: told the source, and what became of how many.
        """
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty() and len(batch) < _AT_A_TIME:
                batch.append(self._queue.get_nowait())
            while batch:
                try:
                    taken = await intake.take(batch)
                except KubernautError as error:
                    log.warning("signals from object state wait for the store", error=str(error))
                    await asyncio.sleep(_AGAIN_S)
                    continue
                count("kubernetes", Counter(one.outcome for one in taken))
                del batch[: len(taken)]

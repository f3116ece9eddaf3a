"""Signals that the watches raise: kept in the callback, taken by a task, so that a watch never waits for the disk."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from itertools import islice

import structlog

from kubernaut.domain.errors import KubernautError, Permanent
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import Signal

from .intake import IntakeDesk

log = structlog.get_logger()
_AT_A_TIME = 256
_AGAIN_S = 2.0


class WatchedSignals:
    """What object state says, on its way to the intake: of one trouble of one object the latest occurrence.

    The watch tells each of them once, so none is dropped; and there are no more than there are objects, however long the store
    fails.

    Args:
        ignore_namespaces: whose objects raise no signal.
    """

    def __init__(self, ignore_namespaces: Collection[str], again_s: float = _AGAIN_S) -> None:
        self._ignored = frozenset(ignore_namespaces)
        self._again_s = again_s
        self._waiting: dict[tuple[ResourceRef | None, str], Signal] = {}
        self._there = asyncio.Event()

    def put(self, signal: Signal) -> None:
        """Called by the watch."""
        if signal.target is not None and signal.target.namespace in self._ignored:
            return
        self._waiting[signal.target, signal.name] = signal
        self._there.set()

    async def pump(self, intake: IntakeDesk, count: Callable[[str, Mapping[str, int]], None]) -> None:
        """Take what waits, for as long as the daemon runs.

        Args:
            count: told the source, and what became of how many.
        """
        most = _AT_A_TIME
        while True:
            await self._there.wait()
            batch = dict(islice(self._waiting.items(), most))
            if not batch:
                self._there.clear()
                continue
            try:
                taken = await intake.take([*batch.values()])
            except Permanent as error:  # one of them can't be stored, ever: find it, and let the others pass
                if len(batch) == 1:
                    log.error("a signal from object state can't be stored", error=str(error))
                    self._done(batch)
                most = 1
                continue
            except KubernautError as error:
                log.warning("signals from object state wait for the store", error=str(error))
                await asyncio.sleep(self._again_s)
                continue
            most = _AT_A_TIME
            count("kubernetes", Counter(one.outcome for one in taken))
            self._done(dict(islice(batch.items(), len(taken))))

    def _done(self, batch: Mapping[tuple[ResourceRef | None, str], Signal]) -> None:
        """Forget what was taken, unless it has another occurrence by now."""
        for key, signal in batch.items():
            if self._waiting.get(key) is signal:
                del self._waiting[key]

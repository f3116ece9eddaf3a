"""One task that is owned: started, stopped and never lost from sight."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Background:
    """Runs a coroutine for ever until it is stopped, possibly from another task than the one that started it.

    A TaskGroup must be left by the task that entered it, which a test fixture or a console cannot promise; here the
    group lives inside the coroutine, and this is its handle.
    """

    def __init__(self, main: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        self._main, self._name = main, name
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts it; once."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._main(), name=self._name)
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Says at once that it died, because `stop`, which raises the error, may be far away."""
        if not task.cancelled() and task.exception() is not None:
            log.error("background task died", task=self._name, error=repr(task.exception()))

    async def stop(self) -> None:
        """Cancels it, waits for its end and raises whatever it died of before.

        Who is cancelled while waiting is cancelled, and what the task still tidies up is not cut short by that.
        """
        task = self._task
        if task is None:
            return
        if not task.cancelling():
            task.cancel()
        await asyncio.wait([task])
        self._task = None
        if not task.cancelled():
            task.result()

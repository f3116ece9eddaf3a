"""`kubernaut daemon`."""

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
import threading
from pathlib import Path

import click

from kubernaut.domain.errors import BadInput, KubernautError
from kubernaut.settings import Settings, load, places
from kubernaut.settings.environment import dotted

from .config import config_option
from .log import configure_log

_FILES = 65_536
_LONGEST_END_S = 4.5
"""After so long the process ends without those who still wait; five seconds were promised."""


@click.command()
@config_option
def daemon(path: Path) -> None:
    """Take signals and act on them, in the foreground.

    `/readyz` answers 200 when signals are taken. SIGTERM and Ctrl-C end it within five seconds and lose nothing: what was
    acknowledged is on disk, what was under way is read back at the next start. SIGHUP has tokens and policies read again.

    \b
    Examples:
      kubernaut daemon --config /etc/kubernaut/kubernaut.yaml
      KUBERNAUT_LOG__FORMAT=console kubernaut daemon --config kubernaut.yaml
    """
    settings = load(path)
    configure_log(settings.log.level, settings.log.format)
    _allow_connections()
    try:
        asyncio.run(_serve(settings))
    except BaseExceptionGroup as group:
        logging.getLogger("kubernaut").error("a background task failed", exc_info=group)
        raise _first(group) from group
    except BadInput as error:
        raise _placed(error, path) from error


async def _serve(settings: Settings) -> None:
    from kubernaut.daemon import Running, running

    stop = asyncio.Event()
    serving = asyncio.current_task()
    assert serving is not None  # noqa: S101 - a coroutine that runs is run by a task
    started: list[Running] = []

    def on_end() -> None:
        """A daemon that is still starting has nothing to finish."""
        if stop.is_set():
            return
        end_in_any_case(_LONGEST_END_S)
        if not started:
            serving.cancel()
        stop.set()

    def on_hangup() -> None:
        """A terminal that is gone is no reason to end; whoever sends it wants files to be read again."""
        for running_one in started:
            running_one.reload()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_end)
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    try:
        async with running(settings) as running_one:
            started.append(running_one)
            gc.freeze()  # what is here now stays: looking through it again and again would stop everybody for 20 ms
            await stop.wait()
    except asyncio.CancelledError:
        if not stop.is_set():
            raise


def end_in_any_case(after_s: float) -> None:
    """End the process after a time, whoever it still waits for: a name server that is asked in a thread, a disk that hangs.

    It may: what was acknowledged is on disk by then, and what was under way is read back, as after a crash.
    """

    def end() -> None:
        logging.getLogger("kubernaut").warning(
            "something did not come to its end in time; it is read back at the next start"
        )
        sys.stderr.flush()
        os._exit(0)

    timer = threading.Timer(after_s, end)
    timer.daemon = True
    timer.start()


def _placed(error: BadInput, path: Path) -> BadInput:
    """The error with the line of the file where its key stands."""
    lines = {dotted(key): place for key, place in places(path).items()}
    field = error.field
    while field and field not in lines:
        field = field.rpartition("[" if field.endswith("]") else ".")[0]
    if error.place or not error.field:
        return error
    return BadInput(error.message, field=error.field, place=lines.get(field, str(path)))


def _first(group: BaseExceptionGroup[BaseException]) -> KubernautError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, KubernautError) else KubernautError(f"{type(error).__name__}: {error}")


def _allow_connections() -> None:
    """As many open files as the machine lets us have: each idle sender holds one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or soft < hard):
        wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        if wanted > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

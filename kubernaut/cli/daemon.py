"""`kubernaut daemon`."""

import asyncio
import contextlib
import logging
import resource
import signal
import sys
from pathlib import Path
from typing import TextIO, cast

import click
import structlog

from kubernaut.domain.errors import KubernautError
from kubernaut.settings import Settings, load

from .config import config_option

_FILES = 65_536


@click.command()
@config_option
def daemon(path: Path) -> None:
    """Take signals and act on them, in the foreground.

    `/readyz` answers 200 when signals are taken. SIGTERM and Ctrl-C end it within five seconds and lose nothing: what was
    acknowledged is on disk, what was under way is read back at the next start.
    """
    settings = load(path)
    configure_log(settings)
    _allow_connections()
    try:
        asyncio.run(_serve(settings))
    except BaseExceptionGroup as group:
        logging.getLogger("kubernaut").error("a background task failed", exc_info=group)
        raise _first(group) from group


async def _serve(settings: Settings) -> None:
    from kubernaut.daemon import running

    stop = asyncio.Event()
    serving = asyncio.current_task()
    assert serving is not None  # noqa: S101 - a coroutine that runs is run by a task

    def on_signal() -> None:
        """A daemon that is still starting has nothing to finish."""
        if not stop.is_set() and not started:
            serving.cancel()
        stop.set()

    started: list[bool] = []
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        async with running(settings):
            started.append(True)
            await stop.wait()
    except asyncio.CancelledError:
        if not stop.is_set():
            raise


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


class _StandardError:
    """Standard error that never fails whoever writes to it: the disk that is full may be the log's, too, and a line that
    is lost costs less than the work that would end with it."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


def configure_log(settings: Settings) -> None:
    """JSON lines (or plain ones) on standard error."""
    level = logging.getLevelNamesMapping()[settings.log.level.upper()]
    render = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if settings.log.format == "console"
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _StandardError())),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)

"""`kubernaut daemon`."""

import asyncio
import logging
import signal
import sys
from pathlib import Path

import click
import structlog

from kubernaut.settings import Settings, load

from .config import config_option


@click.command()
@config_option
def daemon(path: Path) -> None:
    """Take signals and act on them, in the foreground.

    `/readyz` answers 200 when signals are taken. SIGTERM and Ctrl-C end it within five seconds and lose nothing: what was
    acknowledged is on disk, what was under way is read back at the next start.
    """
    settings = load(path)
    configure_log(settings)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    from kubernaut.daemon import running

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings):
        await stop.wait()


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)

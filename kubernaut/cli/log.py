"""The daemon's log on standard error: a line an event, the libraries' too, and no line with a secret in it."""

import contextlib
import logging
import sys
from collections.abc import Mapping
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from kubernaut.domain.redaction import HIDDEN, is_secret_name, redact

_PLAIN = (bool, int, float, type(None))


class _StandardError:
    """Standard error that never fails whoever writes to it: the disk that is full may be the log's, too, and a line that
    is lost costs less than the work that would end with it."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


def configure_log(level: str, style: str) -> None:
    """Write from now on.

    Args:
        level: the least that is written of ours; of the libraries it is warnings, because at lower levels some of them
            write whole requests.
        style: `json` for machines, `console` for people.
    """
    stream = cast(TextIO, _StandardError())
    stamps: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Processor] = [structlog.processors.format_exc_info, hide_secrets]
    if style == "console":
        plain = structlog.dev.plain_traceback
        colours = sys.stderr.isatty()
        ending += [tame, structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]
    else:
        ending += [structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*stamps, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    of_libraries = logging.StreamHandler(stream)
    of_libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*stamps, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[of_libraries], force=True)
    logging.captureWarnings(True)


def hide_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The last look before a line is written: what looks like a secret goes, in tracebacks, too."""
    return {key: _hidden(key, value) for key, value in event.items()}


def tame(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """On a terminal nothing that somebody else wrote may steer it; tracebacks keep their lines."""
    return {key: _printable(value, "\n" if key == "exception" else "") for key, value in event.items()}


def _hidden(key: str, value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if is_secret_name(key):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(inner): _hidden(str(inner), each) for inner, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden("", each) for each in value]
    return redact(value if isinstance(value, str) else str(value))


def _printable(value: Any, kept: str) -> Any:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(sign if sign.isprintable() or sign in kept else " " for sign in value)

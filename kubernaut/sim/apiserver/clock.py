"""Times on the wire: RFC 3339 in UTC, whole seconds for Time, microseconds for MicroTime."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Read Time and MicroTime alike; fractions beyond microseconds are cut."""
    body = text[:-1] + "+00:00" if text.endswith("Z") else text
    head, dot, tail = body.partition(".")
    if dot:
        digits = ""
        while tail and tail[0].isdigit():
            digits, tail = digits + tail[0], tail[1:]
        body = f"{head}.{digits[:6].ljust(6, '0')}{tail}"
    return datetime.fromisoformat(body)

"""A daemon that answers but whose journal can't be followed is asked at growing intervals, not twice a second for ever."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kubernaut.domain.errors import Temporary
from kubernaut_tui.client import Client
from kubernaut_tui.link import Link

from .documents import status


class Failing(Client):
    """Answers for its status; its journal ends at once, after so many lines."""

    def __init__(self, lines: int) -> None:
        super().__init__(Path("/nowhere"))
        self._lines = lines

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        return status()

    async def journal(self, after: int) -> AsyncIterator[dict[str, Any]]:
        for _ in range(self._lines):
            yield {"heartbeat": "2026-03-01T03:12:00.000Z", "seq": after}
        raise Temporary("the daemon's connection ended")


@pytest.mark.parametrize(("lines", "expected"), [(0, [0.5, 1.0, 2.0, 3.0, 3.0]), (1, [0.5, 0.5, 0.5, 0.5, 0.5])])
async def test_pauses_grow_until_the_journal_speaks(lines: int, expected: list[float]) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == len(expected):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Link(Failing(lines), lambda _: None, pause=pause).run()
    assert pauses == expected

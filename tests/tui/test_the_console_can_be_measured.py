"""The benchmark's way to a console: each key it presses is answered by the paint that it waits for."""

import asyncio
from pathlib import Path

import pytest

from kubernaut.lab.bench.console import Terminal, crowd, start, under_load

pytestmark = pytest.mark.timeout(110)


def _figures(folder: Path) -> dict[str, float]:
    with crowd(folder, 300) as (socket, tell), Terminal("-m", "kubernaut_tui.main", "--socket", socket) as tty:
        figures = start(tty, 300)
        tell("pace 20")
        return figures | under_load(tty, 15)


async def test_every_key_is_answered_while_the_list_changes(tmp_path: Path) -> None:
    figures = await asyncio.to_thread(_figures, tmp_path)
    assert 0 < figures["console_key_p50_ms"] <= figures["console_key_p99_ms"] <= figures["console_key_max_ms"]
    assert figures["console_key_max_ms"] < 30_000, "a key was not answered"
    assert figures["console_bottom_ms"] < 30_000, "G was not answered"
    assert 0 < figures["console_first_paint_bytes"] < 30_000

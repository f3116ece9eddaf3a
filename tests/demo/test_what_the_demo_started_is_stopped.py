"""However the demo ends, nothing that it started lives on, and nothing that it wrote stays."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import pytest

from .running import COMMAND, environment, nothing_left, on_a_screen, processes_in, started_in


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGKILL, -9)]
)
async def test_by_a_signal(tmp: Path, number: signal.Signals, status: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--scenario", "1", "--json", stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environment(tmp)
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            while b"the alert is firing" not in (line := await process.stderr.readline()):
                assert line, "it ended by itself"
        assert any("kubernaut.cli.main daemon" in command for command in started_in(tmp))
        process.send_signal(number)
        await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == status
    await nothing_left(tmp)


async def test_by_closing_the_terminal(tmp: Path) -> None:
    with on_a_screen(tmp, "--scenario", "3") as screen:
        await screen.shows("Enter opens the console")
        screen.type("\r")
        await screen.shows("Remediations")
        assert any("kubernaut_tui" in command for command in started_in(tmp))
        screen.close()
        await nothing_left(tmp)
        assert screen.process.wait() != 0


async def test_by_a_kill_while_the_console_is_open_and_the_terminal_is_usable(tmp: Path) -> None:
    with on_a_screen(tmp, "--scenario", "3") as screen:
        await screen.shows("Enter opens the console")
        screen.type("\r")
        await screen.shows("\x1b[?1049h", "Remediations")
        assert not screen.echoes
        screen.process.kill()
        await nothing_left(tmp)
        assert screen.echoes
        assert screen.output.rindex("\x1b[?1049l") > screen.output.rindex("\x1b[?1049h")


async def test_by_a_kill_of_the_console_which_is_told_where_it_can_be_read(tmp: Path) -> None:
    with on_a_screen(tmp, "--scenario", "3") as screen:
        await screen.shows("Enter opens the console")
        screen.type("\r")
        await screen.shows("\x1b[?1049h", "Remediations")
        os.kill(max(n for n, command in processes_in(tmp).items() if "kubernaut_tui" in command), signal.SIGKILL)
        await screen.shows("the console ended with status -9")
        assert screen.output.index("\x1b[?1049l") < screen.output.index("the console ended with status -9")
        assert screen.process.wait() == 1
        assert screen.echoes
    await nothing_left(tmp)

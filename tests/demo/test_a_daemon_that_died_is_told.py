"""The daemon dies while somebody looks: the console says so, and the demo says why at its end, and still leaves nothing."""

import os
import signal
from pathlib import Path

from .running import nothing_left, on_a_screen, processes_in


async def test_console_and_demo_say_that_the_daemon_is_gone(tmp: Path) -> None:
    with on_a_screen(tmp, "--scenario", "3") as screen:
        await screen.shows("Enter opens the console")
        screen.type("\r")
        await screen.shows("Remediations", "LIVE")
        daemon = min(n for n, command in processes_in(tmp).items() if "kubernaut.cli.main daemon" in command)
        os.kill(daemon, signal.SIGKILL)
        await screen.shows("DOWN since", "no daemon listens on")
        await screen.rests()
        screen.type(":q\r")
        await screen.shows("the daemon ended by itself; the end of its log:", '"event": "ready"')
        assert screen.process.wait() == 1
    await nothing_left(tmp)

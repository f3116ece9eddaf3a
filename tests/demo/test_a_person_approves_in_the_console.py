"""On a terminal the demo says what to do, opens the console on a live incident, and one key with its answer approves."""

import os
import re
from pathlib import Path

from .running import nothing_left, on_a_screen


async def test_a_person_drains_a_node_and_quits(tmp: Path) -> None:
    with on_a_screen(tmp, "--scenario", "11") as screen:
        await screen.shows("export KUBECONFIG=", ":q", "Enter opens the console")
        assert os.path.isfile(re.findall(r"KUBECONFIG=(\S+)", screen.output)[0])  # noqa: ASYNC240
        screen.type("\r")
        await screen.shows("READ-WRITE", "drain-node media-1?")
        screen.type("a")
        await screen.shows("Type media-1")
        await screen.rests()
        screen.type("media-1")
        await screen.shows("drained and steady")
        await screen.rests()
        screen.type("\x1b")
        await screen.rests()
        screen.type(":q\r")
        await screen.shows("1 incident: 1 completed, 0 still waited for you")
        assert screen.process.wait() == 0
    await nothing_left(tmp)

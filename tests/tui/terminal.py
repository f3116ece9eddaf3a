"""A pseudo-terminal with the console in it: bytes as a slow link would carry them, and the screen they make."""

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pyte

_RUN = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class Terminal:
    """The master side."""

    def __init__(self, master: int, process: asyncio.subprocess.Process, columns: int, rows: int) -> None:
        self.master = master
        self.process = process
        self.output = bytearray()
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self.master)
        self.output += data

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    @property
    def screen(self) -> str:
        """What is seen now."""
        # pyte knows neither private modes with a final `u` nor DECRQM: what it does not know it would print
        data = re.sub(rb"\x1b\[[<>=?][0-9;]*u|\x1b\[\?[0-9;]*\$p", b"", bytes(self.output[self._fed :]))
        self._fed = len(self.output)
        self._stream.feed(data)
        return "\n".join(line.rstrip() for line in self._screen.display)

    async def until(self, *texts: str, within_s: float = 30.0) -> str:
        """Wait for texts on the screen."""
        try:
            async with asyncio.timeout(within_s):
                while not all(text in self.screen for text in texts):  # noqa: ASYNC110 - a terminal has no event
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not all of {texts} on\n{self.screen}") from None
        return self.screen

    async def still(self, quiet_s: float = 0.4) -> int:
        """Wait until nothing is written any more. Returns the bytes written in all."""
        count = -1
        while count != len(self.output):
            count = len(self.output)
            await asyncio.sleep(quiet_s)
        return count

    async def bytes_of(self, key: bytes) -> int:
        """How many bytes the console answers a key with."""
        before = await self.still(0.15)
        self.send(key)
        try:
            async with asyncio.timeout(10):
                while len(self.output) == before:  # noqa: ASYNC110 - a terminal has no event
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{key!r} was not answered on\n{self.screen}") from None
        return await self.still(0.15) - before


@asynccontextmanager
async def terminal(
    *arguments: str | Path, env: Mapping[str, str] | None = None, columns: int = 80, rows: int = 24
) -> AsyncIterator[Terminal]:
    """`kubernaut-tui` with these arguments in a terminal of its own; ended with the block."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SSH_", "TMUX", "STY", "NO_COLOR", "ESCDELAY"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _RUN, "-m", "kubernaut_tui.main", *map(str, arguments), stdin=slave, stdout=slave,
        stderr=slave, start_new_session=True, env={**kept, "TERM": "xterm-256color", **(env or {})},
    )  # fmt: skip
    os.close(slave)
    made = Terminal(master, process, columns, rows)
    try:
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)


def modes(master: int) -> list[Any]:
    """The terminal's line discipline."""
    return termios.tcgetattr(master)

"""The demo as a person starts it: the real command in a process of its own, with a temporary folder of its own."""

import asyncio
import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = (sys.executable, "-m", "kubernaut.cli.main", "demo")
_BECOME_FOREGROUND = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def environment(tmp: Path) -> dict[str, str]:
    """Our environment, with `tmp` as the place for temporary files."""
    tmp.mkdir(exist_ok=True)
    return {**os.environ, "TMPDIR": str(tmp), "TERM": "xterm-256color"}


async def eventually(holds: Callable[[], bool], what: Callable[[], str], within_s: float = 60.0) -> None:
    """Wait until something holds; fail with what is the case instead."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, what()
        await asyncio.sleep(0.1)


def processes_in(tmp: Path) -> dict[int, str]:
    """Ids and command lines of all processes that live with this temporary folder or below it."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environ = (process / "environ").read_bytes()
            if f"TMPDIR={tmp}".encode() in environ:
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return {number: command for number, command in found.items() if command}


def started_in(tmp: Path) -> list[str]:
    """The command lines of all processes that live with this temporary folder or below it."""
    return [*processes_in(tmp).values()]


async def nothing_left(tmp: Path) -> None:
    """No process, no folder, no socket of it is left; what dies takes a moment to."""
    await eventually(
        lambda: not started_in(tmp) and not list(tmp.iterdir()),
        lambda: f"left: {started_in(tmp)} {[str(path) for path in tmp.iterdir()]}",
        within_s=15.0,
    )


class Screen:
    """A terminal of 80x24 with the demo in it."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master
        self._output = bytearray()

    @property
    def output(self) -> str:
        """All that was written so far."""
        with contextlib.suppress(OSError):
            while chunk := os.read(self._master, 1 << 16):
                self._output += chunk
        return self._output.decode(errors="replace")

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    async def shows(self, *texts: str, within_s: float = 60.0) -> None:
        """Wait until all of these were written."""
        await eventually(
            lambda: all(text in self.output for text in texts),
            lambda: f"no {[text for text in texts if text not in self.output]} in {self.output[-6000:]!r}",
            within_s,
        )

    async def rests(self, quiet_s: float = 0.7) -> None:
        """Wait until it draws nothing: the console takes no answer that was typed before the question could be read."""
        before = -1
        while before != len(self.output):
            before = len(self.output)
            await asyncio.sleep(quiet_s)

    @property
    def echoes(self) -> bool:
        """Whether the terminal echoes what is typed, as a shell needs it."""
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def close(self) -> None:
        """Close the terminal's window."""
        with contextlib.suppress(OSError):
            os.close(self._master)


@contextmanager
def on_a_screen(tmp: Path, *arguments: str) -> Iterator[Screen]:
    """The demo at a terminal; killed at the end if it still runs."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _BECOME_FOREGROUND, *COMMAND[1:], *arguments],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=environment(tmp),
    )  # fmt: skip
    os.close(slave)
    screen = Screen(process, master)
    try:
        yield screen
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        screen.close()

"""The console through a pseudo-terminal, as an SSH link sees it: bytes, and the time from a key to its paint under load.

Nothing in the console takes part in measuring it. An answer to a key is told from other paints by what only it can contain:
the cursor's line (reverse video) or the character that was typed.
"""

import asyncio
import fcntl
import os
import pty
import random
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from kubernaut.domain.errors import Temporary

from .crowd import ASKING

REMEDIATIONS = 10_000
UPDATES_PER_S = 200
KEYS = 240
_STILL_S = 0.3
_WITHIN_S = 30.0
_LATE_S = 30.0
"""A key that has no answer by then has none."""
_ESCAPE_S = 1.2
"""An escape waits half a second for its sequence; what follows sooner belongs to it."""
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|.)", re.DOTALL)
_CURSOR = re.compile(rb"\x1b\[(?:[0-9]+;)*7(?:;[0-9]+)*m")
_MOVES = ((b"j", 1),) * 6 + ((b"k", -1),) * 2 + ((b" ", 19),)
_TAKE = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
_ECHO = """
import os, tty
tty.setraw(0)
os.write(1, b"ready")
while data := os.read(0, 100):
    os.write(1, b"\\x1b[7m" + data)
"""
"""The least that a program in Python can do: what it takes to answer is the machine's share."""
_FAR = {"SSH_TTY": "/dev/pts/0", "TERM": "xterm-256color"}


async def bench_console(seconds: float) -> dict[str, float]:
    """Measure a console on a daemon with 10,000 remediations.

    Args:
        seconds: how long the idle console is watched.

    Returns:
        `console_first_paint_ms` (start to the first text), `console_list_ms` (to the list), `console_first_paint_bytes` (all
        until still), `console_idle_bytes_per_s`; `console_row_bytes`, `console_key_bytes`, `console_prompt_bytes`: the most of
        several; `console_key_p50_ms` and `console_key_p99_ms`: 240 cursor keys and typed letters while 200 remediations a second
        change, `console_echo_p99_ms`: the baseline, the same keys to a program that only echoes, under the same load;
        `console_bottom_ms`: `G`, a page from the daemon; `console_cpu_percent` of one core under that load, `console_rss_mb`.
    """
    return await asyncio.to_thread(_measure, seconds)


def _measure(idle_s: float) -> dict[str, float]:
    figures: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory(prefix="kubernaut-bench-") as name,
        crowd(Path(name), REMEDIATIONS) as (socket, tell),
    ):
        with Terminal("-m", "kubernaut_tui.main", "--socket", socket) as tty:
            figures |= start(tty, REMEDIATIONS)
            figures |= _quiet(tty, tell, idle_s)
            tell(f"pace {UPDATES_PER_S}")
            tty.read(2.0)
            figures |= under_load(tty, KEYS)
        with Terminal("-c", _ECHO) as echo:
            echo.until(b"ready")
            figures["console_echo_p99_ms"] = _percentile(_pressed(echo, KEYS // 4, letters=False), 0.99)
    return figures


@contextmanager
def crowd(folder: Path, count: int) -> Iterator[tuple[str, Callable[[str], None]]]:
    """A daemon with so many remediations: its socket, and what it can be told."""
    command = [sys.executable, "-m", "kubernaut.lab.bench.crowd", str(folder), str(count)]
    with (folder / "daemon.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            if process.stdin is None or process.stdout is None:
                raise Temporary("the daemon has no pipes")
            stdin, stdout = process.stdin, process.stdout

            def answer(word: str) -> str:
                for line in stdout:
                    if line.startswith(word):
                        return line.strip()
                raise Temporary(f"the daemon ended: {(folder / 'daemon.log').read_text()[-500:]}")

            def tell(line: str) -> None:
                stdin.write(line + "\n")
                stdin.flush()
                answer(line)

            yield answer("ready ").partition(" ")[2], tell
        finally:
            process.kill()
            process.communicate()


def start(tty: "Terminal", count: int) -> dict[str, float]:
    """Wait until the list is there."""
    first = tty.until(b"kubernaut")
    listed = tty.until(f"of {count}".encode())
    tty.still()
    return {
        "console_first_paint_ms": round(first * 1000),
        "console_list_ms": round(listed * 1000),
        "console_first_paint_bytes": len(tty.output),
    }


def _quiet(tty: "Terminal", tell: Callable[[str], None], idle_s: float) -> dict[str, float]:
    """Nothing happens but what is asked for."""
    tty.read(2.0)
    idle = tty.read(idle_s) / idle_s
    rows = []
    for number in range(ASKING, ASKING + 3):
        before = len(tty.output)
        tell(f"change {number}")
        tty.read(1.6)  # it is shown at the next pulse, a second later at most
        rows.append(len(tty.output) - before)
    keys = [tty.cost(key) for key in [b"\x1b[B"] * 2 + [b"j"] * 18 + [b"k"]]
    return {
        "console_idle_bytes_per_s": round(idle, 1),
        "console_row_bytes": max(rows),
        "console_key_bytes": max(keys),
        "console_prompt_bytes": _prompt(tty),
    }


def _prompt(tty: "Terminal") -> int:
    """A question, asked where its facts are on the screen already."""
    for keys, shown in ((b":rw bench\r", b"READ-WRITE"), (b"2", b"pending"), (b"\r", b"dry run")):
        tty.send(keys)
        tty.until(shown)
        tty.still()
    tty.still(1.1)  # what a pulse brings is not the question's
    cost = tty.cost(b"a", still_s=1.1)
    if b"Type n" not in tty.text(len(tty.output) - cost):
        raise Temporary(f"no question was asked, but: {tty.text(len(tty.output) - 2000).decode(errors='replace')}")
    tty.send(b"\x1b")
    tty.still(_ESCAPE_S)
    tty.send(b"1")
    tty.still(_ESCAPE_S)
    return cost


def under_load(tty: "Terminal", keys: int) -> dict[str, float]:
    """Press so many keys while the list changes."""
    cpu, at = tty.cpu_s(), time.perf_counter()
    took = _pressed(tty, keys, letters=True)
    busy = (tty.cpu_s() - cpu) / (time.perf_counter() - at) * 100
    bottom = tty.answer(b"G", _CURSOR)
    return {
        "console_key_p50_ms": _percentile(took, 0.5),
        "console_key_p99_ms": _percentile(took, 0.99),
        "console_key_max_ms": _percentile(took, 1.0),
        "console_bottom_ms": round(bottom * 1000, 1),
        "console_cpu_percent": round(busy, 1),
        "console_rss_mb": round(tty.rss_mb(), 1),
    }


def _pressed(tty: "Terminal", count: int, *, letters: bool) -> list[float]:
    """Seconds from each of so many keys to its paint, at moments that have nothing to do with the console's own pulse."""
    chance = random.Random(11)  # noqa: S311 - a repeatable order, no secret
    took: list[float] = []
    typed = count // 5 if letters else 0
    place = 0
    for _ in range(count - typed):
        key, by = chance.choice(_MOVES) if place else _MOVES[0]  # at the top `k` has nothing to paint
        place += by
        took.append(tty.answer(key, _CURSOR))
        tty.read(chance.uniform(0.01, 0.07))
    if typed:
        tty.send(b"/")
        tty.read(_ESCAPE_S)  # a list that changes is never still
        for at in range(typed):
            letter = b"qwertz"[at % 6 : at % 6 + 1]
            took.append(tty.answer(letter, re.compile(letter + b"_")))
            tty.read(chance.uniform(0.01, 0.07))
        tty.send(b"\x1b")
        tty.read(_ESCAPE_S)
    return sorted(took)


def _percentile(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)


class Terminal:
    """The master side of an 80x24 terminal with a program of this Python in it; ended with the block."""

    def __init__(self, *arguments: str) -> None:
        self.output = bytearray()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("SSH_", "TMUX", "STY", "NO_COLOR", "ESCDELAY"))
        }
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TAKE, *arguments], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**kept, **_FAR},
        )  # fmt: skip
        os.close(slave)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def send(self, data: bytes) -> None:
        """Type."""
        os.write(self._master, data)

    def text(self, start: int = 0) -> bytes:
        """What was written from there on, without escape sequences."""
        return _ESCAPES.sub(b"", bytes(self.output[start:]))

    def read(self, seconds: float) -> int:
        """Take what comes for so long. Returns: how many bytes came."""
        before, deadline = len(self.output), time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self._more(left)
        return len(self.output) - before

    def still(self, quiet_s: float = _STILL_S) -> None:
        """Wait until nothing was written for so long."""
        while self.read(quiet_s):
            pass

    def until(self, text: bytes) -> float:
        """Wait for a text. Returns: when it came, in seconds since the program was started.

        Raises:
            Temporary: it did not come.
        """
        deadline = time.perf_counter() + _WITHIN_S
        while text not in self.text():
            if time.perf_counter() > deadline:
                raise Temporary(f"{text!r} did not come, but {self.text()[-800:]!r}")
            self._more(0.5)
        return time.perf_counter() - self._began

    def answer(self, key: bytes, expected: re.Pattern[bytes]) -> float:
        """Type a key and wait for its paint. Returns: how long that took, in seconds; at most thirty."""
        start = len(self.output)
        began = time.perf_counter()
        self.send(key)
        while (took := time.perf_counter() - began) < _LATE_S:
            fresh = bytes(self.output[start:])
            if expected.search(fresh) or expected.search(_ESCAPES.sub(b"", fresh)):
                break
            self._more(_LATE_S - took)
        return took

    def cost(self, key: bytes, still_s: float = _STILL_S) -> int:
        """Type a key. Returns: how many bytes were written until all was still."""
        before = len(self.output)
        self.send(key)
        self._more(_LATE_S)
        self.still(still_s)
        return len(self.output) - before

    def cpu_s(self) -> float:
        """Processor time used so far."""
        fields = self._stat()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Memory in use."""
        return int(self._stat()[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _stat(self) -> list[str]:
        return Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()

    def _more(self, seconds: float) -> None:
        ready, _, _ = select.select([self._master], [], [], max(0.0, seconds))
        if not ready:
            return
        try:
            data = os.read(self._master, 1 << 16)
        except OSError as error:
            raise Temporary(f"the program ended: {self.text()[-800:]!r}") from error
        if b"\x1b[6n" in data:
            self.send(b"\x1b[1;1R")
        if b"\x1b[c" in data:
            self.send(b"\x1b[?62;c")
        self.output += data

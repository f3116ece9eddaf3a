"""Tidies up behind a process, whatever that dies of: its folders go, and its terminal is usable again.

Two halves. `Aftermath` is held by the process that wants it. The program below runs beside it and outlives it: it waits
at a pipe of which only that process holds the other end, and which the kernel closes even for kill -9. It imports
nothing of kubernaut, so that it starts in a moment and needs no environment.
"""

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from pathlib import Path

_FINE, _KEEP = b"f", b"k"
NORMAL_SCREEN = (
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1004l\x1b[?2004l\x1b[0m"
)
"""What a console that was killed no longer writes: without it, what is told next stands on a screen that goes away."""
_ATTEMPTS, _PAUSE_S = 100, 0.1
_LONGEST = 80
"""Longer paths are no place for a Unix socket, whose whole path has 107 bytes."""


class Aftermath:
    """Promises that a new temporary folder is removed when this process ends.

    Args:
        prefix: of the folder's name.
        also: globs of further folders to remove.
    """

    def __init__(self, prefix: str, also: Sequence[str] = ()) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        if len(str(self.folder)) > _LONGEST:
            self.folder.rmdir()
            self.folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))  # as every Linux has it
        self.terminal_is_fine = True
        self.keep = False
        self._beside = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, glob.escape(str(self.folder)), *also],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def end(self) -> None:
        """Have it done now, and return when it is."""
        words = (_FINE if self.terminal_is_fine else b"") + (_KEEP if self.keep else b"")
        with contextlib.suppress(BrokenPipeError):
            self._beside.communicate(words)


def main() -> None:
    """Wait for the end of the other process, then tidy up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    before = _modes()
    words = sys.stdin.buffer.read()
    if before is not None and _FINE not in words:
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(1, termios.TCSAFLUSH, before)
            os.write(1, NORMAL_SCREEN.encode())
    if _KEEP not in words:
        _remove(sys.argv[1:])


def _modes() -> list[int | list[bytes | int]] | None:
    """The terminal's modes; None without one."""
    try:
        return termios.tcgetattr(1)
    except (OSError, termios.error):
        return None


def _remove(patterns: Sequence[str]) -> None:
    """Remove the folders; servers that die together with their parent may write for a moment longer."""
    for _ in range(_ATTEMPTS):
        found = [folder for pattern in patterns for folder in glob.glob(pattern)]  # escaped patterns
        if not found:
            return
        for folder in found:
            shutil.rmtree(folder, ignore_errors=True)
        time.sleep(_PAUSE_S)


if __name__ == "__main__":
    main()

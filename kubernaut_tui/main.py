"""The `kubernaut-tui` command. Heavy imports wait until it is known what is wanted."""

import argparse
import gc
import os
import sys
import time
from pathlib import Path

_HELP = """\
A live view of what kubernaut does, for one terminal.

It opens on what needs you: each line is one failure, and its story in one
sentence. Move with j and k, open with enter, see the proposed change with d.
Keys that change something (a approve, x reject, s stop, b roll back,
e escalate) only ask; another key answers, and Enter never does. Production is
READ-ONLY until you type `:rw` and a reason. ? shows all keys, `:q` quits.

It talks to the daemon's Unix socket: --socket, else KUBERNAUT_API__SOCKET, else
kubernaut.sock in ./state, ./config/state or /run/kubernaut. Without a daemon it
opens anyway and connects when there is one.
"""
_EPILOG = """\
examples:
  kubernaut-tui                  the console
  kubernaut-tui --read-only      look, but send nothing
  kubernaut-tui --plain          lines, no screen: for screen readers and pipes
  ssh bastion -t kubernaut-tui   from far away

NO_COLOR is kept; all times are UTC.
"""


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    out = argparse.ArgumentParser(
        prog="kubernaut-tui", description=_HELP, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    out.add_argument("--socket", type=Path, metavar="PATH", help="the daemon's API socket")
    out.add_argument("--plain", action="store_true", help="print the list as lines, then follow the journal")
    out.add_argument("--read-only", action="store_true", help="never send a change")
    return out


def far_away() -> bool:
    """Whether a slow link may be in between: SSH, or a multiplexer that may be attached over it."""
    return any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "TMUX", "STY"))


def main() -> None:
    """Run the console."""
    given = parser().parse_args()
    dumb = os.environ.get("TERM") == "dumb"
    if given.plain or dumb or not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        from .plain import run

        sys.exit(run(given.socket))
    if far_away():
        os.environ.setdefault("ESCDELAY", "500")
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    gc.disable()
    from .app import Console
    from .client import Client
    from .state import State

    gc.enable()
    gc.freeze()
    state = State(wall=time.time(), at=time.monotonic(), read_only=given.read_only)
    Console(Client(given.socket), state=state).run(mouse=False)


if __name__ == "__main__":
    main()

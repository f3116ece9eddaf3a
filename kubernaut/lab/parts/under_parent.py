"""Becomes the given program, bound to the life of the process that started it.

Run as `python -I -S under_parent.py PARENT_PID PROGRAM ARGUMENT…`. The kernel kills the program when its parent dies,
whatever the parent dies of, so that even a parent killed with -9 leaves nothing running. This is a program of its own
because code between fork and exec must not run in a process that has threads.

Source: prctl(2), PR_SET_PDEATHSIG; the setting survives execve.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:  # it died before the line above: nobody is left to end us
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606  # no shell is the point: the arguments are passed as they are


if __name__ == "__main__":
    main()

"""A server process that cannot outlive the process that started it.

Everything here is plain subprocess, bound to no event loop: a test session starts a server in one loop and uses it
from many. The kernel ends a server when the *thread* that started it ends, so start servers from a thread that stays.
"""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from kubernaut.domain.errors import Permanent, Temporary

_UNDER_PARENT = Path(__file__).with_name("under_parent.py")
_PORTS = range(20_000, 32_000)  # below Linux's ephemeral range: no outgoing connection takes one between look and use


class PortTaken(Temporary):
    """Somebody else took the port between our look and the server's bind."""


def free_port() -> int:
    """A loopback port that nobody listens on now.

    Raises:
        Permanent: a hundred ports tried at random were all taken.
    """
    for port in random.SystemRandom().sample(_PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise Permanent("no free port between 20000 and 32000 on 127.0.0.1 after 100 attempts")


def run_folder(what: str) -> Path:
    """A new folder for one server's data; removes those that a killed process left behind."""
    base = Path(tempfile.gettempdir())
    for old in base.glob("kubernaut-part-*"):
        owner = old.name.split("-")[2]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"kubernaut-part-{os.getpid()}-{what}-"))


def bound(command: Sequence[str | Path]) -> list[str]:
    """The command, made to end with this process."""
    return [sys.executable, "-I", "-S", str(_UNDER_PARENT), str(os.getpid()), *map(str, command)]


class Process:
    """One server: started, waited for, stopped for good.

    Args:
        name: what error messages call it.
        command: program and arguments; the program as an absolute path.
        folder: where its log goes, as `<name>.log`; also its working folder.
        env: variables beside PATH, HOME (the folder) and the locale; nothing else is inherited.
    """

    def __init__(
        self, name: str, command: Sequence[str | Path], *, folder: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = command
        self._folder = folder
        self._env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "LANG": "C.UTF-8",
            **(env or {}),
        }
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    def start(self) -> None:
        """Starts it in a session of its own, so that Ctrl-C reaches us first and the whole group can be ended."""
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                bound(self._command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=self._env,
                start_new_session=True,
            )

    async def until(self, ready: Callable[[], Awaitable[bool]], within_s: float = 60.0) -> None:
        """Waits until `ready` says so.

        Raises:
            PortTaken: it ended because its port is in use: start again on another.
            Permanent: it ended, or was not ready in time; the message has the end of its log.
        """
        deadline = time.monotonic() + within_s
        while not await ready():
            self.check()
            if time.monotonic() > deadline:
                raise Permanent(f"{self.name} was not ready within {within_s:g} s:\n{self.tail()}")
            await asyncio.sleep(0.05)

    def check(self) -> None:
        """Makes sure that it still runs.

        Raises:
            PortTaken: it ended because its port is in use.
            Permanent: it ended; the message has the end of its log.
        """
        if self.running:
            return
        tail = self.tail()
        if "address already in use" in tail.lower():
            raise PortTaken(f"{self.name}: its port was taken", delay_s=0)
        raise Permanent(f"{self.name} ended with status {self._popen and self._popen.returncode}:\n{tail}")

    def stop(self) -> None:
        """Ends it and all its children at once; its data is thrown away, so there is nothing to finish."""
        popen, self._popen = self._popen, None
        if popen is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        if not self.log.is_file():
            return "(no output)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) or "(no output)"

    def resident_bytes(self) -> int:
        """Memory it holds now; 0 when it doesn't run."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        return 0


async def output(
    command: Sequence[str | Path],
    *,
    text: str = "",
    env: Mapping[str, str] | None = None,
    timeout_s: float = 60.0,
) -> str:
    """Runs a program to its end and returns what it printed.

    Args:
        command: program and arguments; the program as an absolute path.
        text: what it reads from its standard input.
        env: its whole environment; ours when left out.
        timeout_s: it is killed after this.

    Raises:
        Permanent: it ended with an error; the message is the program's own.
        TimeoutError: it did not end in time.
    """
    process = await asyncio.create_subprocess_exec(
        *bound(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    )
    try:
        async with asyncio.timeout(timeout_s):
            out, errors = await process.communicate(text.encode())
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode != 0:
        said = (errors + out).decode(errors="replace").strip()
        name = Path(command[0]).name
        raise Permanent(f"{name} {' '.join(map(str, command[1:]))} ended with status {process.returncode}: {said}")
    return out.decode()


async def listens(port: int) -> bool:
    """Whether somebody accepts connections on this loopback port."""
    with contextlib.suppress(OSError):
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True
    return False

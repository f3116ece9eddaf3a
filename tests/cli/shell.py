"""The command line as a person has it: a process, with or without a terminal, against a daemon in the test's process."""

import asyncio
import os
import pty
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.house import House

KUBERNAUT = (sys.executable, "-m", "kubernaut.cli.main")


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str


async def kubernaut(
    home: House | None, *arguments: str, env: Mapping[str, str] | None = None, cwd: str | None = None
) -> Said:
    """`kubernaut …` without a terminal, to its end."""
    process = await asyncio.create_subprocess_exec(
        *KUBERNAUT, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env=_env(home, env), cwd=cwd,
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in err, err.decode()
    return Said(process.returncode, out.decode(), err.decode())


async def on_a_terminal(home: House, *arguments: str, types: str) -> Said:
    """`kubernaut …` on a terminal of its own, where somebody types."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *KUBERNAUT, *arguments, stdin=theirs, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=_env(home, None)
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, types.encode())
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        os.close(ours)
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())


def _env(home: House | None, more: Mapping[str, str] | None) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("KUBERNAUT_")}
    if home is not None:
        env["KUBERNAUT_API__SOCKET"] = str(home.running.socket)
    return env | dict(more or {})

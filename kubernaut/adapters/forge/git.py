"""Git is run as a subprocess, with nothing inherited that could make it act differently on another machine.

No user or system configuration, no hooks, no prompt, no replace objects, no lazy fetch; everything that is written is
synced to disk before git says so. Every call has a time limit.
"""

import asyncio
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kubernaut.domain.errors import Permanent, Temporary

IDENTITY = ("kubernaut", "kubernaut@localhost")
"""Name and address of author and committer."""

CALL_LIMIT_S = 20.0
"""How long one git process may take. A local repository answers in milliseconds; a hanging disk must not hang us."""

OUTPUT_LIMIT_BYTES = 128 * 1024 * 1024
_READ_BYTES = 1024 * 1024
_GRACE_S = 2.0
PROCESSES = 8
"""How many git processes one repository gets at once: a burst of remediations must not fork a hundred."""

_STALE_LOCK_S = 2 * CALL_LIMIT_S
_LOCK = re.compile(r"Unable to create '(?P<path>[^']+\.lock)'")
_FULL = re.compile(r"No space left on device|Disk quota exceeded|Too many open files|Cannot allocate memory")
_IN_THE_WAY = re.compile(r"'refs/heads/(?P<short>[^']+)' exists; cannot create 'refs/heads/(?P<wanted>[^']+)'")
_OPTIONS = (
    "core.hooksPath=/dev/null", "core.fsync=all", "core.quotePath=false", "gc.auto=0", "maintenance.auto=false",
    "protocol.allow=never", "advice.detachedHead=false", "i18n.logOutputEncoding=UTF-8", "safe.directory=*",
    "core.fsmonitor=false", "log.showSignature=false", "diff.renames=false", "core.attributesFile=/dev/null",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What a git process said. Exit status 0 is success; what 1 means depends on the command."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text without the last line break."""
        return self.stdout.decode("utf-8", "replace").rstrip("\n")


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    name, address = IDENTITY
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": address,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": address,
        **extra,
    }


@dataclass(frozen=True, slots=True)
class Git:
    """One bare repository.

    Args:
        directory: the repository's folder (the one with `HEAD` and `refs`).
        limit_s: time limit of one git process.
        limit_bytes: how much of what it prints is kept.
        room: how many of them may run at once.
    """

    directory: Path
    limit_s: float = CALL_LIMIT_S
    limit_bytes: int = OUTPUT_LIMIT_BYTES
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PROCESSES))

    async def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        allow: Sequence[int] = (0,),
        environment: Mapping[str, str] | None = None,
    ) -> Answer:
        """Run one git command in the repository.

        Args:
            arguments: the command and its arguments; options before values, the caller guards values with `--`.
            stdin: what it reads.
            allow: exit statuses that are answers, not failures.
            environment: variables on top of the scrubbed environment.

        Raises:
            Temporary: git took too long, another process holds a lock, or the folder is not there (now).
            Permanent: git refused, or printed more than anybody asked for; the message has its words.
        """
        self._hold_repository()
        async with self.room:
            answer = await self._once(arguments, stdin, environment or {})
        lock = _LOCK.search(answer.stderr) if answer.status else None
        if lock:
            _drop_stale(Path(lock["path"]), self.directory)
            raise Temporary(f"another process writes to {self.directory}", 0.2)
        if answer.status in allow:
            return answer
        words = " ".join(answer.stderr.split())[:400] or f"exit status {answer.status}"
        if _FULL.search(words):
            raise Temporary(f"git {arguments[0]} failed in {self.directory}: {words}", 5.0)
        if (way := _IN_THE_WAY.search(words)) is not None:
            raise Permanent(
                f"a branch {way['short']!r} is in the way of {way['wanted']} in {self.directory}: rename or delete it"
            )
        raise Permanent(f"git {arguments[0]} failed in {self.directory}: {words}")

    def _hold_repository(self) -> None:
        """Raise Temporary where there is none, or none that may be read: Path's own questions would raise what they meet."""
        if os.path.isfile(self.directory / "HEAD"):
            return
        if os.path.exists(self.directory / ".git"):
            raise Temporary(f"{self.directory} has a work tree: name a bare repository (or {self.directory}/.git)", 5.0)
        way_out = "is its disk mounted, and may this user read it? A new one is made with `git init --bare"
        raise Temporary(f"no Git repository in {self.directory}: {way_out} {self.directory}`", 5.0)

    async def _once(self, arguments: Sequence[str], stdin: bytes, extra: Mapping[str, str]) -> Answer:
        process = await self._begun(arguments, extra)
        talking = asyncio.ensure_future(_talk(process, stdin, self.limit_bytes))
        try:
            async with asyncio.timeout(self.limit_s):
                out, err = await asyncio.shield(talking)
        except TimeoutError as error:
            await _end(process, talking, grace_s=0.0)
            raise Temporary(f"git {arguments[0]} took longer than {self.limit_s:.0f} s in {self.directory}") from error
        except asyncio.CancelledError:
            await _end(process, talking)
            raise
        if len(out) > self.limit_bytes:
            raise Permanent(f"git {arguments[0]} printed more than {self.limit_bytes} bytes in {self.directory}")
        return Answer(process.returncode or 0, out, err.decode("utf-8", "replace"))

    async def _begun(self, arguments: Sequence[str], extra: Mapping[str, str]) -> asyncio.subprocess.Process:
        """Start git. Who is cancelled meanwhile waits for the start, because asyncio would kill what has just begun."""
        options = [part for option in _OPTIONS for part in ("-c", option)]
        beginning = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                "git",
                f"--git-dir={self.directory}",
                *options,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(extra),
                cwd="/",
                start_new_session=True,  # Ctrl-C in the terminal must not end a write half-way
            )
        )
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            with suppress(OSError):  # it did not begin at all
                process = await beginning
                await _end(process, asyncio.ensure_future(process.communicate()), grace_s=0.0)
            raise
        except FileNotFoundError as error:
            raise Permanent("the local forge needs the program `git` on PATH (2.38 or newer)") from error
        except OSError as error:
            raise Temporary(
                f"git can't be run now ({error.strerror}): the machine lacks memory or processes", 5.0
            ) from error


async def _talk(process: asyncio.subprocess.Process, stdin: bytes, limit_bytes: int) -> tuple[bytes, bytes]:
    """As `communicate`, which keeps all that is printed; a git that prints more than the limit is ended at once."""
    to, out_of, told = process.stdin, process.stdout, process.stderr
    assert to is not None and out_of is not None and told is not None  # noqa: S101, PT018 - all three are pipes
    kept = bytearray()

    async def feed() -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # it did not want to read it all
            to.write(stdin)
            await to.drain()
        to.close()

    async def keep() -> None:
        while part := await out_of.read(_READ_BYTES):
            if len(kept) <= limit_bytes:
                kept.extend(part)
            elif process.returncode is None:
                process.kill()

    _, _, words = await asyncio.gather(feed(), keep(), told.read())
    await process.wait()
    return bytes(kept), words


async def _end(
    process: asyncio.subprocess.Process, talking: "asyncio.Future[tuple[bytes, bytes]]", grace_s: float = _GRACE_S
) -> None:
    """Let it finish what takes milliseconds, then ask, then force it: an end in the wrong moment leaves a lock file behind."""
    for way, wait_s in ((None, grace_s), (process.terminate, _GRACE_S), (process.kill, None)):
        if way is not None:
            with suppress(ProcessLookupError):
                way()
        await asyncio.wait({talking}, timeout=wait_s)
        if talking.done():
            break
    with suppress(OSError):
        await talking


def _drop_stale(lock: Path, directory: Path) -> None:
    """Remove a lock that a killed git left behind: no git call of ours lives that long."""
    with suppress(OSError):
        if lock.is_relative_to(directory) and time.time() - lock.stat().st_mtime > _STALE_LOCK_S:
            lock.unlink()

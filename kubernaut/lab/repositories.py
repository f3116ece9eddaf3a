"""Commits to bare repositories without a working tree, so that a push of somebody else at the same time loses nothing."""

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kubernaut.domain.errors import Permanent
from kubernaut.sim.scenarios import Commit

GIT_S = 30.0
_ATTEMPTS = 20


async def ensure(repository: Path) -> None:
    """Makes an empty bare repository with HEAD main; one that exists stays.

    It is made elsewhere and put in its place whole, because incidents that begin at one moment share it.
    """
    if (repository / "HEAD").exists():
        return
    repository.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=repository.parent, prefix=".making-") as scratch:
        await _git(Path(scratch), "init", "--quiet", "--bare", "--initial-branch=main", "made.git")
        with contextlib.suppress(OSError):  # somebody else was faster
            os.rename(f"{scratch}/made.git", repository)
    if not (repository / "HEAD").exists():
        raise Permanent(f"{repository}: no repository could be made there")


async def commit(repository: Path, folder: str, change: Commit, branch: str = "main") -> str:
    """Commits to the tip of a branch, and returns the commit.

    Raises:
        Permanent: git refused; the message is git's.
    """
    for _ in range(_ATTEMPTS):
        parent = await tip(repository, branch)
        tree = await _tree(repository, parent, {f"{folder}/{name}": text for name, text in change.files.items()})
        made = await _commit_tree(repository, tree, parent, change)
        try:
            await _git(repository, "update-ref", f"refs/heads/{branch}", made, parent or "0" * 40)
        except Permanent:
            continue  # somebody else moved the branch: on top of theirs, then
        return made
    raise Permanent(f"{repository}: {branch} moves too fast to commit to it")


async def tip(repository: Path, branch: str = "main") -> str:
    """The newest commit of a branch; empty when there is none."""
    try:
        return await _git(repository, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")
    except Permanent:
        return ""


async def _tree(repository: Path, parent: str, files: Mapping[str, str]) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        env = {"GIT_INDEX_FILE": str(Path(scratch, "index"))}
        if parent:
            await _git(repository, "read-tree", parent, env=env)
        for path, text in files.items():
            blob = await _git(repository, "hash-object", "-w", "--stdin", text=text)
            await _git(repository, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=env)
        return await _git(repository, "write-tree", env=env)


async def _commit_tree(repository: Path, tree: str, parent: str, change: Commit) -> str:
    found = re.fullmatch(r"(.+) <(.+)>", change.author)
    if found is None:
        raise Permanent(f"author {change.author!r} is not of the form `Name <address>`")
    when = (datetime.now(UTC) - timedelta(days=change.days_ago)).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    env = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", found[1]), ("EMAIL", found[2]), ("DATE", when))
    }
    message = change.subject + (f"\n\n{change.body}" if change.body else "") + "\n"
    parents = ("-p", parent) if parent else ()
    return await _git(repository, "commit-tree", tree, *parents, env=env, text=message)


async def _git(folder: Path, *arguments: str, env: Mapping[str, str] | None = None, text: str = "") -> str:
    process = await asyncio.create_subprocess_exec(
        "git",
        "-c",
        "safe.directory=*",
        *arguments,
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(GIT_S):
            out, err = await process.communicate(text.encode())
    except (TimeoutError, asyncio.CancelledError):
        with contextlib.suppress(ProcessLookupError):  # it ended by itself meanwhile
            process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise Permanent(f"git {arguments[0]}: {err.decode(errors='replace').strip()}")
    return out.decode().strip()

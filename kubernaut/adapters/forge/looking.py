"""What became of an open pull request is read from the refs: merged in any way, moved, set back, or deleted.

People work on bare repositories with plain git, which tells nobody. Thousands of pull requests are looked at again and
again, so what costs a process is done only where a ref moved since the last look.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kubernaut.domain.errors import Permanent
from kubernaut.domain.proposals import PullRequestState

from . import landing, objects, writing
from .git import IDENTITY, Git
from .records import Record, Records
from .refs import Branches

_REMEMBERED = 64


@dataclass(slots=True)
class Repository:
    """One repository of the forge: its git, its records, and the lock that its writers take turns with.

    Args:
        examined: pull request → head and base of the last look that did not find it on the base.
        changed: two commits of the base → the files that differ.
    """

    name: str
    url: str
    git: Git
    branches: Branches
    records: Records
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    examined: dict[int, tuple[str, str]] = field(default_factory=dict)
    changed: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)


async def kept(git: Git, branch: str, head: str) -> None:
    """Hold on to a pull request's commits: its branch may be deleted right after a squash, and then be cleaned away."""
    await git.run("update-ref", f"refs/kubernaut/{branch}", head)


async def look(repository: Repository, record: Record, tips: Mapping[str, str]) -> tuple[dict[str, Any], Record]:
    """What to change in an open pull request, and its record; nothing and the same while nothing happened.

    Args:
        tips: branch → commit, as they are now.
    """
    pull = record.pull
    base, head = tips.get(pull.base), tips.get(pull.branch, pull.head_commit)
    if base is None:
        return {}, record
    if head == pull.head_commit and pull.branch not in tips and not await landing.exists(repository.git, head):
        return {"state": PullRequestState.CLOSED}, record
    landed = await _landed(repository, record, head, base)
    if landed:
        by = await writing.merged_by(repository.git, landed)
        found = {"state": PullRequestState.MERGED, "merge_commit": landed, "head_commit": head, "merged_by": by}
        return found, record
    if pull.branch not in tips or await repository.branches.is_merged(head, base):
        return {"state": PullRequestState.CLOSED}, record  # deleted, or set back to where nothing is left of the change
    if head == pull.head_commit:
        return {}, record
    await kept(repository.git, pull.branch, head)
    fork = await objects.fork_point(repository.git, base, head) or record.fork
    authors = await landing.authors(repository.git, fork, head, IDENTITY[1])
    paths = tuple(sorted(await landing.paths(repository.git, fork, head)))
    return {"head_commit": head, "authors": authors}, replace(record, paths=paths)


async def _landed(repository: Repository, record: Record, head: str, base: str) -> str:
    """The commit that brought the change to the base; empty while it is not there."""
    pull, git = record.pull, repository.git
    went_on = head == pull.head_commit or await objects.contains(git, head, pull.head_commit)
    if went_on and await repository.branches.is_merged(head, base):
        return await objects.landed(git, head, base)
    last = repository.examined.get(pull.number)
    if last == (head, base):
        return ""
    known = last[1] if last and last[0] == head else record.fork
    mine = head if went_on else pull.head_commit
    touched = frozenset(record.paths)
    if mine != pull.head_commit or not touched:
        fork = await objects.fork_point(git, base, mine) or record.fork
        touched = await landing.paths(git, fork, mine)
    found = ""
    if base != known and touched & await _changed(repository, known, base, touched):
        fork = await objects.fork_point(git, base, mine) or record.fork
        found = await landing.landed(git, fork, mine, base, touched)
    if not found:
        repository.examined[pull.number] = (head, base)
    return found


async def _changed(repository: Repository, old: str, new: str, fallback: frozenset[str]) -> frozenset[str]:
    """The files in which two commits of the base differ; `fallback` when the old one is gone."""
    if (old, new) not in repository.changed:
        try:
            found = await landing.paths(repository.git, old, new)
        except Permanent:
            return fallback
        while len(repository.changed) >= _REMEMBERED:
            repository.changed.pop(next(iter(repository.changed)))
        repository.changed[old, new] = found
    return repository.changed[old, new]

"""Branches are asked for far more often than they move: thousands of tracks wait for a merge and look now and then.

A ref is written by renaming a file, which marks its folder. While no folder is marked, the last answer still holds, and
looking costs a few `stat` calls instead of a process.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import objects
from .git import Git

_SETTLED_NS = 100_000_000
"""File times are coarse: an answer younger than its folder's mark by less than this may have missed a second write."""

Stamp = tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Branches:
    """The branches of one repository, read again only when they moved."""

    git: Git
    _stamp: Stamp = ()
    _tips: dict[str, str] = field(default_factory=dict)
    _base: str = ""
    _examined: frozenset[str] = frozenset()
    _merged: frozenset[str] = frozenset()

    async def tips(self) -> dict[str, str]:
        """Branch → the commit that it points to."""
        stamp = tuple(self._marks())
        if not stamp or stamp != self._stamp:
            settled = all(time.time_ns() - mark > _SETTLED_NS for _, mark in stamp)
            self._tips = await objects.heads(self.git)
            self._stamp = stamp if settled else ()
        return dict(self._tips)

    async def is_merged(self, head: str, base: str) -> bool:
        """Whether the commit `base` contains the branch tip `head`: one process for all branches together."""
        if base != self._base or head not in self._examined:
            examined = frozenset((await self.tips()).values())
            answer = await self.git.run("for-each-ref", f"--merged={base}", "--format=%(objectname)", "refs/heads/")
            self._examined, self._merged, self._base = examined, frozenset(answer.text.splitlines()), base
        if base == self._base and head in self._examined:
            return head in self._merged
        return await objects.contains(self.git, base, head)  # its branch is gone, or somebody asked about another base

    def _marks(self) -> Iterator[tuple[str, int]]:
        root = self.git.directory
        for path in (root / "packed-refs", *_folders(root / "refs" / "heads")):
            try:
                yield str(path), path.stat().st_mtime_ns
            except OSError:  # what is not there, or no repository at all: git says which
                yield str(path), 0


def _folders(top: Path) -> Iterator[Path]:
    for folder, _, _ in os.walk(top):
        yield Path(folder)

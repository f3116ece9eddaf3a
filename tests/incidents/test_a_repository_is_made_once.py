"""Incidents that begin at one moment share a repository, and each may be the one that makes it."""

import asyncio
from pathlib import Path

from kubernaut.lab import repositories
from kubernaut.sim.scenarios import Commit


async def test_by_many_at_one_moment(tmp_path: Path) -> None:
    shared = tmp_path / "forge" / "fleet.git"
    await asyncio.gather(*(repositories.ensure(shared) for _ in range(20)))
    assert [path.name for path in shared.parent.iterdir()] == ["fleet.git"]
    change = Commit("first", {"a.yaml": "a: 1\n"})
    assert await repositories.commit(shared, "app", change) == await repositories.tip(shared)
    await repositories.ensure(shared)
    assert await repositories.tip(shared)

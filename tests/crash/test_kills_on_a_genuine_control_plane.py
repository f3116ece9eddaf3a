"""The same on genuine parts, at the steps around each mutation; the audit log is the witness of one restart."""

import os
from pathlib import Path

import pytest

from kubernaut.lab.genuine import NEEDS, GenuineWorld
from kubernaut.lab.parts import Parts

from .mortal import Death, live_through
from .test_kills_at_each_step_change_nothing import assert_same_end

RBAC = Path(__file__).parents[2] / "config" / "rbac" / "kubernaut.yaml"
DEATHS: list[Death] = [
    ("imperative Executing[Intended] (intent)", "after"),
    ("imperative Executing[Applied] (mutation)", "before"),
    ("imperative Executing[Applied] (mutation)", "after"),
    ("gitops Syncing (pull-request)", "before"),
    ("gitops Syncing (sync)", "before"),
]


@pytest.mark.genuine
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_kills_around_each_mutation(tmp_path: Path) -> None:
    parts = Parts.find()
    if reason := parts.why_missing(NEEDS):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"genuine part missing: {reason}")
    async with GenuineWorld(tmp_path / "w", parts=parts, forge_root=tmp_path / "forge") as world:
        await world.control_plane.kubectl("apply", "-f", str(RBAC))
        await world.control_plane.grant("kubernaut", "kubernaut")
        left = await live_through(world, tmp_path / "d", DEATHS)
        writes = [w for w in world.control_plane.writes() if w.resource == "deployments" and not w.dry_run]
    assert_same_end(left)
    assert left.died == tuple(DEATHS)
    assert [w.status for w in writes] == [200]

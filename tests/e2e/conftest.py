"""One genuine world for the session; each scenario lives in a namespace and on nodes of its own."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from kubernaut.lab.genuine import NEEDS, GenuineWorld
from kubernaut.lab.parts import Parts

from .incident import Incidents

RBAC = Path(__file__).parents[2] / "config" / "rbac" / "kubernaut.yaml"
STALE = (2, 4)
"""Broken first, because pods count as stale only after a while; their tests come last."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GenuineWorld]:
    """Control plane, Argo CD, Alertmanager and git; the user `kubernaut` may do what config/rbac/kubernaut.yaml says."""
    parts = Parts.find()
    reason = parts.why_missing(NEEDS)
    if reason and os.environ.get("CI"):
        pytest.fail(f"genuine part missing: {reason}", pytrace=False)
    if reason:
        pytest.skip(f"genuine part missing: {reason}")
    folder = tmp_path_factory.mktemp("world")
    async with GenuineWorld(folder / "world", parts=parts, forge_root=folder / "forge") as world:
        await world.control_plane.kubectl("apply", "-f", str(RBAC))
        await world.control_plane.grant("kubernaut", "kubernaut")
        yield world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def begun(world: GenuineWorld) -> set[int]:
    """Scenarios that are broken already."""
    begun: set[int] = set()
    for number in STALE:
        await Incidents(world, world.state_dir, begun).broken(number)
    return begun


@pytest_asyncio.fixture(loop_scope="session")
async def incidents(world: GenuineWorld, begun: set[int], tmp_path: Path) -> AsyncIterator[Incidents]:
    """Begins incidents with a daemon of the test's own, and ends it."""
    incidents = Incidents(world, tmp_path, begun)
    try:
        yield incidents
    finally:
        await incidents.end()

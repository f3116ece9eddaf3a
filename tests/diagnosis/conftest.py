"""Worlds whose incidents are diagnosed: a simulated and a genuine one, each started once for a module."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kubernaut.lab.genuine import NEEDS, GenuineWorld
from kubernaut.lab.parts import Parts
from kubernaut.lab.simulated import SimulatedWorld
from kubernaut.lab.world import Stage

TIMESCALE = 0.05


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["simulated", pytest.param("genuine", marks=pytest.mark.genuine)]
)
async def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A running world."""
    folder = tmp_path_factory.mktemp("world")
    made: Stage
    if request.param == "simulated":
        made = SimulatedWorld(folder, timescale=TIMESCALE)
    else:
        reason = Parts.find().why_missing(NEEDS)
        if reason and os.environ.get("CI"):
            pytest.fail(f"genuine part missing: {reason}", pytrace=False)
        if reason:
            pytest.skip(f"genuine part missing: {reason}")
        made = GenuineWorld(folder, timescale=TIMESCALE)
    async with made:
        yield made

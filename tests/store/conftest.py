"""The stores that the conformance suite runs on: one name for each kind, one fixture that opens them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kubernaut.adapters.store import SqliteStore

from .values import HeldClock

STORES = ("sqlite",)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> AsyncIterator[SqliteStore]:
    """An empty store of each kind."""
    opened = await SqliteStore.open(tmp_path / "kubernaut.db", clock)
    yield opened
    await opened.close()

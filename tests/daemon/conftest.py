from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .process import Life, life


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Life]:
    async with life(tmp_path) as one:
        yield one

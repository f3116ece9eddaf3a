"""A temporary folder whose path is short enough for sockets, as a person's is."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tmp() -> Iterator[Path]:
    """An empty folder that the demo takes for its temporary files."""
    folder = Path(tempfile.mkdtemp(prefix="kd-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)

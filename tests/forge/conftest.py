"""A forge on real bare repositories."""

import subprocess
from pathlib import Path

import pytest
from forge_world import MANIFEST, PATH, URL, Colleague, StillClock, make_bare

from kubernaut.adapters.forge.local import LocalForge


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "forge"
    folder.mkdir()
    make_bare(folder / "shop.git")
    return folder


@pytest.fixture
def colleague(root: Path, tmp_path: Path) -> Colleague:
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", str(root / "shop.git"), str(clone)], check=True, capture_output=True, timeout=30
    )
    someone = Colleague(root / "shop.git", clone)
    someone.git("checkout", "-q", "-B", "main")
    someone.commit({PATH: MANIFEST, "README.md": "# Shop\n"}, "Start the shop")
    return someone


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def forge(root: Path, colleague: Colleague, clock: StillClock) -> LocalForge:
    return LocalForge(root, {URL: "shop"}, clock)

"""A part that is missing is said, skipped, and never passes for a success where everything must run."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kubernaut.domain.errors import Permanent
from kubernaut.lab.parts import ControlPlane, Parts
from kubernaut.lab.parts.catalogue import CHECKOUT, GO_PARTS

_TEST = """
def test_needs_the_control_plane(control_plane):
    pass


def test_needs_nothing():
    pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A test folder with the project's own fixtures."""
    (tmp_path / "conftest.py").write_text((CHECKOUT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_it.py").write_text(_TEST)
    return tmp_path


def _run(suite: Path, **env: str) -> tuple[int, str]:
    base = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-ra", "--rootdir", str(suite), str(suite)],
        cwd=CHECKOUT, env=base | env | {"XDG_CACHE_HOME": str(suite / "empty")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_its_tests_are_skipped_and_the_summary_names_it(suite: Path) -> None:
    status, report = _run(suite)
    assert status == 0
    assert "1 passed, 1 skipped" in report
    [line] = [line for line in report.splitlines() if line.startswith("genuine parts missing")]
    assert "control-plane" in line


def test_under_ci_its_tests_fail(suite: Path) -> None:
    status, report = _run(suite, CI="true")
    assert status == 1
    assert "scripts/genuine build control-plane" in report


async def test_starting_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="scripts/genuine build control-plane"):
        await ControlPlane(Parts.find(tmp_path)).start()


def test_what_is_there_is_not_built_again(tmp_path: Path) -> None:
    for part in GO_PARTS:
        part.folder(tmp_path / "kubernaut").mkdir(parents=True)
    names = [part.name for part in GO_PARTS]
    built = subprocess.run(
        [sys.executable, "-m", "kubernaut.lab.parts", "build", *names],
        cwd=CHECKOUT, env={"XDG_CACHE_HOME": str(tmp_path), "PATH": "/nowhere"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0
    assert [line.split()[1] for line in built.stderr.splitlines()] == [f"{name}:" for name in names]


def test_what_is_built_differently_lies_in_another_folder(tmp_path: Path) -> None:
    part = GO_PARTS[0]
    assert part.version == "v1.36.3"
    assert "gitVersion=v1.36.3" in part.linker_flags
    assert replace(part, flags="").folder(tmp_path) != part.folder(tmp_path)
    assert replace(part, files=("docs",)).folder(tmp_path) != part.folder(tmp_path)

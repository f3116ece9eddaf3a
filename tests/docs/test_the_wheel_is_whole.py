"""The wheel holds what the program needs at run time, and works without the repository."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .pages import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this work tree, built without the network."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kubernaut"
    uv = shutil.which("uv") or shutil.which(cache / "uv" / "bin" / "uv")
    if uv is None:
        return _without("uv is not there: scripts/test installs it")
    folder = tmp_path_factory.mktemp("wheel")
    env = {"UV_CACHE_DIR": str(cache / "uv-cache"), **os.environ}
    command = [
        uv,
        "build",
        "--quiet",
        "--wheel",
        "--offline",
        "--python",
        sys.executable,
        "--out-dir",
        str(folder),
        str(ROOT),
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=folder)
    if "hatchling" in built.stderr and built.returncode:
        return _without("hatchling is not in uv's cache: scripts/test puts it there")
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


def _without(why: str) -> Path:
    """Missing tools are said; where everything has to be there they are a failure."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "kubernaut", "kubernaut_tui", "policies"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    tracked = [line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]
    wanted = {
        line.replace("policies/", "kubernaut/_policies/") if line.startswith("policies/") else line for line in tracked
    }
    assert len([name for name in wanted if not name.endswith(".py")]) > 10
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_installed_program_finds_its_policies(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    script = "import kubernaut, sys; print(kubernaut.__file__); from kubernaut.cli.main import main; main()"
    env = {k: v for k, v in os.environ.items() if not k.startswith("KUBERNAUT_")}
    ran = subprocess.run(
        [sys.executable, "-c", script, "policy", "test"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={**env, "PYTHONPATH": str(tmp_path / "installed")},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert str(tmp_path) in ran.stdout.splitlines()[0]
    assert " passed, 0 failed" in ran.stdout

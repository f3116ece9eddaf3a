"""The scripts work on a bare machine, and where they can't they say in one line what to do."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = (
    "awk", "bash", "cat", "cksum", "cut", "dirname", "env", "getent", "id", "mkdir", "mktemp", "mv", "readlink", "rm",
    "sed", "sleep", "sort", "tail", "tr", "uname",
)  # fmt: skip


class Machine:
    """A machine that has a shell, a checkout in a folder with a space in its name, and what a test puts on PATH."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bin"
        self.home = folder / "home"
        self.checkout = folder / "a check out"
        for each in (self.path, self.home, self.checkout):
            each.mkdir()
        shutil.copytree(ROOT / "scripts", self.checkout / "scripts")
        for name in ("pyproject.toml", "uv.lock"):
            shutil.copy(ROOT / name, self.checkout)
        for tool in TOOLS:
            (self.path / tool).symlink_to(shutil.which(tool) or pytest.skip(f"no {tool} here"))

    def has(self, name: str, script: str) -> Path:
        """Puts a program on PATH, written in shell."""
        return program(self.path / name, script)

    @property
    def cache(self) -> Path:
        return self.home / ".cache/kubernaut"

    def run(self, script: str, argument: str = "--list", **variables: str) -> subprocess.CompletedProcess[str]:
        """One of the scripts, called from another folder."""
        env = {"HOME": str(self.home), "PATH": str(self.path), **variables}
        return subprocess.run(
            [self.checkout / "scripts" / script, argument],
            cwd="/", env=env, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{shutil.which('bash')}\n{script}\n")
    path.chmod(0o755)
    return path


OLD_PYTHON = 'case "$2" in *version_info*) echo ;; *) echo 3.10.12 ;; esac'
NEW_PYTHON = 'case "$2" in *version_info*) echo "$0" ;; esac'
UV = f"""
case "$1" in --version) echo "uv ${{UV_IS:-0.9.1}} (stand-in)"; exit ;; esac
echo "$*" >> "$HOME/uv-was-asked"
mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"
for each in python kubernaut; do
  printf '#!%s\\necho "$0" "$@"\\n' "{shutil.which("bash")}" > "$UV_PROJECT_ENVIRONMENT/bin/$each"
  {shutil.which("chmod")} +x "$UV_PROJECT_ENVIRONMENT/bin/$each"
done
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def ready(machine: Machine) -> Machine:
    """One on which everything is as it should be."""
    machine.has("python3", NEW_PYTHON)
    machine.has("uv", UV)
    machine.has("git", "echo git version 2.39.2")
    return machine


def test_the_second_run_asks_neither_uv_nor_the_network(ready: Machine) -> None:
    first = ready.run("demo")
    assert first.returncode == 0, first.stderr
    assert "demo --list" in first.stdout
    assert "once" in first.stderr
    asked = (ready.home / "uv-was-asked").read_text()
    assert "--locked" in asked
    second = ready.run("demo")
    assert (second.returncode, second.stderr) == (0, "")
    assert (ready.home / "uv-was-asked").read_text() == asked


def test_a_new_lock_is_installed(ready: Machine) -> None:
    ready.run("demo")
    asked = (ready.home / "uv-was-asked").read_text()
    with (ready.checkout / "uv.lock").open("a") as lock:
        lock.write("# changed\n")
    assert ready.run("demo").returncode == 0
    assert len((ready.home / "uv-was-asked").read_text()) > len(asked)


def test_nothing_is_written_beside_the_cache(ready: Machine) -> None:
    before = sorted(ready.checkout.rglob("*"))
    ready.run("demo")
    assert sorted(ready.checkout.rglob("*")) == before
    assert {path.name for path in ready.home.iterdir()} == {".cache", "uv-was-asked"}
    assert [path.name for path in (ready.home / ".cache").iterdir()] == ["kubernaut"]


def test_an_old_python_is_named(ready: Machine) -> None:
    ready.has("python3", OLD_PYTHON)
    ended = ready.run("demo", PYENV_ROOT="/nowhere")
    assert ended.returncode == 1
    assert "Python 3.11 or newer is needed" in ended.stderr
    assert "python3 is Python 3.10.12" in ended.stderr


def test_a_newer_python_beside_an_old_one_is_found(ready: Machine) -> None:
    ready.has("python3", OLD_PYTHON)
    younger = program(ready.home / ".pyenv/versions/3.12.4/bin/python3", NEW_PYTHON)
    assert ready.run("demo").returncode == 0
    assert str(younger) in (ready.home / "uv-was-asked").read_text()


def test_a_uv_that_is_too_old_or_does_not_run_is_replaced(ready: Machine) -> None:
    uv = ready.has("uv", "echo 'pyenv: uv: command not found' >&2; exit 127")
    program(ready.cache / "uv/bin/uv", UV)
    assert ready.run("demo").returncode == 0
    (ready.cache / "uv/bin/uv").unlink()
    uv.write_text(f"#!{shutil.which('bash')}\n{UV}")
    shutil.rmtree(ready.cache / "venv")
    ended = ready.run("demo", UV_IS="0.1.2")
    assert ended.returncode == 1
    assert "installing uv from PyPI" in ended.stderr
    assert "could not install uv" in ended.stderr


def test_a_missing_or_old_git_is_named(ready: Machine) -> None:
    ready.has("git", "echo git version 2.25.1")
    assert "git 2.38 or newer is needed, this is 2.25.1" in ready.run("demo").stderr
    (ready.path / "git").unlink()
    ended = ready.run("demo")
    assert ended.returncode == 1
    assert "git is needed" in ended.stderr


def test_a_cache_that_can_not_be_made_is_named(ready: Machine) -> None:
    ended = ready.run("demo", XDG_CACHE_HOME="/proc/nowhere")
    assert ended.returncode == 1
    assert "can't write to /proc/nowhere/kubernaut: set XDG_CACHE_HOME" in ended.stderr


def test_what_checks_and_tests_explain_themselves_on_a_bare_machine(machine: Machine) -> None:
    for script, word in (("test", "scripts/test tests/store"), ("check", "--fix")):
        for asked in ("--help", "-h"):
            ended = machine.run(script, asked)
            assert (ended.returncode, ended.stderr) == (0, "")
            assert word in ended.stdout
            assert "#!" not in ended.stdout
    assert not machine.cache.exists()

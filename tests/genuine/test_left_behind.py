"""Nothing that was started survives, whichever way the one who started it ends."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubernaut.lab.parts import ControlPlane, GitDaemon, Parts
from kubernaut.lab.parts.process import Process, run_folder

_PARENT = """
import asyncio, sys
from pathlib import Path
from kubernaut.lab.parts.process import Process

async def main():
    server = Process("sleeper", ["/bin/sleep", "300"], folder=Path(sys.argv[1]))
    server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(300)

asyncio.run(main())
"""


def _gone(pid: int, within_s: float = 10.0) -> bool:
    """Whether the process ends; an ended one that nobody has waited for yet counts as gone."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_ends_with_the_process_that_started_it(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not _gone(pid, within_s=0.3)
        parent.send_signal(how)
        parent.wait()
    assert _gone(pid)


_CLUSTER = """
import asyncio
from kubernaut.lab.parts import ControlPlane, Parts

async def main():
    async with ControlPlane(Parts.find()) as cluster:
        print(*(process.pid for process in cluster.processes.values()), flush=True)
        await asyncio.sleep(300)

asyncio.run(main())
"""


@pytest.mark.genuine
def test_a_whole_cluster_ends_when_its_owner_is_killed(control_plane: ControlPlane) -> None:
    with subprocess.Popen([sys.executable, "-c", _CLUSTER], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
        parent.wait()
    assert len(pids) == 4
    assert all(_gone(pid) for pid in pids)
    assert all(process.running for process in control_plane.processes.values())


async def test_stop_ends_the_server_and_its_children(tmp_path: Path) -> None:
    script = f"/bin/sleep 300 & echo $! > {tmp_path}/child; wait"
    server = Process("shell", ["/bin/sh", "-c", script], folder=tmp_path)
    server.start()

    async def started() -> bool:
        return (tmp_path / "child").is_file() and (tmp_path / "child").read_text().strip() != ""

    await server.until(started, within_s=10)
    pid, child = server.pid, int((tmp_path / "child").read_text())
    assert pid is not None
    server.stop()
    assert _gone(pid)
    assert _gone(child)


async def test_a_server_that_is_stopped_leaves_no_folder_and_no_port(tmp_path: Path) -> None:
    server = GitDaemon(Parts.find(), tmp_path)
    async with server:
        folder = server.folder
        assert await server.ready()
    assert not folder.exists()
    async with asyncio.timeout(5):  # the kernel takes a moment to end what listened
        while await server.ready():  # noqa: ASYNC110 - a process, not a task
            await asyncio.sleep(0.05)


def test_folders_of_killed_sessions_are_swept() -> None:
    with subprocess.Popen(["/bin/true"]) as ended:
        pass
    folder = run_folder("sweep")
    left = folder.with_name(f"kubernaut-part-{ended.pid}-sweep-left")
    left.mkdir()
    other = run_folder("sweep")
    assert not left.exists()
    assert folder.exists()
    os.rmdir(folder)
    os.rmdir(other)


async def test_a_server_that_fails_to_start_says_why(tmp_path: Path) -> None:
    server = Process("broken", ["/bin/sh", "-c", "echo no such flag >&2; exit 3"], folder=tmp_path)
    server.start()

    async def never() -> bool:
        return False

    with pytest.raises(Exception, match=r"broken ended with status 3:\nno such flag"):
        await server.until(never, within_s=10)
    server.stop()

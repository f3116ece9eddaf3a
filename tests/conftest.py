"""Genuine servers as fixtures: started on free ports when the first test asks, stopped for good at the end.

The servers live as long as the session (one of each a worker) because starting one takes seconds; a test keeps to its
own `namespace`. Where a part is missing its tests are skipped, and the summary says so in one line; with CI set to
anything but an empty text they fail, so that a broken build can't pass for a green one.
"""

import asyncio
import getpass
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio

from kubernaut.lab.genuine import NEEDS, GenuineWorld
from kubernaut.lab.parts import Alertmanager, ArgoCD, ControlPlane, GitDaemon, Opa, Parts
from kubernaut.lab.parts.server import Server
from kubernaut.lab.simulated import SimulatedWorld
from kubernaut.lab.world import Stage

WORLD_TIMESCALE = 0.05


SOCKET_ROOM = 60
"""What the tests' own folders and a daemon's socket add to the temporary folder, in bytes; a Unix socket's path has 107."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Where TMPDIR is so long that no socket fits below it, the tests' folders are made in /tmp and removed at the end.

    What a shell runs behind itself (`scripts/test &`) ignores ^C, and so would every program that a test sends it to.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    longest = f"{tempfile.gettempdir()}/pytest-of-{getpass.getuser()}/pytest-0/popen-gw0/"
    if hasattr(config, "workerinput") or config.option.basetemp or len(os.fsencode(longest)) + SOCKET_ROOM <= 107:
        return
    config.option.basetemp = tempfile.mkdtemp(prefix="kn-", dir="/tmp")
    config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


def _need(*names: str) -> Parts:
    parts = Parts.find()
    reason = parts.why_missing(names)
    if reason and os.environ.get("CI"):
        pytest.fail(f"genuine part missing: {reason}", pytrace=False)
    if reason:
        pytest.skip(f"genuine part missing: {reason}")
    return parts


def pytest_terminal_summary(terminalreporter: Any) -> None:
    missing = Parts.find().missing
    if missing:
        parts = ", ".join(missing)
        terminalreporter.write_line(
            f"genuine parts missing, tests that need them did not run: {parts} (`scripts/genuine status` tells why)",
            yellow=True,
        )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share servers run on the same worker, so that no worker starts them in vain."""
    for item in items:
        if shared := _shared(item):
            item.add_marker(pytest.mark.xdist_group(shared))


def _shared(item: pytest.Item) -> str:
    """What this test shares with others and is slow to start; empty if there is nothing."""
    fixtures = set(getattr(item, "fixturenames", ()))
    params: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    loop = item.get_closest_marker("asyncio")
    scope = loop.kwargs.get("loop_scope") if loop else None
    if scope == "session":
        return item.path.parent.name
    if scope == "module" or "world" in fixtures:
        return f"{item.path.parent.name}/{item.path.stem} {params.get('world', '')}".strip()
    if {"control_plane", "argocd"} & fixtures or params.get("cluster") == "genuine":
        return "control plane"
    return ""


S = TypeVar("S", bound=Server)


@pytest.fixture(scope="session")
def starter() -> Iterator[ThreadPoolExecutor]:
    """The one thread that starts the session's servers.

    A thread of its own, because a fixture may be asked for while a test's loop runs; one that stays, because the kernel
    ends a server together with the thread that started it.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="genuine") as executor:
        yield executor


def _running(starter: ThreadPoolExecutor, server: S) -> Iterator[S]:
    starter.submit(asyncio.run, server.start()).result()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def control_plane(starter: ThreadPoolExecutor) -> Iterator[ControlPlane]:
    """A genuine Kubernetes API server with its controllers, shared by the session."""
    yield from _running(starter, ControlPlane(_need("control-plane")))


@pytest.fixture
async def namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    """A namespace of the test's own in the genuine cluster."""
    name = f"t-{secrets.token_hex(4)}"
    await control_plane.kubectl("create", "namespace", name)
    yield name
    await control_plane.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def argocd(starter: ThreadPoolExecutor, control_plane: ControlPlane) -> Iterator[ArgoCD]:
    """A genuine Argo CD that syncs into `control_plane`, shared by the session."""
    yield from _running(starter, ArgoCD(_need("argocd", "redis", "git"), control_plane))


@pytest.fixture(scope="session")
def git_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose bare repositories `git_daemon` serves."""
    return tmp_path_factory.mktemp("repositories")


@pytest.fixture(scope="session")
def git_daemon(starter: ThreadPoolExecutor, git_root: Path) -> Iterator[GitDaemon]:
    """Serves `git_root` by the git protocol."""
    yield from _running(starter, GitDaemon(_need("git"), git_root))


@pytest.fixture(scope="session")
def opa() -> Opa:
    """Genuine OPA as a command; a test that wants its server starts one with `Opa(opa.parts, [folder])`."""
    return Opa(_need("opa"))


StartAlertmanager = Callable[..., Awaitable[Alertmanager]]


@pytest.fixture
async def start_alertmanager() -> AsyncIterator[StartAlertmanager]:
    """Starts a genuine Alertmanager for one test: `await start_alertmanager(webhook_url, token=…, group_wait=…)`."""
    parts = _need("alertmanager")
    async with AsyncExitStack() as stack:

        async def start(webhook_url: str, **options: Any) -> Alertmanager:
            return await stack.enter_async_context(Alertmanager(parts, webhook_url, **options))

        yield start


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["simulated", pytest.param("genuine", marks=pytest.mark.genuine)]
)
async def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A world for incidents, one of each kind for a module, because starting a genuine one takes ten seconds.

    The tests of a module share it, so each keeps to its own scenario or namespace.
    """
    folder = tmp_path_factory.mktemp("world")
    made: Stage
    if request.param == "simulated":
        made = SimulatedWorld(folder, timescale=WORLD_TIMESCALE)
    else:
        _need(*NEEDS)
        made = GenuineWorld(folder, timescale=WORLD_TIMESCALE)
    async with made:
        yield made

"""The daemon: the only place that builds adapters and wires them; and its life from start to clean end."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.adapters.kubernetes import KubernetesCluster, StateWatcher
from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.adapters.store import SqliteStore
from kubernaut.clock import SystemClock
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.approvals import Role
from kubernaut.domain.errors import BadInput, KubernautError
from kubernaut.domain.signals import Signal
from kubernaut.pipeline.control import ControlDesk
from kubernaut.pipeline.intake import IntakeDesk
from kubernaut.pipeline.outside import Outside
from kubernaut.pipeline.pulls import PullDesk
from kubernaut.pipeline.runner import Runner
from kubernaut.pipeline.voting import VotingDesk
from kubernaut.ports import Clock
from kubernaut.server.api.app import application
from kubernaut.server.api.services import Services
from kubernaut.server.arming import Arms
from kubernaut.server.gateway.app import Gateway
from kubernaut.server.gateway.tokens import Tokens
from kubernaut.server.metrics import Metrics
from kubernaut.server.principals import Directory, Membership
from kubernaut.settings import Settings

log = structlog.get_logger()
_STOP_S = 3.0
_FIRST_LOOK_S = 5.0
_QUEUE = 10_000
OpenStore = Callable[[Path, Clock], Awaitable[SqliteStore]]


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon that takes signals.

    Args:
        gateway_port: where the webhooks listen, also when the configuration asked for any free port.
    """

    gateway_port: int
    socket: Path
    store: SqliteStore
    runner: Runner
    clusters: Mapping[str, KubernetesCluster]


class _ClusterSignals:
    """Signals that the watches raise: queued in the callback, taken by a task, so that the watch never waits."""

    def __init__(self, ignore_namespaces: Collection[str]) -> None:
        self._ignored = frozenset(ignore_namespaces)
        self._queue: asyncio.Queue[Signal] = asyncio.Queue(_QUEUE)

    def put(self, signal: Signal) -> None:
        """Called by the watch."""
        if signal.target is not None and signal.target.namespace in self._ignored:
            return
        try:
            self._queue.put_nowait(signal)
        except asyncio.QueueFull:
            log.warning("a signal from object state was dropped, its state will raise it again", name=signal.name)

    async def pump(self, intake: IntakeDesk) -> None:
        """Take what was queued, for as long as the daemon runs."""
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty() and len(batch) < 256:
                batch.append(self._queue.get_nowait())
            while True:
                try:
                    await intake.take(batch)
                    break
                except KubernautError as error:
                    log.warning("signals from object state wait for the store", error=str(error))
                    await asyncio.sleep(2.0)


@asynccontextmanager
async def running(
    settings: Settings, clock: Clock | None = None, open_store: OpenStore = SqliteStore.open
) -> AsyncIterator[Running]:
    """A daemon for the duration of the block; when the block ends it stops within five seconds and loses nothing.

    Args:
        open_store: opens the database; another one is for tests that end the process at a chosen transition.

    Raises:
        BadInput: the configuration can't be carried out; names the key.
        Permanent: the database belongs to a newer version or to another daemon.
    """
    clock = clock or SystemClock()
    _prepare(settings)
    tokens = Tokens(settings.gateway.tokens_file)
    policy = await RegoPolicyEngine.load(settings.policies.dir or shipped_policies(), settings.policy_overrides())
    async with contextlib.AsyncExitStack() as stack:
        store = await open_store(settings.state_dir / "kubernaut.db", clock)
        stack.push_async_callback(store.close)
        signals = _ClusterSignals(settings.watch.ignore_namespaces)
        clusters, watchers = await _clusters(settings, clock, signals, stack)
        forge = LocalForge(settings.forge_root, settings.forge.repositories, clock)
        cluster_labels = {c.name: c.labels for c in settings.clusters}
        out = Outside(
            store, clusters, forge, policy, RulesAnalyst(), clock, settings.limits(), cluster_labels, settings.freeze
        )
        runner = Runner(out, settings.max_concurrent)
        intake = IntakeDesk(store, clusters, clock, out.limits.dedup_window_s, runner.nudge)
        metrics = Metrics(store.counts, lambda: {n: c.health().state == "LIVE" for n, c in clusters.items()})
        environments = {name: await policy.environment("", {}, labels) for name, labels in cluster_labels.items()}
        services = Services(
            store, clusters, forge, policy, intake, VotingDesk(store, clock, runner.nudge),
            ControlDesk(store, clock, runner.nudge), PullDesk(store, forge, clock, runner.nudge),
            _directory(settings), Arms(clock), clock, environments,
        )  # fmt: skip
        ready: list[str] = ["starting"]
        gateway = Gateway(intake, tokens, metrics, lambda: ready[0], settings.gateway.read_deadline_s)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        working = group.create_task(runner.run(), name="runner")
        background = [
            group.create_task(signals.pump(intake), name="signals"),
            group.create_task(_refresh(tokens), name="tokens"),
            *(group.create_task(watcher.run(), name="watcher") for watcher in watchers),
        ]
        stack.push_async_callback(_finish, runner, working, background)
        await _first_look(clusters)
        socket_path = await _serve_api(settings, services, stack)
        port = await _serve_gateway(settings, gateway, stack)
        ready[0] = ""
        log.info("ready", gateway=f"{settings.gateway.host}:{port}", socket=str(socket_path), clusters=list(clusters))
        yield Running(port, socket_path, store, runner, clusters)
        ready[0] = "stopping"
        log.info("stopping")


def _prepare(settings: Settings) -> None:
    """Folders and their modes: the database holds what clusters said, so others need not read it."""
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.forge_root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"can't be made: {error.strerror}", field="state_dir", place=str(settings.state_dir)) from error
    if shutil.which("git") is None:
        raise BadInput("git is not on PATH, and the local forge is made of it", field="forge.kind")


async def _clusters(
    settings: Settings, clock: Clock, signals: _ClusterSignals, stack: contextlib.AsyncExitStack
) -> tuple[dict[str, KubernetesCluster], list[StateWatcher]]:
    """Connect to every cluster; one that does not answer is DOWN and does not hold up the others."""
    clusters: dict[str, KubernetesCluster] = {}
    watchers: list[StateWatcher] = []
    for index, entry in enumerate(settings.clusters):
        watcher = StateWatcher(entry.name, signals.put, clock)
        on_change = watcher.feed if settings.watch.enabled else None
        try:
            cluster = await KubernetesCluster.connect(entry.name, entry.kubeconfig, entry.context, clock, on_change)
        except BadInput as error:
            raise BadInput(str(error), field=f"clusters[{index}]") from error
        stack.push_async_callback(cluster.close)
        await cluster.start()
        clusters[entry.name] = cluster
        watchers += [watcher] if settings.watch.enabled else []
    return clusters, watchers


async def _first_look(clusters: Mapping[str, KubernetesCluster]) -> None:
    """Give the watches a moment to fill, so that the first alert finds its owner; a silent cluster holds up nobody long."""
    waits = [asyncio.ensure_future(cluster.synced()) for cluster in clusters.values()]
    if waits:
        _, late = await asyncio.wait(waits, timeout=_FIRST_LOOK_S)
        for wait in late:
            wait.cancel()


def _directory(settings: Settings) -> Directory:
    members = {role: getattr(settings.roles, role.value) for role in Role}
    return Directory({role: Membership(frozenset(m.users), frozenset(m.groups)) for role, m in members.items()})


async def _finish(runner: Runner, working: asyncio.Task[None], background: list[asyncio.Task[None]]) -> None:
    """Let what is in flight come to its next persisted state; what takes longer is read back after the restart."""
    runner.stop()
    await asyncio.wait({working}, timeout=_STOP_S)
    for task in (working, *background):
        task.cancel()


async def _refresh(tokens: Tokens) -> None:
    while True:
        await asyncio.sleep(5.0)
        try:
            tokens.refresh()
        except BadInput as error:
            log.warning("the tokens file can't be used, the old tokens stay valid", error=str(error))


async def _serve_api(settings: Settings, services: Services, stack: contextlib.AsyncExitStack) -> Path:
    path = settings.socket
    app, journal = application(services)
    app_runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await app_runner.setup()
    stack.push_async_callback(app_runner.cleanup)
    stack.callback(journal.close)
    await web.SockSite(app_runner, _unix_socket(path, settings.api.group)).start()
    return path


def _unix_socket(path: Path, group: str | None) -> socket.socket:
    """A listening socket that nobody but owner and group can open, from its first moment on."""
    if len(str(path).encode()) > 107:
        raise BadInput(f"{path} is too long for a Unix socket (107 bytes): set a shorter one", field="api.socket")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _refuse_living(path)
        path.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        sock.bind(str(path))
    except OSError as error:
        sock.close()
        raise BadInput(f"can't listen on {path}: {error.strerror}", field="api.socket") from error
    finally:
        os.umask(before)
    if group is not None:
        try:
            shutil.chown(path, group=group)
        except (LookupError, PermissionError) as error:
            sock.close()
            raise BadInput(f"can't give {path} to group {group!r}: {error}", field="api.group") from error
    sock.setblocking(False)
    return sock


def _refuse_living(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return
    raise BadInput(f"another daemon listens on {path}: stop it, or set another socket", field="api.socket")


async def _serve_gateway(settings: Settings, gateway: Gateway, stack: contextlib.AsyncExitStack) -> int:
    app_runner = web.AppRunner(
        gateway.application(settings.gateway.max_body_bytes),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=1.0,
    )
    await app_runner.setup()
    stack.push_async_callback(app_runner.cleanup)
    site = web.TCPSite(app_runner, settings.gateway.host, settings.gateway.port, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        where = settings.gateway.listen
        raise BadInput(f"can't listen on {where}: {error.strerror}", field="gateway.listen") from error
    return int(app_runner.addresses[0][1])

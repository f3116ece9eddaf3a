"""The daemon: the only place that builds adapters and wires them; and its life from start to clean end."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from kubernaut.adapters.forge.local import LocalForge
from kubernaut.adapters.kubernetes import Graces, KubernetesCluster, StateWatcher
from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.adapters.store import SqliteStore
from kubernaut.clock import SystemClock
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.approvals import Role
from kubernaut.domain.errors import BadInput
from kubernaut.pipeline.control import ControlDesk
from kubernaut.pipeline.intake import IntakeDesk
from kubernaut.pipeline.outside import Outside
from kubernaut.pipeline.pulls import PullDesk
from kubernaut.pipeline.runner import Runner
from kubernaut.pipeline.voting import VotingDesk
from kubernaut.pipeline.watched import WatchedSignals
from kubernaut.ports import Clock
from kubernaut.server.api.app import application
from kubernaut.server.api.services import Services
from kubernaut.server.arming import Arms
from kubernaut.server.doors import Doors
from kubernaut.server.gateway.app import Gateway
from kubernaut.server.gateway.tokens import Tokens
from kubernaut.server.metrics import Metrics
from kubernaut.server.principals import Directory, Membership
from kubernaut.server.reloads import Reloads
from kubernaut.server.sockets import remove_socket, tcp_socket, unix_socket
from kubernaut.settings import Settings
from kubernaut.settings.model import no_pod

log = structlog.get_logger()
_DATABASE = "kubernaut.db"
_STOP_S = 3.0
"""For stages in flight; what needs more is read back after the restart."""
_LOOK_AGAIN_S = 2.0
"""How often tokens and policies are looked at."""
_FIRST_LOOK_S = 5.0
OpenStore = Callable[[Path, Clock], Awaitable[SqliteStore]]


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon that takes signals.

    Args:
        gateway_port: where the webhooks listen, also when the configuration asked for any free port.
        reload: have tokens and policies looked at now.
    """

    gateway_port: int
    socket: Path
    store: SqliteStore
    runner: Runner
    clusters: Mapping[str, KubernetesCluster]
    reload: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Ground:
    """What can stand in the way of a start, got hold of before anything runs."""

    tokens: Tokens
    policies: Path
    policy: RegoPolicyEngine
    store: SqliteStore
    tcp: socket.socket
    unix: socket.socket


@asynccontextmanager
async def running(
    settings: Settings, clock: Clock | None = None, open_store: OpenStore = SqliteStore.open
) -> AsyncIterator[Running]:
    """A daemon for the duration of the block; when the block ends it stops within five seconds and loses nothing.

    Its doors open first: while the watches fill, health is told and signals get 503, for nobody knows their owners yet.

    Args:
        open_store: opens the database; another one is for tests that end the process at a chosen transition.

    Raises:
        BadInput: the configuration can't be carried out; names the key.
        Permanent: the database belongs to a newer version or to another daemon.
    """
    clock = clock or SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        ground = await _ground(settings, clock, open_store, stack)
        store = ground.store
        signals = WatchedSignals(settings.watch.ignore_namespaces)
        clusters, watchers = await _clusters(settings, clock, signals, stack)
        out = _outside(settings, ground, clusters, clock)
        metrics = Metrics(store.counts, lambda: {n: c.health().state == "LIVE" for n, c in clusters.items()})
        nudges: list[Callable[[], None]] = []
        intake = IntakeDesk(store, clusters, clock, out.limits.dedup_window_s, lambda: nudges[0]())
        runner = Runner(out, settings.max_concurrent, lambda: intake.pressed, metrics.stage)
        nudges.append(runner.nudge)
        services = await _services(settings, out, intake, runner, metrics)
        obstacle: list[str] = ["starting"]
        gateway = Gateway(
            intake, ground.tokens, metrics, lambda: obstacle[0], max_body_bytes=settings.gateway.max_body_bytes,
            read_deadline_s=settings.gateway.read_deadline_s,
        )  # fmt: skip
        reloads = Reloads(ground.tokens, ground.policy, ground.policies, store, clock)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        working = group.create_task(runner.run(), name="runner")
        background = [
            group.create_task(signals.pump(intake, metrics.taken), name="signals"),
            group.create_task(reloads.run(_LOOK_AGAIN_S), name="reloads"),
            *(group.create_task(watcher.run(), name="watcher") for watcher in watchers),
        ]
        stack.callback(_cancel, [working, *background])
        doors = Doors(application(services), gateway)
        stack.push_async_callback(_stop, doors, runner, working)
        await doors.open(ground.tcp, ground.unix)
        await _first_look(clusters)
        obstacle[0] = ""
        here = Running(int(ground.tcp.getsockname()[1]), settings.socket, store, runner, clusters, reloads.now)
        where = f"{settings.gateway.host}:{here.gateway_port}"
        revision = ground.policy.revision[:12]
        log.info("ready", gateway=where, socket=str(settings.socket), clusters=list(clusters), policies=revision)
        yield here
        obstacle[0] = "stopping"
        log.info("stopping")


async def _ground(settings: Settings, clock: Clock, open_store: OpenStore, stack: contextlib.AsyncExitStack) -> _Ground:
    """Folders, tokens, policies, database and sockets. Raises what `running` raises."""
    _prepare(settings)
    tokens = Tokens(settings.gateway.tokens_file)
    if caution := tokens.caution():
        log.warning("the tokens file is open to others", caution=caution)
    policies = settings.policies.dir or shipped_policies()
    try:
        policy = await RegoPolicyEngine.load(policies, settings.policy_overrides())
    except BadInput as error:
        field = "policies.dir" if settings.policies.dir else "policies.settings"
        raise BadInput(str(error), field=field) from error
    stack.callback(policy.close)
    store = await open_store(settings.state_dir / _DATABASE, clock)
    stack.push_async_callback(store.close)
    tcp = stack.enter_context(tcp_socket(settings.gateway.host, settings.gateway.port))
    unix = unix_socket(settings.socket, settings.api.group)
    stack.callback(remove_socket, settings.socket, unix)
    return _Ground(tokens, policies, policy, store, tcp, unix)


def _outside(settings: Settings, ground: _Ground, clusters: Mapping[str, KubernetesCluster], clock: Clock) -> Outside:
    """The ports of the pipeline."""
    return Outside(
        store=ground.store,
        clusters=clusters,
        forge=LocalForge(settings.forge_root, settings.forge.repositories, clock),
        policy=ground.policy,
        analyst=RulesAnalyst(steady_s=settings.analysis.steady_s, recent_s=settings.analysis.recent_s),
        clock=clock,
        limits=settings.limits(),
        cluster_labels={cluster.name: cluster.labels for cluster in settings.clusters},
        freeze=settings.freeze,
    )


async def _services(settings: Settings, out: Outside, intake: IntakeDesk, runner: Runner, metrics: Metrics) -> Services:
    """What the API speaks to."""
    store, clock, nudge = out.store, out.clock, runner.nudge
    environments = {name: await out.policy.environment("", {}, labels) for name, labels in out.cluster_labels.items()}
    return Services(
        store, out.clusters, out.forge, out.policy, intake, VotingDesk(store, clock, nudge),
        ControlDesk(store, clock, nudge), PullDesk(store, out.forge, clock, nudge), _directory(settings), Arms(clock),
        clock, environments, metrics.taken,
    )  # fmt: skip


def _prepare(settings: Settings) -> None:
    """Folders and their modes: the database holds what clusters said, so nobody else may read it.

    Where a group may use the API and the socket lies in the state folder, the group may pass through, not look around.
    """
    state, group = settings.state_dir, settings.api.group
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if group is not None and settings.socket.parent == state:
            shutil.chown(state, group=group)
            state.chmod(0o710)
        os.close(os.open(state / _DATABASE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except LookupError as error:
        raise BadInput(f"there is no group {group!r} on this machine", field="api.group") from error
    except OSError as error:
        raise BadInput(_unusable(error), field="state_dir") from error
    try:
        settings.forge_root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(_unusable(error), field="forge.root") from error
    if shutil.which("git") is None:
        raise BadInput("git is not on PATH, and the local forge is made of it", field="forge.kind")


def _unusable(error: OSError) -> str:
    why = "it is not a folder" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
    return f"{error.filename} can't be used: {why}"


async def _stop(doors: Doors, runner: Runner, working: asyncio.Task[None]) -> None:
    """Let what is in flight come to its next persisted state; what takes longer is read back after the restart."""
    runner.stop()
    await asyncio.gather(doors.close(), asyncio.wait({working}, timeout=_STOP_S))


def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


async def _clusters(
    settings: Settings, clock: Clock, signals: WatchedSignals, stack: contextlib.AsyncExitStack
) -> tuple[dict[str, KubernetesCluster], list[StateWatcher]]:
    """Connect to every cluster; one that does not answer is DOWN and does not hold up the others."""
    clusters: dict[str, KubernetesCluster] = {}
    watchers: list[StateWatcher] = []
    watch = settings.watch
    graces = Graces(watch.pod_grace_s, watch.deployment_grace_s, watch.node_grace_s)
    for index, entry in enumerate(settings.clusters):
        if entry.kubeconfig is None and (sentence := no_pod()):
            raise BadInput(sentence, field=f"clusters[{index}].kubeconfig")
        watcher = StateWatcher(entry.name, signals.put, clock, graces)
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

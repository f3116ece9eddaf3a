"""Incidents as they really look, kubelets and controllers included, are told with the right family and the right target."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from kubernaut.adapters.kubernetes import Graces, KubernetesCluster, StateWatcher
from kubernaut.domain.errors import NotFound
from kubernaut.domain.owner import top_owner
from kubernaut.domain.signals import Signal
from kubernaut.lab.simulated import SimulatedWorld
from kubernaut.lab.world import Stage
from kubernaut.sim.scenarios import Scenario, scenario

pytestmark = pytest.mark.asyncio(loop_scope="module")

GRACES = Graces(pod_s=2.0, deployment_s=2.0, node_s=0.0, repeat_s=60.0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with SimulatedWorld(tmp_path_factory.mktemp("world"), timescale=0.05) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broken(world) -> Callable[[int], Awaitable[Scenario]]:
    """Lets an incident begin, once for all tests: `it = await broken(1)`."""
    begun: set[int] = set()

    async def begin(number: int) -> Scenario:
        it = scenario(number)
        if number not in begun:
            await world.deploy(it)
            await world.break_(it)
            begun.add(number)
        return it

    return begin


class Told:
    """A watched cluster and what its StateWatcher told."""

    def __init__(self, cluster: KubernetesCluster, watcher: StateWatcher, signals: list[Signal]) -> None:
        self.cluster, self.watcher, self.signals = cluster, watcher, signals

    def about(self, namespace: str, family: str) -> list[Signal]:
        self.watcher.tick()
        return [s for s in self.signals if s.failure_class == family and s.target.namespace in (namespace, "")]


@pytest_asyncio.fixture(loop_scope="module")
async def told(world, clock) -> AsyncIterator[Told]:
    signals: list[Signal] = []
    watcher = StateWatcher("prod", signals.append, clock, GRACES)
    cluster = await KubernetesCluster.connect("prod", world.kubeconfig, None, clock, watcher.feed)
    try:
        await cluster.start()
        await cluster.synced()
        yield Told(cluster, watcher, signals)
    finally:
        await cluster.close()


@pytest.mark.parametrize(
    ("number", "family", "kind"),
    [
        (1, "CrashLoop", "Pod"),
        (2, "PodsNotReady", "Deployment"),
        (3, "NodeNotReady", "Node"),
        (4, "PodNotReady", "Pod"),
        (5, "ImagePull", "Pod"),
        (6, "CrashLoop", "Pod"),
    ],
)
async def test_an_incident_is_told(broken, told, until, number, family, kind):
    it = await broken(number)
    signal = (await until(lambda: told.about(it.namespace, family)))[0]
    assert signal.target.kind == kind
    assert signal.occurrence
    assert signal.starts_at <= told.watcher._clock.now()
    if kind == "Pod":
        cluster = told.cluster
        owner = top_owner(signal.target, lambda ref: cluster.cached(ref.kind, ref.namespace, ref.name))
        assert (owner.kind, owner.name) == ("Deployment", it.app)


async def test_the_log_of_the_run_before_is_read(broken, told, until):
    it = await broken(6)
    crashing = await until(lambda: told.about(it.namespace, "CrashLoop"))
    pod = crashing[0].target.name
    log = await told.cluster.logs(it.namespace, pod, crashing[0].labels["container"], previous=True, tail_lines=3)
    assert log.strip()
    assert len(log.splitlines()) <= 3


async def test_a_container_that_never_ended_has_no_earlier_log(broken, told, until):
    it = await broken(2)
    pods = await until(lambda: told.cluster.list("Pod", it.namespace))
    steady = next(p for p in pods if p["status"]["containerStatuses"][0]["restartCount"] == 0)
    container = steady["spec"]["containers"][0]["name"]
    with pytest.raises(NotFound):
        await told.cluster.logs(it.namespace, steady["metadata"]["name"], container, previous=True)
    assert await told.cluster.logs(it.namespace, steady["metadata"]["name"], container)


async def test_the_same_incident_seen_by_a_second_watcher_has_the_same_occurrence(broken, told, until, clock):
    it = await broken(5)
    first = (await until(lambda: told.about(it.namespace, "ImagePull")))[0]
    again: list[Signal] = []
    watcher = StateWatcher("prod", again.append, clock, GRACES)
    for item in await told.cluster.list("Pod", it.namespace, live=True):
        watcher.feed(None, item)
    assert first.occurrence in {signal.occurrence for signal in again}

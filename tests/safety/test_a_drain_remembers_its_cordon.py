"""A drain's first write is its cordon. Whatever comes between that and the next one, kubernaut knows that it was its own."""

from typing import Any

import pytest

from kubernaut.domain.errors import Conflict, Temporary
from kubernaut.domain.plans import StepPhase
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.pipeline.control import ControlDesk

from . import objects
from .conftest import ANA, N1, House
from .memory_cluster import MemoryCluster

_I = ImperativePhase


class NoLists:
    """A cluster that can't list the pods of a cordoned node for as long as it is broken."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self.broken = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def list(self, kind: str, *words: Any, **more: Any) -> Any:
        if self.broken and kind == "Pod" and self._cluster.objects["Node", "", "n1"]["spec"].get("unschedulable"):
            raise Temporary("list pods: etcd timed out")
        return await self._cluster.list(kind, *words, **more)


async def intended(house: House) -> None:
    """A drain that was approved, and whose intent is persisted."""
    for name in ("n1", "n2"):
        house.cluster.put(objects.node(name))
    house.cluster.put(objects.namespace())
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    for number in (1, 2):
        house.cluster.put(objects.pod(f"web-1-{number}", owner))
    await house.open("drain-node", N1)
    await house.until(_I.AWAITING_APPROVAL)
    await house.approve()
    await house.until(_I.EXECUTING)
    await house.turn()
    assert [run.phase for run in (await house.track()).steps] == [StepPhase.INTENDED]


async def holds(house: House) -> None:
    """The cordon is kubernaut's, and nobody was told that nothing was written."""
    track = await house.track()
    assert [run.captured["unschedulable"] for run in track.steps] == [False]
    assert not [entry.message for entry in await house.journal() if "nothing was written" in entry.message]


async def test_an_eviction_that_finds_another_pod_of_that_name(house: House) -> None:
    await intended(house)
    refused: list[str] = []

    async def taken(verb: str, ref: ResourceRef) -> None:
        if verb == "evict" and not refused:
            refused.append(ref.name)
            raise Conflict("the UID in the precondition is another one")

    house.cluster.before = taken
    track = await house.until(_I.VERIFYING)
    assert refused
    assert track.phase is _I.VERIFYING, track.reason
    await holds(house)


@pytest.mark.parametrize("silent_s", [20, 400])
async def test_pods_that_can_not_be_listed_after_the_cordon(house: House, silent_s: float) -> None:
    await intended(house)
    broken = NoLists(house.cluster)
    house.using(clusters={"prod": broken})
    until = house.clock.now().timestamp() + silent_s
    while house.clock.now().timestamp() < until and not (await house.track()).ended:
        wake_at = (await house.track()).wake_at
        assert wake_at is not None
        house.clock.moment = max(house.clock.moment, wake_at)
        await house.turn()
        await holds(house)
    broken.broken = False
    track = await house.until(_I.VERIFYING)
    assert track.phase is (_I.VERIFYING if silent_s < 300 else _I.FAILED), track.reason
    assert track.phase is _I.VERIFYING or "does not uncordon n1 by itself" in track.reason
    await holds(house)


async def test_a_crash_after_the_cordon_that_lasts(house: House) -> None:
    await intended(house)
    house.cluster.put(objects.node(cordoned=True))
    house.move(400)
    house.restart()
    track = await house.until(_I.VERIFYING)
    assert track.phase is _I.FAILED
    assert "does not uncordon n1 by itself" in track.reason
    await holds(house)


async def test_who_takes_it_over_then_is_told_of_the_cordon(house: House) -> None:
    await intended(house)
    house.cluster.put(objects.node(cordoned=True))
    house.restart()
    await ControlDesk(house.store, house.clock, lambda: None).escalate("rr-aaaaaa", ANA, "")
    await house.turn()
    track = await house.track()
    assert track.phase is _I.FAILED
    assert "left as it is: drain-node of node/n1 was begun" in track.reason

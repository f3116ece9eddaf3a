"""What keeps work away from something broken is undone by people only: else a failing verification would undo it."""

import copy

import pytest

from kubernaut.domain.errors import Refused, Temporary
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.pipeline.control import ControlDesk

from . import objects
from .conftest import ANA, N1, House

_I = ImperativePhase


def cordoned(house: House, name: str = "n1") -> bool:
    return bool(house.cluster.objects["Node", "", name]["spec"].get("unschedulable"))


async def drained(house: House, *, ready_after: int) -> None:
    """A drain that was approved and carried out, and the ready pods that its owner has then."""
    house.cluster.put(objects.node())
    house.cluster.put(objects.node("n2"))
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    for number in range(2):
        house.cluster.put(objects.pod(f"web-1-{number}", owner, node=f"n{number + 1}"))
    await house.open("drain-node", N1, failure_class="NodeHardware")
    await house.until(_I.AWAITING_APPROVAL)
    await house.approve()
    await house.until(_I.VERIFYING)
    fewer = copy.deepcopy(house.cluster.objects["ReplicaSet", "shop", "web-1"])
    fewer["status"]["readyReplicas"] = ready_after
    house.cluster.put(fewer)


async def test_a_drain_whose_pods_find_no_other_place_leaves_the_node_cordoned(house: House) -> None:
    await drained(house, ready_after=1)
    track = await house.until(_I.COMPLETED, most=2000)
    assert cordoned(house), "workloads were put back on a failing node"
    assert (track.phase, (await house.get()).phase) == (_I.FAILED, "Escalated")
    assert "web-1 has 1 of 2 pods back" in track.reason
    assert "does not uncordon n1 by itself" in track.reason
    assert track.effectiveness == 0.0


async def test_a_drain_that_a_budget_stops_leaves_the_node_cordoned(house: House) -> None:
    house.cluster.put(objects.node())
    house.cluster.put(objects.node("n2"))
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    for number in range(2):
        house.cluster.put(objects.pod(f"web-1-{number}", owner, node=f"n{number + 1}"))
    house.using(cluster_labels={"prod": {"environment": "test"}})
    await house.open("drain-node", N1, environment="test")

    async def budget(verb: str, ref: ResourceRef) -> None:
        if verb == "evict":
            raise Temporary("the budget does not allow it")

    house.cluster.before = budget
    track = await house.until(_I.VERIFYING, most=2000)
    assert track.phase is _I.FAILED
    assert cordoned(house)
    assert "gave up after 300 s" in track.reason
    assert "does not uncordon n1 by itself" in track.reason


async def test_a_person_who_cancels_a_drain_gets_the_node_back(house: House) -> None:
    await drained(house, ready_after=1)
    await ControlDesk(house.store, house.clock, lambda: None).cancel("rr-aaaaaa", ANA, "false alarm")
    track = await house.until(_I.ROLLED_BACK)
    assert track.phase is _I.ROLLED_BACK
    assert not cordoned(house)


async def test_a_person_who_takes_a_drain_over_finds_it_as_it_stands(house: House) -> None:
    await drained(house, ready_after=1)
    await ControlDesk(house.store, house.clock, lambda: None).escalate("rr-aaaaaa", ANA, "I am on it")
    await house.turn()
    track = await house.track()
    assert (track.phase, (await house.get()).phase) == (_I.FAILED, "Escalated")
    assert track.reason == "taken over by ana: I am on it; left as it is: drained n1: 1 pods evicted"
    assert cordoned(house)


@pytest.mark.parametrize("action", ["cordon-node", "drain-node"])
async def test_a_right_that_was_taken_away_after_validation_changes_nothing(house: House, action: str) -> None:
    house.cluster.put(objects.node())
    house.cluster.put(objects.node("n2"))
    house.using(cluster_labels={"prod": {"environment": "test"}})
    await house.open(action, N1, environment="test")
    await house.until(_I.EXECUTING)

    async def forbidden(verb: str, ref: ResourceRef) -> None:
        raise Refused("nodes is forbidden")

    house.cluster.before = forbidden
    track = await house.until(_I.VERIFYING)
    assert track.phase is _I.FAILED
    assert track.reason == "failed: nodes is forbidden"
    assert house.cluster.writes == []


async def test_a_cluster_that_is_gone_for_good_in_the_middle_of_it_is_told_with_what_it_left(house: House) -> None:
    await drained(house, ready_after=1)

    async def gone(kind: str, namespace: str, name: str, *, live: bool = False) -> None:
        raise Temporary("prod does not answer")

    house.cluster.get = gone  # type: ignore[method-assign, assignment]
    track = await house.until(_I.COMPLETED, most=2000)
    assert track.phase is _I.FAILED
    assert track.reason == "gave up waiting: prod does not answer; left as it is: drained n1: 1 pods evicted"


async def test_a_node_that_is_gone_needs_no_uncordon(house: House) -> None:
    house.cluster.put(objects.node())
    house.cluster.put(objects.node("n2"))
    house.using(cluster_labels={"prod": {"environment": "test"}})
    await house.open("drain-node", N1, environment="test")
    await house.until(_I.EXECUTING)
    await house.turn()
    house.cluster.remove("Node", "", "n1")
    track = await house.until(_I.VERIFYING)
    assert track.reason == "failed: node/n1 does not exist any more"


async def test_a_cordon_that_somebody_took_back_is_not_said_to_stay(house: House) -> None:
    house.cluster.put(objects.node())
    house.using(cluster_labels={"prod": {"environment": "test"}})
    await house.open("cordon-node", N1, environment="test")
    await house.until(_I.VERIFYING)
    house.cluster.objects["Node", "", "n1"]["spec"]["unschedulable"] = False
    house.cluster.writes.clear()
    track = await house.until(_I.COMPLETED)
    assert track.reason == "verification failed: somebody changed n1 back"
    assert house.cluster.writes == []

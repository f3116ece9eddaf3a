"""Nodes that fail together are mostly one network that fails: after half of a pool a person decides about the next."""

from datetime import timedelta

import pytest

from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.tracks import ImperativePhase, ImperativeTrack

from . import objects
from .conftest import House

_I = ImperativePhase
_POOL = {"node.kubernetes.io/pool": "batch"}
_FIVE = tuple(f"b{number}" for number in range(1, 6))


@pytest.fixture
def pool(house: House) -> House:
    for name in _FIVE:
        node = objects.node(name)
        node["metadata"]["labels"] = dict(_POOL)
        house.cluster.put(node)
    return house


async def _cordon(house: House, number: int) -> ImperativeTrack:
    id_ = f"rr-{number:06}"
    target = ResourceRef("prod", "Node", f"b{number}")
    await house.open("cordon-node", target, failure_class="NodeFlapping", id_=id_)
    await house.until(_I.EXECUTING, _I.AWAITING_APPROVAL, id_=id_)
    return await house.track(id_)


async def test_two_of_five_go_alone_and_the_third_asks(pool: House) -> None:
    for number in (1, 2):
        assert (await _cordon(pool, number)).phase is _I.EXECUTING
        await pool.until(_I.VERIFYING, id_=f"rr-{number:06}")
    third = await _cordon(pool, 3)
    assert third.phase is _I.AWAITING_APPROVAL
    assert third.decision.rule == "healthy_floor"
    assert third.decision.reason == "60% of the node pool would be out of service, 50% are allowed."
    assert ("patch", "node/b3") not in pool.cluster.writes


async def test_a_node_that_is_not_ready_is_out_already(pool: House) -> None:
    for name in ("b4", "b5"):
        node = objects.node(name, ready=False)
        node["metadata"]["labels"] = dict(_POOL)
        pool.cluster.put(node)
    assert (await _cordon(pool, 1)).decision.rule == "healthy_floor"


async def test_another_pool_does_not_count(pool: House) -> None:
    for name in ("n8", "n9"):
        pool.cluster.put(objects.node(name, ready=False))
    assert (await _cordon(pool, 1)).phase is _I.EXECUTING


async def test_what_is_judged_at_one_moment_counts_whoever_came_first(pool: House) -> None:
    """Nothing is cordoned yet when all five are asked about."""
    for number in range(1, 6):
        target = ResourceRef("prod", "Node", f"b{number}")
        await pool.open("cordon-node", target, failure_class="NodeFlapping", id_=f"rr-{number:06}")
        pool.clock.moment += timedelta(milliseconds=1)
    for number in range(1, 6):
        await pool.until(_I.EXECUTING, _I.AWAITING_APPROVAL, id_=f"rr-{number:06}")
    phases = [(await pool.track(f"rr-{number:06}")).phase for number in range(1, 6)]
    assert phases == [_I.EXECUTING] * 2 + [_I.AWAITING_APPROVAL] * 3


async def test_an_uncordon_gives_a_node_back_and_is_never_too_much(pool: House) -> None:
    for name in _FIVE:
        node = objects.node(name, cordoned=True)
        node["metadata"]["labels"] = dict(_POOL)
        pool.cluster.put(node)
    await pool.open("uncordon-node", ResourceRef("prod", "Node", "b1"), failure_class="NodeFlapping")
    assert (await pool.until(_I.EXECUTING)).phase is _I.EXECUTING

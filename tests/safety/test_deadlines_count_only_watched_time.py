"""A daemon that was down, or a clock that was put back, is no reason to undo what works or to wait for the future."""

import copy
from datetime import timedelta

from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.pipeline.control import ControlDesk
from kubernaut.pipeline.sleepers import wake_sleepers

from . import objects
from .conftest import ANA, N1, WEB, House

_I = ImperativePhase


def web(house: House) -> None:
    house.cluster.put(objects.namespace())
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    for number in (1, 2):
        house.cluster.put(objects.pod(f"web-1-{number}", owner))


def ready(house: House, pods: int) -> None:
    item = copy.deepcopy(house.cluster.objects["Deployment", "shop", "web"])
    item["status"] |= {"readyReplicas": pods, "availableReplicas": pods}
    house.cluster.put(item)


async def test_the_daemon_was_down_while_the_deadline_passed(house: House) -> None:
    web(house)
    ready(house, 1)
    await house.open("restart-deployment", WEB)
    await house.until(_I.VERIFYING)
    await house.turn()
    house.move(4 * 3600)
    house.restart()
    await house.turn()
    assert (await house.track()).phase is _I.VERIFYING, "nobody has watched it yet"
    ready(house, 2)
    track = await house.until(_I.COMPLETED, most=200)
    assert track.phase is _I.COMPLETED


async def test_what_stays_ill_fails_after_the_deadline_however_long_the_daemon_was_down(house: House) -> None:
    web(house)
    ready(house, 1)
    await house.open("restart-deployment", WEB)
    await house.until(_I.VERIFYING)
    house.move(4 * 3600)
    house.restart()
    back = house.clock.now()
    track = await house.until(_I.COMPLETED, most=2000)
    assert track.phase is _I.FAILED
    assert house.clock.now() - back <= timedelta(seconds=house.out.limits.verify_deadline_s + 10)


async def test_health_that_begins_just_before_the_deadline_may_prove_itself(house: House) -> None:
    web(house)
    ready(house, 1)
    await house.open("restart-deployment", WEB)
    track = await house.until(_I.VERIFYING)
    await house.turn()
    due_at = (await house.track()).due_at
    assert due_at is not None
    while house.clock.now() < due_at - timedelta(seconds=10):
        track = await house.track()
        assert track.wake_at is not None
        house.clock.moment = track.wake_at
        await house.turn()
    ready(house, 2)
    assert (await house.until(_I.COMPLETED, most=200)).phase is _I.COMPLETED


async def test_something_that_restarts_for_ever_is_not_watched_for_ever(house: House) -> None:
    web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.VERIFYING)
    for look in range(1000):
        track = await house.track()
        if track.ended:
            break
        pod = copy.deepcopy(house.cluster.objects["Pod", "shop", "web-1-1"])
        pod["status"]["containerStatuses"][0]["restartCount"] = look
        house.cluster.put(pod)
        assert track.wake_at is not None
        house.clock.moment = track.wake_at
        await house.turn()
    assert (await house.track()).phase is _I.FAILED


async def test_a_clock_that_is_put_back_begins_the_window_anew(house: House) -> None:
    web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.VERIFYING)
    await house.turn()
    house.move(-3600)
    began = house.clock.now()
    for _ in range(100):
        if (await house.track()).ended:
            break
        await house.turn()
        house.move(house.out.limits.verify_poll_s)
    assert (await house.track()).phase is _I.COMPLETED
    took = house.clock.now() - began
    assert took < timedelta(seconds=house.out.limits.stability_s * 2)


async def test_a_roll_back_that_the_daemon_slept_through_is_tried(house: House) -> None:
    house.cluster.put(objects.node())
    house.cluster.put(objects.node("n2"))
    await house.open("cordon-node", N1)
    await house.until(_I.VERIFYING)
    await ControlDesk(house.store, house.clock, lambda: None).cancel("rr-aaaaaa", ANA, "")
    await house.turn()
    assert (await house.track()).phase is _I.ROLLING_BACK
    house.move(3600)
    house.restart()
    assert (await house.until(_I.ROLLED_BACK)).phase is _I.ROLLED_BACK
    assert not house.cluster.objects["Node", "", "n1"]["spec"].get("unschedulable")


async def test_a_node_that_took_the_name_of_the_judged_one_is_not_drained(house: House) -> None:
    """Deleted and made anew between the vote and the write."""
    for name in ("n1", "n2"):
        house.cluster.put(objects.node(name))
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    for number in (1, 2):
        house.cluster.put(objects.pod(f"web-1-{number}", owner, node=f"n{number}"))
    await house.open("drain-node", ResourceRef("prod", "Node", "n1"))
    await house.until(_I.AWAITING_APPROVAL)
    await house.approve()
    fresh = objects.node("n1")
    fresh["metadata"]["uid"] = "another"
    house.cluster.put(fresh)
    track = await house.until(_I.VERIFYING)
    assert track.phase is _I.FAILED
    assert "made anew" in track.reason
    assert house.cluster.writes == []


async def test_a_clock_that_is_put_back_lets_nobody_sleep_until_it_has_caught_up(house: House) -> None:
    web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.VERIFYING)
    before = house.clock.now()
    house.move(-3600)
    now = house.clock.now()
    assert not await house.store.due(now, 10)
    assert await wake_sleepers(house.out, before, now) == 1
    assert [due.part for due in await house.store.due(now, 10)] == ["imperative"]
    assert await wake_sleepers(house.out, now, now) == 0

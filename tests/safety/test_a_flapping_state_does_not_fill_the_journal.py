"""A state that flips is told a few times and then once a minute, with how often it flipped; the story stays the present."""

import copy
from dataclasses import replace

from kubernaut.domain.errors import Temporary
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.story import story
from kubernaut.domain.tracks import ImperativePhase

from . import objects
from .conftest import N1, WEB, House

_I = ImperativePhase


def _ready(house: House, pods: int) -> None:
    web = copy.deepcopy(house.cluster.objects["Deployment", "shop", "web"])
    web["status"] |= {"readyReplicas": pods, "availableReplicas": pods}
    house.cluster.put(web)


async def test_a_verification_that_flips_all_the_time(house: House) -> None:
    house.cluster.put(objects.namespace())
    house.cluster.put(objects.deployment())
    await house.open("restart-deployment", WEB)
    assert (await house.until(_I.VERIFYING)).phase is _I.VERIFYING
    looks = 0
    while not (track := await house.track()).ended:
        _ready(house, 2 - looks % 2)
        assert track.wake_at is not None
        house.clock.moment = track.wake_at
        await house.turn()
        looks += 1
        if not (await house.track()).ended:
            assert (await house.track()).reason in story(await house.get()), "the story must be the present state"
    assert looks > 200
    told = [entry for entry in await house.journal() if entry.kind == "verification"]
    minutes = house.out.limits.verify_deadline_s / 60
    assert len(told) <= minutes + 5, [entry.message for entry in told]
    assert any("times in" in entry.message for entry in told), "how often it flipped must be told"
    assert sum(entry.data.get("changes", 1) for entry in told) >= looks - 40


async def test_a_change_that_stays_is_told_within_a_minute_however_much_flipped_before(house: House) -> None:
    house.cluster.put(objects.namespace())
    house.cluster.put(objects.deployment())
    house.using(limits=replace(house.out.limits, stability_s=300))
    await house.open("restart-deployment", WEB)
    await house.until(_I.VERIFYING)
    for look in range(12):
        _ready(house, 2 - look % 2)
        house.move(2)
        await house.turn()
    for _ in range(40):
        _ready(house, 0)
        house.move(2)
        await house.turn()
    told = [entry.message for entry in await house.journal() if entry.kind == "verification"]
    assert (await house.track()).reason in told[-1]


async def test_a_cluster_that_answers_every_other_time(house: House) -> None:
    house.cluster.put(objects.node())
    house.cluster.put(objects.node("n2"))
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment(replicas=4))))
    for number in range(4):
        house.cluster.put(objects.pod(f"web-1-{number}", owner, node=f"n{number % 2 + 1}"))
    house.using(cluster_labels={"prod": {"environment": "test"}})
    await house.open("drain-node", N1, environment="test")
    await house.until(_I.EXECUTING)
    looks = 0

    async def moody(verb: str, ref: ResourceRef) -> None:
        if verb == "evict":
            raise Temporary(f"the budget does not allow it, {looks % 3}")

    house.cluster.before = moody
    while not (track := await house.track()).ended and track.phase is _I.EXECUTING:
        looks += 1
        assert track.wake_at is not None
        house.clock.moment = max(house.clock.moment, track.wake_at)
        await house.turn()
    assert looks > 100
    assert len(await house.journal()) < 25

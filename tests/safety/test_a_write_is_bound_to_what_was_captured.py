"""A restart is written upon the very state that was captured: the API server refuses it when anything has changed since."""

import copy

import pytest

from kubernaut.domain.errors import Unknown
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.tracks import ImperativePhase

from . import objects
from .conftest import WEB, House

_I = ImperativePhase
_ONCE = [("patch", "shop/deployment/web")]
DB = ResourceRef("prod", "Pod", "db-0", "shop")


@pytest.fixture
def web(house: House) -> House:
    house.cluster.put(objects.namespace())
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    house.cluster.put(objects.pod("db-0", owner))
    return house


def _touch(house: House, *, spec: bool = False, kind: str = "Deployment", name: str = "web") -> None:
    item = copy.deepcopy(house.cluster.objects[kind, "shop", name])
    if spec:
        item["metadata"]["generation"] += 1
        item["spec"]["minReadySeconds"] = item["spec"].get("minReadySeconds", 0) + 1
    house.cluster.put(item)


async def _intended(house: House) -> None:
    await house.until(_I.EXECUTING)
    await house.turn()
    assert (await house.track()).steps


async def _told(house: House, words: str) -> int:
    return sum(words in entry.message for entry in await house.journal())


async def test_a_status_that_changed_after_the_intent_costs_one_more_look(web: House) -> None:
    await web.open("restart-deployment", WEB)
    await _intended(web)
    _touch(web)
    await web.turn()
    assert web.cluster.writes == []
    assert (await web.track()).steps == (), "an intent that can't be carried out any more is none"
    await web.until(_I.VERIFYING)
    assert web.cluster.writes == _ONCE
    assert await _told(web, "nothing was written: reading it anew") == 1


async def test_a_specification_that_changed_after_the_intent_is_judged_anew(web: House) -> None:
    await web.open("restart-deployment", WEB)
    await _intended(web)
    _touch(web, spec=True)
    web.using(freeze=True)
    track = await web.until(_I.AWAITING_APPROVAL)
    assert track.phase is _I.AWAITING_APPROVAL
    assert web.cluster.writes == []


async def test_a_watch_that_lags_costs_no_refusal(web: House) -> None:
    await web.open("restart-deployment", WEB)
    old = copy.deepcopy(web.cluster.objects["Deployment", "shop", "web"])
    _touch(web)

    async def lagging(kind: str, namespace: str, name: str, *, live: bool = False) -> object:
        found = old if kind == "Deployment" and not live else web.cluster.objects.get((kind, namespace, name))
        return copy.deepcopy(found)

    web.cluster.get = lagging  # type: ignore[method-assign, assignment]
    await web.until(_I.VERIFYING)
    assert web.cluster.writes == _ONCE
    assert await _told(web, "nothing was written") == 0


async def test_a_new_process_does_not_try_what_the_server_would_refuse(web: House) -> None:
    """Hours of status may lie between the intent of one process and the look of the next."""
    sent: list[str] = []

    async def count(verb: str, ref: ResourceRef) -> None:
        sent.append(verb)

    await web.open("restart-deployment", WEB)
    await _intended(web)
    web.restart()
    _touch(web)
    web.cluster.before = count
    await web.until(_I.VERIFYING)
    assert web.cluster.writes == _ONCE
    assert sent == ["patch"]


async def test_a_deletion_whose_reply_was_lost_is_known_by_the_pod_that_is_gone(web: House) -> None:
    async def lose(verb: str, ref: ResourceRef) -> None:
        raise Unknown(f"{verb} {ref}: the reply was lost")

    await web.open("delete-pod", DB, of=WEB)
    await _intended(web)
    web.cluster.after = lose
    await web.turn()
    web.cluster.after = None
    track = await web.until(_I.VERIFYING)
    assert track.phase is _I.VERIFYING
    assert web.cluster.writes == [("delete", "shop/pod/db-0")]


async def test_a_lost_write_that_never_came_is_written_upon_the_new_state(web: House) -> None:
    """Not upon the old one for ever: that would be refused for ever."""

    async def lose(verb: str, ref: ResourceRef) -> None:
        raise Unknown(f"{verb} {ref}: the reply was lost")

    await web.open("restart-deployment", WEB)
    await _intended(web)
    web.cluster.before = lose
    await web.turn()
    web.cluster.before = None
    _touch(web)
    track = await web.until(_I.VERIFYING)
    assert track.phase is _I.VERIFYING
    assert web.cluster.writes == _ONCE


async def test_a_lost_write_that_comes_after_the_read_back_is_not_repeated(web: House) -> None:
    async def lose(verb: str, ref: ResourceRef) -> None:
        raise Unknown(f"{verb} {ref}: the reply was lost")

    await web.open("restart-deployment", WEB)
    await _intended(web)
    web.cluster.before = lose
    await web.turn()
    captured = (await web.track()).steps[0].captured

    async def late(verb: str, ref: ResourceRef) -> None:
        item = copy.deepcopy(web.cluster.objects["Deployment", "shop", "web"])
        item["spec"]["template"]["metadata"]["annotations"] = {
            "kubectl.kubernetes.io/restartedAt": captured["restartedAt"]
        }
        item["metadata"]["generation"] += 1
        web.cluster.put(item)

    web.cluster.before = late
    track = await web.until(_I.VERIFYING)
    assert track.phase is _I.VERIFYING
    assert web.cluster.writes == []


async def test_a_target_that_never_stands_still_is_left_to_a_person(web: House) -> None:
    async def restless(verb: str, ref: ResourceRef) -> None:
        _touch(web)

    await web.open("restart-deployment", WEB)
    web.cluster.before = restless
    began = web.clock.now()
    track = await web.until(_I.VERIFYING, most=400)
    assert track.phase is _I.FAILED
    assert "changes all the time" in track.reason
    assert web.cluster.writes == []
    assert (web.clock.now() - began).total_seconds() > 1, "it was tried again and again at once"
    told = [entry.message for entry in await web.journal()]
    assert len(told) < 70, told


async def test_a_pod_that_changed_after_the_intent_is_captured_anew(web: House) -> None:
    await web.open("delete-pod", DB, of=WEB)
    await _intended(web)
    _touch(web, kind="Pod", name="db-0")
    await web.turn()
    assert web.cluster.writes == []
    await web.until(_I.VERIFYING)
    assert web.cluster.writes == [("delete", "shop/pod/db-0")]

"""What has written nothing is cancelled as such: nothing is said to be done, and nothing waits for a cluster that is gone."""

import copy
from typing import Any

import pytest

from kubernaut.domain.errors import Temporary
from kubernaut.domain.story import story
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.pipeline.control import ControlDesk
from kubernaut.ports import Change, ClusterHealth

from . import objects
from .conftest import ANA, N1, WEB, House

_I = ImperativePhase


def desk(house: House) -> ControlDesk:
    return ControlDesk(house.store, house.clock, lambda: None)


def web(house: House) -> None:
    house.cluster.put(objects.namespace())
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    for number in (1, 2):
        house.cluster.put(objects.pod(f"web-1-{number}", owner))


@pytest.mark.parametrize("phase", [_I.PLANNING, _I.VALIDATING, _I.EXECUTING])
@pytest.mark.parametrize("word", ["cancel", "escalate"])
async def test_before_anything_was_written(house: House, phase: ImperativePhase, word: str) -> None:
    web(house)
    await house.open("restart-deployment", WEB)
    await house.until(phase)
    await (desk(house).cancel if word == "cancel" else desk(house).escalate)("rr-aaaaaa", ANA, "")
    item = await house.turn()
    assert item.phase == ("Cancelled" if word == "cancel" else "Escalated")
    assert house.cluster.writes == []
    assert item.imperative is not None
    assert "can't be undone" not in item.imperative.reason
    assert "restarted" not in story(item)


async def test_between_the_intent_and_the_write(house: House) -> None:
    web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.EXECUTING)
    await house.turn()
    assert (await house.track()).steps, "the intent is written down"
    await desk(house).cancel("rr-aaaaaa", ANA, "")
    assert (await house.turn()).phase == "Cancelled"
    assert house.cluster.writes == []


@pytest.mark.parametrize("written", [True, False])
async def test_after_a_crash_between_intent_and_reply_the_cluster_is_asked(house: House, written: bool) -> None:
    web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.EXECUTING)
    await house.turn()
    if written:
        marked = copy.deepcopy(house.cluster.objects["Deployment", "shop", "web"])
        marked["spec"]["template"]["metadata"]["annotations"] = {
            "kubectl.kubernetes.io/restartedAt": (await house.track()).steps[0].captured["restartedAt"]
        }
        house.cluster.put(marked)
    house.restart()
    await desk(house).cancel("rr-aaaaaa", ANA, "")
    item = await house.turn()
    assert item.imperative is not None
    assert item.phase == ("Escalated" if written else "Cancelled")
    assert ("what was done can't be undone" in item.imperative.reason) is written
    assert house.cluster.writes == []


async def test_a_drain_that_waits_for_its_turn(house: House) -> None:
    house.cluster.put(objects.node())
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))
    for name, node in (("a", "n1"), ("b", "n2")):
        house.cluster.put(objects.pod(name, owner, node=node))
    house.using(cluster_labels={"prod": {"environment": "test"}})
    await house.open("drain-node", N1, environment="test")
    await house.until(_I.EXECUTING)
    house.out.turns.take(("prod", ""), "rr-others", house.clock.now())
    await house.turn()
    assert "waits" in (await house.track()).reason
    await desk(house).cancel("rr-aaaaaa", ANA, "")
    assert (await house.turn()).phase == "Cancelled"
    assert house.cluster.writes == []


async def test_while_the_cluster_is_gone(house: House) -> None:
    web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.VALIDATING)

    def gone() -> ClusterHealth:
        return ClusterHealth("prod", "DOWN", 60.0, "connection refused")

    house.cluster.health = gone  # type: ignore[method-assign]
    await house.turn()
    assert "does not answer" in (await house.track()).reason
    await desk(house).cancel("rr-aaaaaa", ANA, "")
    assert (await house.turn()).phase == "Cancelled"


async def test_whether_it_was_done_is_found_out_before_it_is_called_cancelled(house: House) -> None:
    web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.EXECUTING)
    await house.turn()
    house.restart()

    async def gone(kind: str, namespace: str, name: str, *, live: bool = False) -> None:
        raise Temporary("the API server does not answer")

    answering = house.cluster.get
    house.cluster.get = gone  # type: ignore[method-assign, assignment]
    await desk(house).cancel("rr-aaaaaa", ANA, "")
    assert not (await house.turn()).ended
    house.cluster.get = answering  # type: ignore[method-assign]
    assert (await house.turn()).phase == "Cancelled"


async def test_an_alert_that_went_away_before_anything_was_written(house: House) -> None:
    """Such as during an outage, or while another drain had its turn."""
    web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.EXECUTING)
    await house.resolve()
    assert (await house.turn()).phase == "Cancelled"
    assert house.cluster.writes == []


async def test_an_alert_that_went_away_after_the_write_changes_nothing(house: House) -> None:
    web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.VERIFYING)
    await house.resolve()
    assert (await house.until(_I.COMPLETED, most=200)).phase is _I.COMPLETED


async def test_a_person_gets_through_however_fast_it_moves(house: House) -> None:
    """Each of the first writes of the word finds that the row has moved on."""
    web(house)
    await house.open("restart-deployment", WEB)
    await house.until(_I.VERIFYING)
    whole = house.store

    class Moving:
        """A store whose track moves whenever somebody has just read it."""

        reads = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(whole, name)

        async def remediation(self, id_: str) -> Any:
            found = await whole.remediation(id_)
            self.reads += 1
            if self.reads <= 8 and found and found.imperative:
                await whole.commit(Change(tracks=(found.imperative,)))
            return found

    moving: Any = Moving()
    await ControlDesk(moving, house.clock, lambda: None).cancel("rr-aaaaaa", ANA, "now")
    assert (await house.track()).cancel_requested == "cancelled by ana: now"
    told = [entry.message for entry in await house.journal() if entry.actor == "ana"]
    assert told == ["cancelled by ana: now"]

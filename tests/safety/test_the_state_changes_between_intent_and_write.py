"""The status of what crashes changes all the time: that keeps no write away, and has none sent twice."""

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


def _touch(house: House) -> None:
    """Somebody else writes to the Deployment, as its controller does whenever a pod fails: another resourceVersion."""
    house.cluster.put(copy.deepcopy(house.cluster.objects["Deployment", "shop", "web"]))


async def _intended(house: House) -> None:
    await house.until(_I.EXECUTING)
    await house.turn()
    assert (await house.track()).steps


async def test_a_new_process_sends_what_the_old_one_intended_once(web: House) -> None:
    """Seconds of status lie between the intent of one process and the look of the next."""
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


async def test_a_lost_write_that_never_came_is_written_whatever_the_status_is_by_then(web: House) -> None:
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

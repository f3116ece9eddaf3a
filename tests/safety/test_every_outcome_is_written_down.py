"""An outcome that can't be stored as it is ends the track with words that can."""

import asyncio

from kubernaut.domain.errors import Refused
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.tracks import ImperativePhase

from . import objects
from .conftest import WEB, House


async def test_text_that_is_no_unicode_ends_the_track_instead_of_being_tried_for_ever(house: House) -> None:
    house.cluster.put(objects.namespace())
    house.cluster.put(objects.deployment())
    await house.open("restart-deployment", WEB)
    await house.until(ImperativePhase.EXECUTING)
    await house.turn()

    async def refuse(verb: str, ref: ResourceRef) -> None:
        raise Refused("half a letter: \ud83d")

    house.cluster.before = refuse
    track = await house.until(ImperativePhase.VERIFYING)
    assert track.phase is ImperativePhase.FAILED
    assert "can't be stored" in track.reason


async def test_a_mistake_of_our_own_is_told_as_what_it_is_and_without_secrets(house: House) -> None:
    house.cluster.put(objects.namespace())
    house.cluster.put(objects.deployment())
    await house.open("restart-deployment", WEB)
    await house.until(ImperativePhase.EXECUTING)
    await house.turn()

    async def fail() -> None:
        raise KeyError("password=hunter2hunter2")

    async def mistake(verb: str, ref: ResourceRef) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())

    house.cluster.before = mistake
    track = await house.until(ImperativePhase.VERIFYING)
    assert track.phase is ImperativePhase.FAILED
    assert track.reason.startswith("internal error: KeyError: ")
    assert "it is yours now" in track.reason
    assert "hunter2" not in track.reason

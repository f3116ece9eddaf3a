"""An outcome that can't be stored as it is ends the track with words that can."""

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

"""Incidents that the rules were not made with are told rightly, through the same door as `kubernaut diagnose --from-dump`."""

from pathlib import Path

import pytest

from kubernaut.cli.diagnose import answer, read_offline
from kubernaut.domain.resources import ResourceRef

from .foreign import Foreign
from .incidents_unseen import UNSEEN_CONTAINERS
from .incidents_unseen_places import UNSEEN_PLACES
from .incidents_unseen_traps import TRAPS
from .incidents_unseen_weak import WEAK
from .unseen import Unseen, verdict

EVERY = (*UNSEEN_CONTAINERS, *UNSEEN_PLACES, *TRAPS, *WEAK)


@pytest.mark.parametrize(
    "it",
    EVERY,
    ids=[it.name for it in EVERY],
)
def test_the_unseen_incident_is_told_as_it_is(it: Unseen, tmp_path: Path) -> None:
    cluster = Foreign()
    it.build(cluster)
    snapshots = read_offline(cluster.write(tmp_path), ResourceRef("dump", *it.ask))
    assert verdict(it, answer(snapshots)[0]) == "right"

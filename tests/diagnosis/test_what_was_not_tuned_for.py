"""Incidents that the rules were not made with are told rightly, through the same door as `kubernaut diagnose --from-dump`."""

from pathlib import Path

import pytest

from kubernaut.cli.diagnose import answer, read_offline
from kubernaut.domain.resources import ResourceRef

from .foreign import Foreign
from .incidents_unseen import UNSEEN_CONTAINERS
from .incidents_unseen_places import UNSEEN_PLACES
from .incidents_unseen_traps import TRAPS
from .unseen import Unseen, verdict

EVERY = (*UNSEEN_CONTAINERS, *UNSEEN_PLACES, *TRAPS)
MISSED = {
    "registry's certificate expired": "it is told as no answer",
    "pull secret refused": "the secret is not named",
    "binary of another processor": "the words stay the loader's",
    "the cluster's DNS is down": "why it crashes comes after that it crashes",
    "a rollout that is never ready": "what the probe was answered is not told",
    "a claim without its storage class": "the class is not named",
    "a volume held by another node": "nothing was found",
    "no address left on a node": "the end of the words is cut away",
    "stale for six seconds": "a dump is taken for later than it is",
    "a node that is gone": "its pod would be deleted",
}
"""What the first try got wrong, and is not mended yet."""


@pytest.mark.parametrize(
    "it",
    [pytest.param(it, id=it.name, marks=[pytest.mark.xfail(strict=True)] if it.name in MISSED else []) for it in EVERY],
)
def test_the_unseen_incident_is_told_as_it_is(it: Unseen, tmp_path: Path) -> None:
    cluster = Foreign()
    it.build(cluster)
    snapshots = read_offline(cluster.write(tmp_path), ResourceRef("dump", *it.ask))
    assert verdict(it, answer(snapshots)[0]) == "right"

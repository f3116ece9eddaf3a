"""Incidents of clusters that are not ours are diagnosed rightly, alone and among thirty workloads that are well."""

from pathlib import Path

import pytest

from kubernaut.adapters.dump import read_dump
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.analysis import Finding
from kubernaut.domain.resources import ResourceRef

from .crowd import add_crowd
from .expectation import Incident, wrong
from .incidents_chained import CHAINED
from .incidents_crashes import CRASHES
from .incidents_images import IMAGES
from .incidents_memory import MEMORY
from .incidents_nodes import NODE_INCIDENTS
from .incidents_pods import POD_INCIDENTS
from .incidents_tricky import TRICKY
from .world import FLAVOURS, Flavour, World

INCIDENTS = (*MEMORY, *CRASHES, *IMAGES, *NODE_INCIDENTS, *POD_INCIDENTS, *TRICKY, *CHAINED)


def built(it: Incident, flavour: Flavour, *, crowded: bool) -> World:
    """The incident's cluster."""
    world = World(flavour)
    it.build(world)
    if crowded:
        add_crowd(world)
    return world


def asked(it: Incident, world: World) -> ResourceRef:
    """What is asked about; a pod without a name is the first of the Deployment."""
    kind, name, namespace = it.ask
    if not name:
        name = next(o["metadata"]["name"] for o in world.objects if o["kind"] == kind)
    return ResourceRef("dump", kind, name, namespace)


def judged(it: Incident, flavour: Flavour, directory: Path, *, crowded: bool) -> tuple[Finding, ...]:
    """What the rules find in a dump of the incident's cluster."""
    world = built(it, flavour, crowded=crowded)
    dump = read_dump(world.write(directory, leave_out=it.leave_out))
    return RulesAnalyst().judge(dump.snapshot(asked(it, world)))[0]


@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda f: f.name)
@pytest.mark.parametrize("it", INCIDENTS, ids=lambda it: it.name)
def test_the_incident_is_told_as_it_is(it: Incident, flavour: Flavour, tmp_path: Path) -> None:
    assert wrong(it, judged(it, flavour, tmp_path, crowded=flavour is FLAVOURS[1])) == []

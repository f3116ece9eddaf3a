"""Whatever fields of an incident's objects are odd, asking about everything ends in an answer, and no rule raises."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubernaut.adapters.dump import read_dump
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.diagnosis.survey import survey
from kubernaut.domain.errors import BadInput
from kubernaut.domain.resources import ResourceRef

from .test_incidents_that_others_have import INCIDENTS
from .test_nothing_makes_it_stumble import ODD, places
from .world import World

PICKED = {it.name: it for it in INCIDENTS[::20]}


@cache
def objects_of(name: str) -> list[Any]:
    """Made once: hypothesis wants to draw from the same objects each time."""
    world = World()
    PICKED[name].build(world)
    return world.objects


@pytest.mark.parametrize("name", PICKED)
@given(data=st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_field_may_be_odd_in_a_survey(name: str, data: st.DataObject, tmp_path: Path) -> None:
    objects = deepcopy(objects_of(name))
    for _ in range(data.draw(st.integers(1, 6))):
        found = places(objects)
        where, key = found[data.draw(st.integers(0, len(found) - 1))]
        where[key] = data.draw(ODD)
    (tmp_path / "all.json").write_text(json.dumps({"kind": "List", "items": objects}))
    try:
        dump = read_dump(tmp_path)
    except BadInput:
        return
    findings, seen = survey(dump.everything(ResourceRef("d", "Cluster", "d")), RulesAnalyst().judge)
    assert seen
    assert all(0.0 <= finding.confidence <= 0.99 for finding in findings)


@pytest.mark.parametrize("field", ["name", "namespace"])
def test_a_workload_without_a_name_or_namespace_costs_itself_only(field: str, tmp_path: Path) -> None:
    objects = deepcopy(objects_of("dependency out of memory"))
    for odd in [deepcopy(item) for item in objects if item["kind"] == "Deployment"]:
        odd["metadata"] |= {field: None, "uid": "odd"}
        odd["status"] = {}  # none of what it wants is ready
        objects.append(odd)
    (tmp_path / "all.json").write_text(json.dumps({"kind": "List", "items": objects}))
    dump = read_dump(tmp_path)
    findings, _ = survey(dump.everything(ResourceRef("d", "Cluster", "d")), RulesAnalyst().judge)
    assert findings

"""Whatever stands in a dump, reading it ends in an answer or in a clear error, never in a traceback."""

import json
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubernaut.adapters.dump import read_dump
from kubernaut.cli.diagnosis_text import as_document, as_text
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.errors import NotFound
from kubernaut.domain.resources import ResourceRef

from .cluster import Cluster, out_of_memory_cluster
from .test_each_failure_is_found import NOT_FOUND, bad_image, missing_key, refused_value, serving

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.builds(list),
    st.builds(dict),
    st.builds(lambda: [None, 3]),
)
"""Built anew at each draw: a container that is shared would carry one example's changes into the next."""


def hardware() -> Cluster:
    """A failing node with pods on it."""
    cluster = serving(3, stale=1)
    cluster.node("n3", ReadonlyFilesystem=("True", "FilesystemIsReadOnly", 200.0))
    return cluster


MAKES = (out_of_memory_cluster, refused_value, lambda: bad_image(NOT_FOUND), lambda: missing_key(data={}), hardware)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a value."""
    here = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [(value, key) for key, _ in here] + [place for _, below in here for place in places(below)]


@cache
def made(make: Callable[[], Cluster]) -> Cluster:
    """Made once: a cluster made anew is dated anew, and hypothesis wants to draw from the same one each time."""
    return make()


@pytest.mark.parametrize("make", MAKES)
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_field_may_be_odd(make: Any, data: st.DataObject, tmp_path: Path) -> None:
    cluster = made(make)
    objects = deepcopy(cluster.objects)
    for _ in range(data.draw(st.integers(1, 6))):
        found = places(objects)
        where, key = found[data.draw(st.integers(0, len(found) - 1))]
        where[key] = data.draw(ODD)
    (tmp_path / "all.json").write_text(json.dumps({"kind": "List", "items": objects}))
    for ref in (ResourceRef("d", "Deployment", "checkout", "shop"), ResourceRef("d", "Node", "n1", "")):
        try:
            snapshot = read_dump(tmp_path).snapshot(ref)
        except NotFound:
            continue
        findings, seen = RulesAnalyst().judge(snapshot)
        assert all(0.0 <= finding.confidence <= 0.99 for finding in findings)
        assert as_text(snapshot, findings, seen)
        assert json.loads(as_document(snapshot, findings, seen))["findings"] is not None

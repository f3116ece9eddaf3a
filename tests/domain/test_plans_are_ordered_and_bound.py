"""Steps run after what they need, nonsense is refused before anything runs, and a hash names one exact plan."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubernaut.domain.errors import BadInput
from kubernaut.domain.plans import Plan, Step
from kubernaut.domain.resources import ResourceRef

TARGET = ResourceRef("prod", "Deployment", "checkout", "shop")


def step(id_: str, *needs: str) -> Step:
    return Step(id_, "restart-deployment", TARGET, expected={"uid": "u1"}, depends_on=needs)


@st.composite
def acyclic(draw: st.DrawFn) -> Plan:
    """Any plan without a cycle: each step needs only earlier ones, and then they are shuffled."""
    names = [f"s{n}" for n in range(draw(st.integers(0, 8)))]
    steps = [
        step(name, *draw(st.lists(st.sampled_from(names[:n]), unique=True) if n else st.just([])))
        for n, name in enumerate(names)
    ]
    return Plan(tuple(draw(st.permutations(steps))))


@given(acyclic())
def test_every_step_runs_once_and_after_what_it_needs(plan: Plan) -> None:
    waves = plan.order()
    place = {s.id: n for n, wave in enumerate(waves) for s in wave}
    assert sorted(place) == sorted(s.id for s in plan.steps)
    assert sum(len(wave) for wave in waves) == len(plan.steps)
    for s in plan.steps:
        assert all(place[need] < place[s.id] for need in s.depends_on)
        assert place[s.id] == max((place[need] + 1 for need in s.depends_on), default=0)


@given(acyclic(), st.data())
def test_a_cycle_is_refused_wherever_it_is(plan: Plan, data: st.DataObject) -> None:
    if not plan.steps:
        return
    ring = data.draw(st.lists(st.sampled_from(plan.steps), min_size=1, unique_by=lambda s: s.id))
    before = {s.id: ring[n - 1].id for n, s in enumerate(ring)}
    closed = Plan(
        tuple(replace(s, depends_on=(*s.depends_on, before[s.id])) if s.id in before else s for s in plan.steps)
    )
    with pytest.raises(BadInput, match="wait for each other"):
        closed.order()


def test_an_unknown_step_is_named() -> None:
    with pytest.raises(BadInput, match=r"plan\.steps\[a\].*'nowhere'"):
        Plan((step("a", "nowhere"),)).order()


def test_an_id_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="same id"):
        Plan((step("a"), step("a"))).order()


OTHER: dict[str, Any] = {
    "id": "other",
    "action": "delete-pod",
    "target": ResourceRef("staging", "Deployment", "checkout", "shop"),
    "parameters": {"grace_s": 1},
    "expected": {"uid": "u2"},
    "depends_on": ("first",),
    "timeout_s": 301.0,
    "retries": 6,
    "continue_on_failure": True,
}


@pytest.mark.parametrize("field", [field.name for field in fields(Step)])
def test_changing_any_field_changes_the_hash(field: str) -> None:
    plan = Plan((step("first"), step("second")))
    changed = Plan((plan.steps[0], replace(plan.steps[1], **{field: OTHER[field]})))
    assert changed.hash != plan.hash


def test_only_what_status_writes_move_is_left_out_of_the_hash() -> None:
    plan = Plan((replace(step("a"), expected={"uid": "u1", "resourceVersion": "1"}),))
    later = Plan((replace(step("a"), expected={"uid": "u1", "resourceVersion": "2"}),))
    assert plan.hash == later.hash


@given(acyclic(), acyclic())
def test_equal_plans_and_only_those_have_equal_hashes(one: Plan, other: Plan) -> None:
    def meaning(plan: Plan) -> list[Step]:
        return [replace(s, depends_on=tuple(sorted(s.depends_on))) for s in plan.steps]

    assert (one.hash == other.hash) == (meaning(one) == meaning(other))

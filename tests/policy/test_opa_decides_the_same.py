"""OPA is the reference for Rego: the shipped files compile and pass their tests there, and no input divides the engines."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odd_requests import SAMPLES, namespaces, requests

from kubernaut.adapters.rego.policyset import PolicySet
from kubernaut.adapters.rego.rules import DECISION, ENVIRONMENT, Rules
from kubernaut.adapters.rego.samples import NAMESPACES
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.lab.parts import Opa

pytestmark = pytest.mark.genuine


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(PolicySet.read(shipped_policies()))


def assert_same(rules: Rules, opa: Opa, rule: str, inputs: list[Any]) -> None:
    """One evaluation by OPA answers for all inputs; undefined is an empty list there and None here."""
    query = f"[answer | some request in input; answer := [value | value := {rule} with input as request]]"
    theirs = asyncio.run(opa.eval(query, data=[shipped_policies()], input=inputs))
    assert isinstance(theirs, list)
    assert len(theirs) == len(inputs)
    for request, their in zip(inputs, theirs, strict=True):
        our = rules.ask(rule, request)
        assert ([] if our is None else [our]) == their, json.dumps(request)


async def test_opa_compiles_the_shipped_policies_strictly(opa: Opa) -> None:
    await opa.check(shipped_policies(), strict=True)


async def test_opa_passes_the_tests_of_the_shipped_policies(opa: Opa) -> None:
    assert "PASS" in await opa.test(shipped_policies())


def test_both_engines_decide_all_samples_alike(rules: Rules, opa: Opa) -> None:
    assert_same(rules, opa, DECISION, SAMPLES)
    assert_same(rules, opa, ENVIRONMENT, list(NAMESPACES))


@given(inputs=st.lists(requests(), min_size=10, max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_divides_the_engines(rules: Rules, opa: Opa, inputs: list[Any]) -> None:
    assert_same(rules, opa, DECISION, inputs)


@given(inputs=st.lists(namespaces(), min_size=10, max_size=40))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_labels_divide_the_engines(rules: Rules, opa: Opa, inputs: list[Any]) -> None:
    assert_same(rules, opa, ENVIRONMENT, inputs)

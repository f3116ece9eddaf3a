"""Two rules of the shipped policies are short cuts; each must agree with the exact rules that it stands for."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from odd_requests import SAMPLES, requests

from kubernaut.adapters.rego.policyset import PolicySet
from kubernaut.adapters.rego.rules import DECISION, Rules
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.domain.policy import FAIL_CLOSED, Decision

PACKAGES = "data.kubernaut"


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(PolicySet.read(shipped_policies()))


def assert_agreement(rules: Rules, request: Any) -> None:
    well_formed = rules.ask(f"{PACKAGES}.request.well_formed", request) is True
    assert well_formed is (rules.ask(f"{PACKAGES}.request.problems", request) == set())
    if well_formed and rules.ask(f"{PACKAGES}.safety.clearly_fine", request) is True:
        assert rules.ask(f"{PACKAGES}.safety.forbidden", request) == {}
        assert rules.ask(f"{PACKAGES}.safety.concerns", request) == {}


def test_short_cuts_agree_on_all_samples(rules: Rules) -> None:
    for request in SAMPLES:
        assert_agreement(rules, request)


@given(request=requests())
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_short_cuts_agree_on_odd_requests(rules: Rules, request: Any) -> None:
    assert_agreement(rules, request)


@given(request=requests())
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_makes_the_shipped_policies_fail_or_run_something_ill_formed_alone(
    rules: Rules, request: Any
) -> None:
    decision = Decision.from_document(rules.ask(DECISION, request))
    assert decision.rule != FAIL_CLOSED
    if decision.auto_approve:
        assert rules.ask(f"{PACKAGES}.request.problems", request) == set()
        assert request["analysis"]["confidence"] > 0.9
        assert not request["freeze"]

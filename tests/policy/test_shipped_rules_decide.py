"""The shipped rules, one line of the policy each, through the engine that the daemon uses."""

import asyncio

import pytest

from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.samples import sample
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.domain.policy import ApprovalType

LOW = {"name": "restart-deployment", "risk": "low", "kind": "imperative", "reversible": False}
MEDIUM = {"name": "drain-node", "risk": "medium", "kind": "imperative", "reversible": True}


@pytest.fixture(scope="module")
def engine() -> RegoPolicyEngine:
    return asyncio.run(RegoPolicyEngine.load(shipped_policies()))


async def test_a_restart_in_production_runs_alone(engine: RegoPolicyEngine) -> None:
    decision = await engine.decide(sample(action=LOW))
    assert (decision.approval_type, decision.rule) == (ApprovalType.REGO_AUTO_APPROVED, "low_risk")


@pytest.mark.parametrize("environment", ["production", "unknown"])
async def test_a_drain_where_it_may_be_production_needs_a_person(engine: RegoPolicyEngine, environment: str) -> None:
    decision = await engine.decide(sample(action=MEDIUM, environment=environment))
    assert (decision.approval_type, decision.rule) == (ApprovalType.MANUAL, "medium_risk_in_production")
    assert decision.four_eyes
    assert decision.min_approvers == 1

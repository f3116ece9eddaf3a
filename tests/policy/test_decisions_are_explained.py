"""An explanation says which facts a decision hangs on, and everything that it says is so."""

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from policies_on_disk import DECISION, approval_of_its_own
from test_policy_commands import run

from kubernaut.adapters.rego.engine import decided
from kubernaut.adapters.rego.policyset import PolicySet
from kubernaut.adapters.rego.rules import Rules
from kubernaut.adapters.rego.samples import sample
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.domain.policy import Decision
from kubernaut.pipeline.explain import Alternative, Explanation, explain

DRAIN = {"name": "drain-node", "risk": "medium", "kind": "imperative", "reversible": True}
CHANGE = {"name": "update-resources", "risk": "medium", "kind": "declarative", "reversible": True}


@pytest.fixture
def shipped() -> Iterator[Rules]:
    rules = Rules(PolicySet.read(shipped_policies()))
    yield rules
    rules.close()


async def _explained(rules: Rules, request: Mapping[str, Any]) -> Explanation:
    async def decide(document: Mapping[str, Any]) -> Decision:
        return decided(rules, document)

    return await explain(decide, request)


def _changed(request: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(request)
    place = changed
    *above, last = field.split(".")
    for part in above:
        place = place[part]
    place[last] = value
    return changed


def _values(each: Alternative) -> tuple[Any, Any]:
    """A value at the edge, and the last one before it."""
    number, _, way = each.instead.partition(" or ")
    edge = float(number) if "." in number else int(number)
    step = 0.01 if "." in number else 1
    return edge, round(edge - step, 2) if way == "more" else round(edge + step, 2)


@pytest.mark.parametrize(
    "request_",
    [
        sample(), sample(action=DRAIN), sample(action=DRAIN, environment="staging"), sample(freeze=True),
        sample(track="gitops", action=CHANGE), sample(analysis={"failure_class": "OOMKilled", "confidence": 0.5}),
        sample(blast_radius={"pods": 500, "percent_of_workload": 34, "nodes": 3, "workloads": 1}),
        sample(active={"drains_in_pool": 1, "percent_of_pool_out": 34}, action=DRAIN),
        sample(environment="unknown", severity="odd"),
    ],
)  # fmt: skip
async def test_whatever_it_says_is_so(shipped: Rules, request_: dict[str, Any]) -> None:
    found = await _explained(shipped, request_)
    assert found.decision == decided(shipped, request_)
    assert found.alternatives
    for each in found.alternatives:
        if " or " not in each.instead:
            value: Any = {"true": True, "false": False, "another one": "another-namespace"}.get(
                each.instead, each.instead
            )
            assert decided(shipped, _changed(request_, each.field, value)) == each.decision, each
            continue
        edge, before = _values(each)
        assert decided(shipped, _changed(request_, each.field, edge)) == each.decision, each
        same = decided(shipped, _changed(request_, each.field, before))
        assert (same.rule, same.approval_type) == (found.decision.rule, found.decision.approval_type), each
    named = {each.field for each in found.alternatives}
    assert named.isdisjoint(found.indifferent)
    assert {field for field, _ in found.because} == named


async def test_it_names_the_limits(shipped: Rules) -> None:
    found = {
        (each.field, each.instead): each.decision.rule for each in (await _explained(shipped, sample())).alternatives
    }
    assert found[("blast_radius.pods", "101 or more")] == "blast_radius_pods"
    assert found[("analysis.confidence", "0.90 or less")] == "confidence_needs_person"
    assert found[("target.namespace", "kube-system")] == "protected_namespace"
    assert ("environment", "staging") not in found


async def test_rules_of_ones_own_are_explained_too(tmp_path: Path) -> None:
    night = json.dumps(DECISION | {"rule": "loud"})
    text = f'decision := {night} if input.severity == "critical" else := {json.dumps(DECISION)}'
    rules = Rules(PolicySet.read(approval_of_its_own(tmp_path, text)))
    found = await _explained(rules, sample(severity="critical"))
    assert found.because == (("severity", "critical"),)
    assert {each.decision.rule for each in found.alternatives} == {"low_risk"}
    assert "environment" in found.indifferent
    rules.close()


async def test_a_request_that_lacks_something_is_explained_as_far_as_it_goes(shipped: Rules) -> None:
    request = sample()
    del request["blast_radius"], request["environment"]
    found = await _explained(shipped, request)
    assert found.decision.rule == "incomplete_request"
    assert found.alternatives == ()
    for odd in ({}, {"action": None, "target": [], "analysis": "x"}):
        assert (await _explained(shipped, odd)).decision.require_approval


@pytest.mark.parametrize(
    ("field", "odd"),
    [("environment", {"a": 1}), ("environment", ["staging"]), ("freeze", [True]), ("target.namespace", {}),
     ("analysis.confidence", float("inf")), ("blast_radius.pods", 10**40)],
)  # fmt: skip
async def test_a_fact_that_is_no_such_fact_is_explained_as_incomplete(shipped: Rules, field: str, odd: Any) -> None:
    found = await _explained(shipped, _changed(sample(), field, odd))
    assert found.decision.require_approval
    assert found.to_document()["decision"]["auto_approve"] is False


def test_the_command_names_what_is_no_number(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps(_changed(sample(), "analysis.confidence", float("nan"))))
    said = run("explain", "--input", tmp_path / "request.json")
    assert (said.exit_code, said.stdout) == (2, "")
    assert "request.json: not JSON: NaN is no number" in said.stderr


def test_the_command_explains_a_request(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(sample(action=DRAIN)))
    said = run("explain", "--input", path)
    assert said.exit_code == 0, said.stderr
    for words in (
        "RULE       medium_risk_in_production",
        "environment is production",
        "medium_risk_nonproduction",
        "WHATEVER",
    ):
        assert words in said.stdout
    assert max(len(line) for line in said.stdout.splitlines()) <= 100
    document = json.loads(run("explain", "--input", path, "-o", "json").stdout)
    assert document["decision"]["rule"] == "medium_risk_in_production"
    assert {"field": "environment", "value": "production"} in document["because"]


def test_the_command_says_what_it_needs(tmp_path: Path) -> None:
    for arguments in ((), ("rr-aaaaaa", "--input", "x.json")):
        said = run("explain", *arguments)
        assert (said.exit_code, "--input FILE" in said.stderr) == (2, True)
    path = tmp_path / "request.json"
    path.write_text(json.dumps(sample()))
    said = run("explain", "--input", path, "--policies", approval_of_its_own(tmp_path, "decision := {"))
    assert (said.exit_code, "approval.rego:4" in said.stderr) == (2, True)

"""All actions, risks, environments, owners, confidences and tracks, against the policy written down a second time.

The table below is the plain reading of the requirements. It knows nothing of how the Rego is built, so that a condition
that is turned, dropped or put in another order there shows here.
"""

import asyncio
import itertools
from collections import Counter
from typing import Any

import pytest

from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.samples import ENVIRONMENTS, KINDS, RISKS, TRACKS, sample
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.domain.policy import ApprovalType, Decision

CONFIDENCES = (0, 0.3, 0.6999, 0.7, 0.8, 0.9, 0.9001, 1)
AUTO, GIT, MANUAL, SENIOR, DENIED = ApprovalType


def expected(kind: str, risk: str, environment: str, managed: bool, confidence: float, track: str) -> tuple[str, str]:
    """Who decides, and by which rule."""
    production = environment in ("production", "unknown")
    if confidence < 0.7:
        return DENIED, "confidence_too_low"
    if kind == "declarative" or track == "gitops":
        if managed:
            return GIT, "gitops_managed"
        if track == "gitops":
            return GIT, "pull_request"
        if production:
            return SENIOR, "production_declarative"
        if environment == "staging":
            return MANUAL, "staging_declarative"
    if risk == "high":
        return (SENIOR, "high_risk_in_production") if production else (MANUAL, "high_risk_nonproduction")
    if risk == "medium" and production:
        return MANUAL, "medium_risk_in_production"
    if confidence <= 0.9:
        return MANUAL, "confidence_needs_person"
    if kind == "declarative":
        return AUTO, "declarative_nonproduction"
    return AUTO, "low_risk" if risk == "low" else "medium_risk_nonproduction"


@pytest.fixture(scope="module")
def engine() -> RegoPolicyEngine:
    return asyncio.run(RegoPolicyEngine.load(shipped_policies()))


def request(kind: str, risk: str, environment: str, managed: bool, confidence: float, track: str) -> dict[str, Any]:
    document = sample(environment=environment, track=track)
    document["action"] |= {"name": "some-action", "kind": kind, "risk": risk}
    document["target"]["gitops_managed"] = managed
    document["analysis"]["confidence"] = confidence
    return document


def assert_consistent(decision: Decision, environment: str) -> None:
    production = environment in ("production", "unknown")
    assert decision.auto_approve is (decision.approval_type is AUTO)
    assert decision.deny is (decision.approval_type is DENIED)
    assert decision.require_approval is (decision.approval_type in (GIT, MANUAL, SENIOR))
    assert decision.min_approvers == (1 if decision.require_approval else 0)
    assert decision.four_eyes is (decision.require_approval and production)
    assert decision.reason.endswith(".")
    by_a_senior = decision.rule == "freeze" or (decision.rule == "gitops_managed" and production)
    if decision.approval_type is SENIOR or by_a_senior:
        assert decision.approver_groups == ("senior",)
    elif decision.require_approval:
        assert decision.approver_groups == ("approver",)


async def test_each_combination_is_decided_by_the_rule_that_the_requirements_name(engine: RegoPolicyEngine) -> None:
    rules: Counter[str] = Counter()
    for case in itertools.product(KINDS, RISKS, ENVIRONMENTS, (False, True), CONFIDENCES, TRACKS):
        decision = await engine.decide(request(*case))
        assert (decision.approval_type, decision.rule) == expected(*case), case
        assert_consistent(decision, case[2])
        rules[decision.rule] += 1
    assert len(rules) == 12, "every rule of the table was met"


LIMITS: tuple[tuple[dict[str, Any], str, ApprovalType], ...] = (
    (
        {"blast_radius": {"pods": 31, "percent_of_workload": 50, "nodes": 1, "workloads": 5}},
        "blast_radius_pods",
        MANUAL,
    ),
    (
        {"blast_radius": {"pods": 30, "percent_of_workload": 51, "nodes": 1, "workloads": 5}},
        "blast_radius_percent_of_workload",
        MANUAL,
    ),
    (
        {"blast_radius": {"pods": 30, "percent_of_workload": 50, "nodes": 2, "workloads": 5}},
        "blast_radius_nodes",
        MANUAL,
    ),
    (
        {"blast_radius": {"pods": 30, "percent_of_workload": 50, "nodes": 1, "workloads": 6}},
        "blast_radius_workloads",
        MANUAL,
    ),
    ({"history": {"changes_last_hour_for_owner": 5}}, "change_budget", MANUAL),
)


@pytest.mark.parametrize(("excess", "rule", "approval_type"), LIMITS)
async def test_a_limit_turns_running_alone_into_asking_and_nothing_else(
    engine: RegoPolicyEngine, excess: dict[str, Any], rule: str, approval_type: ApprovalType
) -> None:
    for case in itertools.product(KINDS, RISKS, ENVIRONMENTS, (False, True), (0.5, 0.8, 0.95), TRACKS):
        before = await engine.decide(request(*case))
        after = await engine.decide(request(*case) | excess)
        assert len(after.violations) == 1
        if before.auto_approve or before.rule == "confidence_needs_person":
            assert (after.approval_type, after.rule) == (approval_type, rule), case
        else:
            assert (after.approval_type, after.rule) == (before.approval_type, before.rule), case
        assert_consistent(after, case[2])


async def test_during_a_freeze_nothing_is_done_that_no_senior_wants(engine: RegoPolicyEngine) -> None:
    for case in itertools.product(KINDS, RISKS, ENVIRONMENTS, (False, True), CONFIDENCES, TRACKS):
        before = await engine.decide(request(*case))
        after = await engine.decide(request(*case) | {"freeze": True})
        if before.deny:
            assert (after.approval_type, after.rule) == (before.approval_type, before.rule), case
            continue
        assert after.approver_groups == ("senior",), case
        assert after.approval_type is (GIT if before.approval_type is GIT else SENIOR), case
        assert after.rule == (before.rule if before.approver_groups == ("senior",) else "freeze"), case
        assert after.violations == ("A change freeze is in force.",)
        assert_consistent(after, case[2])


async def test_just_on_the_limits_nothing_is_violated(engine: RegoPolicyEngine) -> None:
    on_the_limits = {
        "blast_radius": {"pods": 30, "percent_of_workload": 50, "nodes": 1, "workloads": 5},
        "history": {"changes_last_hour_for_owner": 4},
        "active": {"drains_in_pool": 7, "percent_of_pool_out": 50},
    }
    decision = await engine.decide(
        request("imperative", "low", "production", False, 0.95, "imperative") | on_the_limits
    )
    assert decision.auto_approve


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "kube-node-lease", "argocd", "flux-system"])
async def test_protected_namespaces_only_get_proposals(engine: RegoPolicyEngine, namespace: str) -> None:
    for case in itertools.product(KINDS, RISKS, ENVIRONMENTS, (False, True), (0.5, 0.8, 0.95), TRACKS):
        document = request(*case)
        document["target"]["namespace"] = namespace
        decision = await engine.decide(document)
        if case[-1] == "imperative":
            assert (decision.approval_type, decision.rule) == (DENIED, "protected_namespace")
        else:
            assert (decision.approval_type, decision.rule) == expected(*case)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 1.0])
async def test_one_drain_at_a_time_in_a_pool(engine: RegoPolicyEngine, confidence: float) -> None:
    for environment in ENVIRONMENTS:
        document = request("imperative", "medium", environment, False, confidence, "imperative")
        document["action"]["name"] = "drain-node"
        document["active"]["drains_in_pool"] = 1
        decision = await engine.decide(document)
        assert (decision.approval_type, decision.rule) == (DENIED, "drain_in_progress")


def without(document: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return document


@pytest.mark.parametrize(
    "path",
    [
        ("action", "name"),
        ("action", "kind"),
        ("action", "risk"),
        ("target", "kind"),
        ("target", "namespace"),
        ("target", "name"),
        ("target", "gitops_managed"),
        ("environment",),
        ("analysis", "confidence"),
        ("track",),
        ("requester",),
        ("freeze",),
        ("blast_radius", "pods"),
        ("blast_radius", "percent_of_workload"),
        ("blast_radius", "nodes"),
        ("blast_radius", "workloads"),
        ("active", "drains_in_pool"),
        ("active", "percent_of_pool_out"),
        ("history", "changes_last_hour_for_owner"),
    ],
)
@pytest.mark.parametrize("value", ["missing", None, [], {}, -1, 1.5, "odd", 10**30])
async def test_a_request_without_a_needed_value_is_decided_by_a_person_and_names_it(
    engine: RegoPolicyEngine, path: tuple[str, ...], value: object
) -> None:
    document = without(sample(), path)
    if value != "missing":
        holder = document[path[0]] if len(path) == 2 else document
        holder[path[-1]] = value
    decision = await engine.decide(document)
    if value == "odd" and path[-1] in ("name", "namespace", "requester", "kind") and path != ("action", "kind"):
        assert decision.auto_approve
    else:
        assert (decision.approval_type, decision.rule) == (MANUAL, "incomplete_request")
        assert decision.reason == f"The request is incomplete ({'.'.join(path)}): a person decides."
        assert decision.four_eyes

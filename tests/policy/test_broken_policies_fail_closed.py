"""R-POL-4: undefined, error, conflict, time-out, unreadable: approval required, never auto-approve."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from policies_on_disk import DECISION, approval_of_its_own

from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.policyset import PolicySet
from kubernaut.adapters.rego.rules import Rules
from kubernaut.adapters.rego.samples import sample
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.domain.policy import FAIL_CLOSED, ApprovalType, Decision

GOOD = json.dumps(DECISION)
PROBED = 'input.requester == "kubernaut"'
"""What is true of every sample: below it a policy looks sound to the probe, and misbehaves for others."""


async def decision_of(folder: Path, rules: str, **changes: Any) -> Decision:
    """What an engine decides whose approval.rego is good for the samples, and bad for this requester."""
    engine = await RegoPolicyEngine.load(approval_of_its_own(folder, rules), late_s=0.1)
    assert (await engine.decide(sample())).auto_approve
    return await engine.decide(sample(requester="mallory") | changes)


def assert_fails_closed(decision: Decision, because: str) -> None:
    assert decision.rule == FAIL_CLOSED
    assert decision.approval_type is ApprovalType.MANUAL
    assert decision.require_approval
    assert not decision.auto_approve
    assert because in decision.reason


async def test_undefined(tmp_path: Path) -> None:
    decision = await decision_of(tmp_path, f"decision := {GOOD} if {PROBED}")
    assert_fails_closed(decision, "undecided")


async def test_null(tmp_path: Path) -> None:
    decision = await decision_of(tmp_path, f"decision := {GOOD} if {PROBED}\n\ndecision := null if not {PROBED}")
    assert_fails_closed(decision, "undecided")


async def test_conflict(tmp_path: Path) -> None:
    other = json.dumps(DECISION | {"reason": "Another."})
    decision = await decision_of(tmp_path, f"decision := {GOOD}\n\ndecision := {other} if not {PROBED}")
    assert_fails_closed(decision, "conflict")


async def test_error(tmp_path: Path) -> None:
    rules = f'decision := {GOOD} if {PROBED}\n\ndecision := sprintf("%d", [2.5]) if not {PROBED}'
    assert_fails_closed(await decision_of(tmp_path, rules), "approval.rego:5")


async def test_time_out(tmp_path: Path) -> None:
    slow = "every i in numbers.range(1, 900) { every j in numbers.range(1, 900) { i + j > 0 } }"
    decision = await decision_of(
        tmp_path, f"decision := {GOOD} if {PROBED}\n\ndecision := {GOOD} if {{ not {PROBED}\n{slow} }}"
    )
    assert_fails_closed(decision, "to answer")


@pytest.mark.parametrize(
    "answer",
    [
        {"auto_approve": True},
        DECISION | {"approval_type": "yes"},
        DECISION | {"violations": ["Too much at once."]},
        DECISION | {"require_approval": True},
        DECISION | {"auto_approve": "true"},
        True,
        "rego-auto-approved",
        [DECISION],
    ],
)
async def test_an_answer_that_is_no_decision(tmp_path: Path, answer: object) -> None:
    rules = f"decision := {GOOD} if {PROBED}\n\ndecision := {json.dumps(answer)} if not {PROBED}"
    assert_fails_closed(await decision_of(tmp_path, rules), "a person decides")


@pytest.mark.parametrize("value", [object(), {1, object()}, b"\xff", "\ud800", float("nan"), float("inf"), 10**400])
async def test_a_request_that_json_cannot_express(value: object) -> None:
    engine = await RegoPolicyEngine.load(shipped_policies())
    decision = await engine.decide(sample(blast_radius={"pods": value}))
    assert decision.require_approval
    assert not decision.auto_approve


async def test_a_request_nested_too_deeply() -> None:
    nested: Any = []
    for _ in range(5000):
        nested = [nested]
    engine = await RegoPolicyEngine.load(shipped_policies())
    decision = await engine.decide(sample(labels=nested))
    assert decision.rule == FAIL_CLOSED


async def test_an_engine_asked_from_a_foreign_thread_lets_nothing_run_alone() -> None:
    engine = await RegoPolicyEngine.load(shipped_policies())
    decisions: list[Decision] = []
    thread = threading.Thread(target=lambda: decisions.append(asyncio.run(engine.decide(sample()))))
    thread.start()
    thread.join()
    assert [decision.rule for decision in decisions] == [FAIL_CLOSED]


@pytest.mark.parametrize(
    "rules",
    [
        "environment := 7",
        "environment := true",
        'environment := "prod"',
        'environment := "development" if input.never',
        'environment := "development"\n\nenvironment := "test" if input.namespace == "odd"',
    ],
)
async def test_an_environment_that_is_none_is_unknown(tmp_path: Path, rules: str) -> None:
    directory = approval_of_its_own(tmp_path, f"decision := {GOOD}")
    (directory / "environment.rego").write_text(f"package kubernaut.environment\n\n{rules}\n")
    engine = RegoPolicyEngine(directory, {}, PolicySet.read(directory), late_s=1.0, probe_limit_s=20.0)
    assert await engine.environment("odd", {"env": "dev"}, {}) == "unknown"


def test_rules_that_are_let_go_in_a_foreign_thread_end_without_an_error() -> None:
    abandoned = [Rules(PolicySet.read(shipped_policies())) for _ in range(3)]
    thread = threading.Thread(target=abandoned.clear)  # as the garbage collector does; an error in it fails this test
    thread.start()
    thread.join()
    assert Rules(PolicySet.read(shipped_policies())).packages  # the thread that made them ends them here

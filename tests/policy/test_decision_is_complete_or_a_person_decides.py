"""The decision contract: a document with any part missing, of another type or in contradiction fails closed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policies_on_disk import DECISION

from kubernaut.domain.policy import FAIL_CLOSED, ApprovalType, Decision

ASKS = {
    "require_approval": True,
    "auto_approve": False,
    "min_approvers": 1,
    "approval_type": "manual-approval-required",
}


def assert_a_person_decides(decision: Decision) -> None:
    assert decision.rule == FAIL_CLOSED
    assert decision.approval_type is ApprovalType.MANUAL
    assert (decision.auto_approve, decision.require_approval, decision.deny) == (False, True, False)
    assert decision.min_approvers == 1
    assert decision.four_eyes


def test_a_complete_decision_is_taken_as_it_is() -> None:
    assert Decision.from_document(DECISION).to_document() == DECISION


def test_fields_that_the_contract_does_not_know_are_ignored() -> None:
    assert Decision.from_document(DECISION | {"ticket": 7}).auto_approve


@pytest.mark.parametrize("field", list(DECISION))
def test_a_missing_field_is_named(field: str) -> None:
    decision = Decision.from_document({key: value for key, value in DECISION.items() if key != field})
    assert_a_person_decides(decision)
    assert f"missing: {field}" in decision.reason


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("approval_type", "auto"),
        ("approval_type", None),
        ("approval_type", ["rego-auto-approved"]),
        ("auto_approve", "true"),
        ("auto_approve", 1),
        ("require_approval", 0),
        ("deny", None),
        ("reason", ""),
        ("reason", "  "),
        ("reason", 3),
        ("rule", ""),
        ("min_approvers", True),
        ("min_approvers", -1),
        ("min_approvers", 0.0),
        ("min_approvers", 21),
        ("min_approvers", 10**30),
        ("approver_groups", "senior"),
        ("approver_groups", [1]),
        ("approver_groups", [""]),
        ("violations", {}),
        ("violations", [None]),
        ("four_eyes", "no"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(field: str, value: object) -> None:
    decision = Decision.from_document(DECISION | {field: value})
    assert_a_person_decides(decision)
    assert f"{field} must be" in decision.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"violations": ["Too much at once."]},
        {"deny": True},
        {"require_approval": True},
        {"auto_approve": False},
        {"min_approvers": 1},
        {"approval_type": "denied"},
        {"approval_type": "manual-approval-required"},
        ASKS | {"min_approvers": 0},
        ASKS | {"approval_type": "rego-auto-approved"},
        ASKS | {"approval_type": "denied"},
        ASKS | {"deny": True},
        {"auto_approve": False, "deny": True},
        {"auto_approve": False, "deny": True, "approval_type": "denied", "min_approvers": 1},
    ],
)
def test_a_contradiction_is_not_resolved_but_refused(changes: dict[str, Any]) -> None:
    assert_a_person_decides(Decision.from_document(DECISION | changes))


@pytest.mark.parametrize("document", [None, True, 1, 1.5, "rego-auto-approved", [], [DECISION], {}, object()])
def test_anything_but_an_object_fails_closed(document: object) -> None:
    assert_a_person_decides(Decision.from_document(document))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            key: st.sampled_from(
                [
                    True,
                    False,
                    0,
                    1,
                    "",
                    "x",
                    [],
                    ["x"],
                    None,
                    *ApprovalType,
                    DECISION["reason"],
                    DECISION["approval_type"],
                ]
            )
            for key in DECISION
        },
    )
)
def test_nothing_runs_alone_without_a_decision_that_says_so_in_every_field(changes: dict[str, Any]) -> None:
    decision = Decision.from_document(DECISION | changes)
    if decision.auto_approve:
        merged = DECISION | changes
        assert (merged["auto_approve"], merged["require_approval"], merged["deny"]) == (True, False, False)
        assert merged["approval_type"] == "rego-auto-approved"
        assert merged["violations"] == []
    else:
        assert decision.require_approval or decision.deny

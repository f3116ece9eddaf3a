"""A quorum is that many different people who may vote, all about the very plan that is asked for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubernaut.domain.approvals import Approval, ApprovalPhase, Principal, Role, Verdict, cast, may_vote
from kubernaut.domain.errors import Conflict, Refused
from kubernaut.domain.resources import ResourceRef

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
NAMES = ("ana", "bo", "chi", "dee", "kubernaut")
voters = st.builds(
    Principal,
    name=st.sampled_from(NAMES),
    groups=st.lists(st.sampled_from(("sre", "sre-lead", "dev")), unique=True).map(tuple),
    role=st.one_of(st.none(), st.sampled_from(Role)),
)


def question(**changes: object) -> Approval:
    approval = Approval(
        id="ap-1", remediation_id="rr-aaaaaa", track_id="t", plan_hash="h1", action="drain-node",
        target=ResourceRef("prod", "Node", "n5"), environment="production", because="disk errors",
        blast_radius={"pods": 3}, dry_run=(), rollback="uncordon", rule="ask", reason="production",
        requested_at=NOW, expires_at=NOW + timedelta(minutes=15),
    )  # fmt: skip
    return replace(approval, **changes)  # type: ignore[arg-type]


questions = st.builds(
    question,
    min_approvers=st.integers(1, 3),
    groups=st.sampled_from(((), ("sre",), ("sre-lead", "dev"))),
    role=st.sampled_from(Role),
    four_eyes=st.booleans(),
    requester=st.sampled_from(NAMES),
)
ballots = st.lists(
    st.tuples(voters, st.sampled_from(Verdict), st.sampled_from(("h1", "h1", "h1", "h2")), st.integers(0, 1000)),
    max_size=12,
)


@given(questions, ballots)
def test_any_sequence_of_votes_keeps_the_rules(
    approval: Approval, votes: list[tuple[Principal, Verdict, str, int]]
) -> None:
    for who, verdict, plan_hash, after_s in votes:
        before = approval
        try:
            approval = cast(approval, who, verdict, plan_hash, NOW + timedelta(seconds=after_s))
        except (Refused, Conflict):
            continue
        assert before.phase is ApprovalPhase.PENDING
        assert plan_hash == "h1"
        assert after_s < 900
        assert not may_vote(before, who)
        assert who.name not in {vote.principal for vote in before.votes}
    names = [vote.principal for vote in approval.votes]
    yes = [vote for vote in approval.votes if vote.verdict is Verdict.APPROVE]
    assert len(names) == len(set(names))
    assert not (approval.four_eyes and approval.requester in names)
    if any(vote.verdict is Verdict.REJECT for vote in approval.votes):
        assert approval.phase is ApprovalPhase.REJECTED
    elif len(yes) >= approval.min_approvers:
        assert approval.phase is ApprovalPhase.APPROVED
    else:
        assert approval.phase is ApprovalPhase.PENDING


@given(st.sampled_from(Role), st.one_of(st.none(), st.sampled_from(Role)))
def test_a_role_contains_the_roles_below_it(needed: Role, held: Role | None) -> None:
    order = ["viewer", "approver", "senior", "admin"]
    may = held is not None and order.index(held) >= order.index(needed)
    assert (may_vote(question(role=needed), Principal("ana", role=held)) == "") == may


def test_a_vote_about_another_plan_is_a_conflict_that_says_so() -> None:
    with pytest.raises(Conflict, match="look again"):
        cast(question(), Principal("ana", role=Role.ADMIN), Verdict.APPROVE, "h2", NOW)


def test_the_last_moment_is_too_late() -> None:
    with pytest.raises(Conflict, match="expired"):
        cast(question(), Principal("ana", role=Role.ADMIN), Verdict.APPROVE, "h1", NOW + timedelta(minutes=15))


def test_being_in_a_group_does_not_replace_the_role() -> None:
    with pytest.raises(Refused, match="role senior"):
        cast(
            question(role=Role.SENIOR, groups=("sre",)),
            Principal("ana", ("sre",), Role.APPROVER),
            Verdict.APPROVE,
            "h1",
            NOW,
        )

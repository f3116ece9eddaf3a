"""No sequence of events leaves a remediation without an end or an owner, and none that has ended leaves a question open.

Owner means: somebody looks at it again. An open part has a `wake_at`; one that has ended has none; and the phase of the
whole says "ended" exactly when every part has.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kubernaut.domain import assessment as assessing
from kubernaut.domain.approvals import Approval, ApprovalPhase, Principal, Role, Verdict, cast, released
from kubernaut.domain.assessment import AssessmentEvent, AssessmentPhase
from kubernaut.domain.errors import Conflict, Refused
from kubernaut.domain.machine import IllegalTransition
from kubernaut.domain.plans import Plan, Step, StepPhase, StepRun
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import ChangeProposal, Ownership
from kubernaut.domain.remediation import FAULTS, FINAL, Remediation, RemediationPhase, advance, needs_you
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary
from kubernaut.domain.tracks import (
    GitOpsEvent,
    GitOpsPhase,
    GitOpsTrack,
    ImperativeEvent,
    ImperativePhase,
    ImperativeTrack,
    advance_gitops,
    advance_imperative,
    left_behind,
)
from kubernaut.domain.values import Severity

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
OWNER = ResourceRef("prod", "Deployment", "checkout", "shop")
DECISION = Decision.fail_closed("a person decides")

wakes = st.one_of(st.none(), st.integers(0, 3600).map(lambda s: START + timedelta(seconds=s)))


def fresh() -> Remediation:
    signal = SignalSummary("KubePodCrashLooping", SignalSource.ALERTMANAGER, Severity.WARNING, "o", START, START)
    return Remediation("rr-aaaaaa", "f" * 16, OWNER, signal, START, wake_at=START)


def mitigation(now: datetime) -> ImperativeTrack:
    plan = Plan((Step("restart", "restart-deployment", OWNER),))
    return ImperativeTrack("t-i", "rr-aaaaaa", ImperativePhase.PLANNING, DECISION, plan, now, now, now)


def fix(now: datetime) -> GitOpsTrack:
    application = ResourceRef("prod", "Application", "shop", "argocd")
    ownership = Ownership("argocd", application, "https://git.example/shop.git", "main", "apps")
    proposal = ChangeProposal(ownership, OWNER, "update-resources", {})
    return GitOpsTrack("t-g", "rr-aaaaaa", GitOpsPhase.PROPOSING, DECISION, proposal, now, now, now)


def question(id_: str, now: datetime) -> Approval:
    plan = mitigation(now).plan
    return Approval(
        id_, "rr-aaaaaa", "t-i", plan.hash, "restart-deployment", OWNER, "production", "", {}, (), "", "r", "", now,
        now + timedelta(days=1), min_approvers=2,
    )  # fmt: skip


class Life(RuleBasedStateMachine):
    """One remediation through any events in any order, the absurd ones included."""

    item: Remediation
    questions: dict[str, Approval]

    @initialize()
    def begin(self) -> None:
        self.item = fresh()
        self.now = START
        self.questions = {}

    def attempt(self, move: Any) -> Any:
        """The moved value; None when the machine refuses, which must leave everything as it was."""
        self.now += timedelta(seconds=1)
        before = self.item
        try:
            return move()
        except (Conflict, Refused, ValueError):
            assert self.item == before
            return None

    @rule(event=st.sampled_from(AssessmentEvent), wake_at=wakes, kinds=st.sampled_from(("i", "g", "ig")))
    def assess(self, event: AssessmentEvent, wake_at: datetime | None, kinds: str) -> None:
        moved = self.attempt(lambda: advance(self.item, event, self.now, wake_at=wake_at, reason="because"))
        if moved is None:
            return
        if moved.assessment is AssessmentPhase.DECIDED:
            moved = replace(
                moved,
                imperative=mitigation(self.now) if "i" in kinds else None,
                gitops=fix(self.now) if "g" in kinds else None,
            )
        self.item = moved

    @precondition(lambda self: self.item.imperative is not None)
    @rule(event=st.sampled_from(ImperativeEvent), wake_at=wakes)
    def mitigate(self, event: ImperativeEvent, wake_at: datetime | None) -> None:
        track = self.item.imperative
        assert track is not None
        moved = self.attempt(lambda: advance_imperative(track, event, self.now, wake_at=wake_at))
        if moved is not None:
            assert moved.attempt == (track.attempt + 1 if moved.phase is track.phase else 0)
            assert moved.since == (track.since if moved.phase is track.phase else self.now)
            if event is ImperativeEvent.ASK:
                asked = question(f"ap-{len(self.questions)}", self.now)
                self.questions[asked.id] = asked
                moved = replace(moved, approval_id=asked.id)
            elif left := left_behind(track, moved):
                self.questions[left] = released(self.questions[left])
            self.item = replace(self.item, imperative=moved)

    @precondition(lambda self: self.questions)
    @rule(who=st.sampled_from(("ana", "ben", "sia")), verdict=st.sampled_from(Verdict), which=st.integers(0, 30))
    def vote(self, who: str, verdict: Verdict, which: int) -> None:
        approval = list(self.questions.values())[which % len(self.questions)]
        voted = self.attempt(
            lambda: cast(approval, Principal(who, (), Role.SENIOR), verdict, approval.plan_hash, self.now)
        )
        if voted is not None:
            assert approval.phase is ApprovalPhase.PENDING
            self.questions[approval.id] = voted

    @precondition(lambda self: self.item.gitops is not None)
    @rule(event=st.sampled_from(GitOpsEvent), wake_at=wakes)
    def mend(self, event: GitOpsEvent, wake_at: datetime | None) -> None:
        track = self.item.gitops
        assert track is not None
        moved = self.attempt(lambda: advance_gitops(track, event, self.now, wake_at=wake_at))
        if moved is not None:
            self.item = replace(self.item, gitops=moved)

    @invariant()
    def every_open_part_has_somebody_who_looks_again(self) -> None:
        assert (self.item.wake_at is not None) == (self.item.assessment in assessing.OPEN)
        for track in self.item.tracks:
            assert (track.wake_at is None) == track.ended
            assert (track.ended_at is not None) == track.ended

    @invariant()
    def the_whole_has_ended_exactly_when_every_part_has(self) -> None:
        parts_open = self.item.assessment in assessing.OPEN or any(not track.ended for track in self.item.tracks)
        assert self.item.ended == (not parts_open)
        assert (self.item.phase in FINAL) == self.item.ended

    @invariant()
    def a_wait_for_a_person_shows(self) -> None:
        item = self.item
        votes = item.imperative is not None and item.imperative.phase is ImperativePhase.AWAITING_APPROVAL
        merges = item.gitops is not None and item.gitops.phase in (GitOpsPhase.AWAITING_MERGE, GitOpsPhase.OVERDUE)
        if votes or merges:
            assert needs_you(item)
            assert not item.ended
        if item.phase in FAULTS - {RemediationPhase.REJECTED}:
            assert needs_you(item)
        if item.phase in (RemediationPhase.COMPLETED, RemediationPhase.CANCELLED, RemediationPhase.SKIPPED):
            assert not needs_you(item)

    @invariant()
    def nobody_is_asked_in_vain(self) -> None:
        track = self.item.imperative
        waits_for = track.approval_id if track and track.phase is ImperativePhase.AWAITING_APPROVAL else ""
        for approval in self.questions.values():
            if approval.phase is ApprovalPhase.PENDING:
                assert not self.item.ended
                assert approval.id == waits_for

    @invariant()
    def one_bad_end_is_not_covered_by_a_good_one(self) -> None:
        item = self.item
        if item.phase is RemediationPhase.COMPLETED:
            assert all(track.phase.value == "Completed" for track in item.tracks)
            assert item.tracks


Life.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase


@pytest.mark.parametrize("phase", [phase for phase in StepPhase if phase is not StepPhase.PENDING])
def test_what_may_have_written_something_is_not_cancelled(phase: StepPhase) -> None:
    track = replace(mitigation(START), phase=ImperativePhase.EXECUTING)
    assert advance_imperative(track, ImperativeEvent.CANCEL, START, wake_at=None).phase is ImperativePhase.CANCELLED
    begun = track.with_run(StepRun("restart", phase))
    with pytest.raises(IllegalTransition, match="may have written"):
        advance_imperative(begun, ImperativeEvent.CANCEL, START, wake_at=None)

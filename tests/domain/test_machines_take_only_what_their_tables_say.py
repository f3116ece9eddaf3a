"""Every phase meets every event; what should come of it is written out here a second time, by hand."""

import itertools
from collections.abc import Mapping
from enum import StrEnum

import pytest

from kubernaut.domain import assessment, tracks
from kubernaut.domain.assessment import AssessmentEvent, AssessmentPhase
from kubernaut.domain.machine import IllegalTransition, step
from kubernaut.domain.tracks import GitOpsEvent, GitOpsPhase, ImperativeEvent, ImperativePhase

Expected = Mapping[str, Mapping[str, str]]

ASSESSMENT: Expected = {
    "Pending": {
        "taken": "Processing", "wait": "Pending", "escalate": "Escalated", "skip": "Skipped", "cancel": "Cancelled",
        "time-out": "TimedOut", "fail": "Failed",
    },
    "Processing": {
        "enriched": "Analyzing", "wait": "Processing", "escalate": "Escalated", "skip": "Skipped",
        "cancel": "Cancelled", "time-out": "TimedOut", "fail": "Failed",
    },
    "Analyzing": {
        "decide": "Decided", "deny": "Rejected", "wait": "Analyzing", "escalate": "Escalated", "skip": "Skipped",
        "cancel": "Cancelled", "time-out": "TimedOut", "fail": "Failed",
    },
}  # fmt: skip

IMPERATIVE: Expected = {
    "Planning": {
        "planned": "Validating", "reject": "Rejected", "wait": "Planning", "fail": "Failed", "cancel": "Cancelled",
    },
    "Validating": {
        "validated": "Executing", "ask": "AwaitingApproval", "replan": "Planning", "reject": "Rejected",
        "wait": "Validating", "fail": "Failed", "cancel": "Cancelled",
    },
    "AwaitingApproval": {
        "approved": "Validating", "replan": "Planning", "reject": "Rejected", "expired": "TimedOut",
        "wait": "AwaitingApproval", "fail": "Failed", "cancel": "Cancelled",
    },
    "Executing": {
        "executed": "Verifying", "replan": "Planning", "roll-back": "RollingBack", "wait": "Executing",
        "fail": "Failed", "cancel": "Cancelled",
    },
    "Verifying": {
        "healthy": "Completed", "roll-back": "RollingBack", "wait": "Verifying", "fail": "Failed",
    },
    "RollingBack": {
        "undone": "RolledBack", "partly-undone": "PartiallyRolledBack", "wait": "RollingBack",
    },
}  # fmt: skip

GITOPS: Expected = {
    "Proposing": {"proposed": "AwaitingMerge", "wait": "Proposing", "fail": "Failed", "cancel": "Cancelled"},
    "AwaitingMerge": {
        "merged": "Syncing", "closed": "Closed", "overdue": "Overdue", "wait": "AwaitingMerge", "fail": "Failed",
        "cancel": "Cancelled",
    },
    "Overdue": {"merged": "Syncing", "closed": "Closed", "wait": "Overdue", "fail": "Failed", "cancel": "Cancelled"},
    "Syncing": {"synced": "Verifying", "wait": "Syncing", "fail": "Failed"},
    "Verifying": {"healthy": "Completed", "wait": "Verifying", "fail": "Failed"},
}  # fmt: skip

MACHINES = {
    "assessment": (assessment.TRANSITIONS, AssessmentPhase, AssessmentEvent, ASSESSMENT),
    "imperative": (tracks.IMPERATIVE_TRANSITIONS, ImperativePhase, ImperativeEvent, IMPERATIVE),
    "gitops": (tracks.GITOPS_TRANSITIONS, GitOpsPhase, GitOpsEvent, GITOPS),
}
PAIRS = [
    pytest.param(name, phase, event, id=f"{name}-{phase}-{event}")
    for name, (_, phases, events, _) in MACHINES.items()
    for phase, event in itertools.product(phases, events)
]


@pytest.mark.parametrize(("name", "phase", "event"), PAIRS)
def test_each_phase_meets_each_event(name: str, phase: StrEnum, event: StrEnum) -> None:
    table, _, _, expected = MACHINES[name]
    wanted = expected.get(phase.value, {}).get(event.value)
    if wanted is None:
        with pytest.raises(IllegalTransition, match=f"{phase.value} does not take {event.value}"):
            step(table, phase, event)
    else:
        assert step(table, phase, event).value == wanted


@pytest.mark.parametrize("name", MACHINES)
def test_an_end_takes_nothing_and_every_open_phase_reaches_one(name: str) -> None:
    table, phases, _, expected = MACHINES[name]
    ends = {phase for phase in phases if phase.value not in expected}
    assert not [pair for pair in table if pair[0] in ends]
    can_end = set(ends)
    for _ in phases:
        can_end |= {phase for (phase, _), target in table.items() if target in can_end}
    assert can_end == set(phases)


@pytest.mark.parametrize("name", MACHINES)
def test_every_phase_can_be_reached_from_the_first(name: str) -> None:
    table, phases, _, _ = MACHINES[name]
    reached = {next(iter(phases))}
    for _ in phases:
        reached |= {target for (phase, _), target in table.items() if phase in reached}
    assert reached == set(phases)


def test_the_open_phases_are_those_with_a_way_out() -> None:
    assert {phase.value for phase in assessment.OPEN} == set(ASSESSMENT)
    assert {phase.value for phase in tracks.IMPERATIVE_OPEN} == set(IMPERATIVE)
    assert {phase.value for phase in tracks.GITOPS_OPEN} == set(GITOPS)


def test_what_has_run_is_never_cancelled_only_rolled_back() -> None:
    for phase in (ImperativePhase.VERIFYING, ImperativePhase.ROLLING_BACK):
        with pytest.raises(IllegalTransition):
            step(tracks.IMPERATIVE_TRANSITIONS, phase, ImperativeEvent.CANCEL)

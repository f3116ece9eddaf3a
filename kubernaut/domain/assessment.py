"""The first half of a remediation: what happened, why, and what is to be done about it."""

from enum import StrEnum

from .machine import step


class AssessmentPhase(StrEnum):
    """Where the assessment stands. `DECIDED` hands over to the tracks; the other ends are ends of the remediation."""

    PENDING = "Pending"
    PROCESSING = "Processing"
    ANALYZING = "Analyzing"
    DECIDED = "Decided"
    ESCALATED = "Escalated"
    REJECTED = "Rejected"
    SKIPPED = "Skipped"
    CANCELLED = "Cancelled"
    TIMED_OUT = "TimedOut"
    FAILED = "Failed"


class AssessmentEvent(StrEnum):
    """What can happen to an assessment."""

    TAKEN = "taken"
    ENRICHED = "enriched"
    DECIDE = "decide"
    WAIT = "wait"
    ESCALATE = "escalate"
    DENY = "deny"
    SKIP = "skip"
    CANCEL = "cancel"
    TIME_OUT = "time-out"
    FAIL = "fail"


_A, _E = AssessmentPhase, AssessmentEvent
OPEN = (_A.PENDING, _A.PROCESSING, _A.ANALYZING)
"""Phases in which the assessment is kubernaut's own work and always has a `wake_at`."""

TRANSITIONS: dict[tuple[AssessmentPhase, AssessmentEvent], AssessmentPhase] = {
    (_A.PENDING, _E.TAKEN): _A.PROCESSING,
    (_A.PROCESSING, _E.ENRICHED): _A.ANALYZING,
    (_A.ANALYZING, _E.DECIDE): _A.DECIDED,
    (_A.ANALYZING, _E.DENY): _A.REJECTED,
    **{(phase, _E.WAIT): phase for phase in OPEN},
    **{(phase, _E.ESCALATE): _A.ESCALATED for phase in OPEN},
    **{(phase, _E.SKIP): _A.SKIPPED for phase in OPEN},
    **{(phase, _E.CANCEL): _A.CANCELLED for phase in OPEN},
    **{(phase, _E.TIME_OUT): _A.TIMED_OUT for phase in OPEN},
    **{(phase, _E.FAIL): _A.FAILED for phase in OPEN},
}


def advance_assessment(phase: AssessmentPhase, event: AssessmentEvent) -> AssessmentPhase:
    """The phase after `event`.

    Raises:
        IllegalTransition: the event has no meaning in this phase.
    """
    return step(TRANSITIONS, phase, event)

"""A remediation: one failure of one owner, from its first signal to its end.

Its phase is no state of its own: it is a pure function of the assessment and of the tracks.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from .analysis import Analysis
from .assessment import OPEN, AssessmentEvent, AssessmentPhase, advance_assessment
from .policy import Decision
from .resources import ResourceRef
from .signals import SignalSummary
from .tracks import GitOpsPhase, GitOpsTrack, ImperativePhase, ImperativeTrack, Track
from .values import Priority


class RemediationPhase(StrEnum):
    """Where the whole stands."""

    PENDING = "Pending"
    PROCESSING = "Processing"
    ANALYZING = "Analyzing"
    AWAITING_APPROVAL = "AwaitingApproval"
    EXECUTING = "Executing"
    VERIFYING = "Verifying"
    COMPLETED = "Completed"
    FAILED = "Failed"
    REJECTED = "Rejected"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"
    ESCALATED = "Escalated"


FINAL = frozenset(
    {
        RemediationPhase.COMPLETED, RemediationPhase.FAILED, RemediationPhase.REJECTED, RemediationPhase.TIMED_OUT,
        RemediationPhase.CANCELLED, RemediationPhase.SKIPPED, RemediationPhase.ESCALATED,
    }
)  # fmt: skip
"""Phases that are an end."""

FAULTS = frozenset(
    {RemediationPhase.FAILED, RemediationPhase.ESCALATED, RemediationPhase.TIMED_OUT, RemediationPhase.REJECTED}
)
"""Ends that leave the failure to a person."""


class Pattern(StrEnum):
    """Which tracks a remediation has (R-TRK-1)."""

    IMPERATIVE = "A"
    BOTH = "B"
    PULL_REQUEST = "C"
    APPROVAL_FIRST = "D"


@dataclass(frozen=True, slots=True)
class Remediation:
    """One failure of one owner.

    Args:
        id: `rr-` and six characters of base 32.
        fingerprint: see `signals.fingerprint`; unique among the remediations that have not ended.
        target: the top owner of the object that the signal names.
        failure_class: the signal's family, half of the fingerprint.
        assessment: the assessment's phase; `phase` is derived.
        decision: policy's word on the mitigation, or on the fix where there is no mitigation.
        ended_at: when the last track (or the assessment) ended.
        wake_at: when the assessment is looked at next; None once it is decided or has ended.
        silent_since: since when the outside has not answered the assessment; None while it does.
        unwatched_s: how long nobody looked, or nobody answered, since the first signal, in seconds.
    """

    id: str
    fingerprint: str
    target: ResourceRef
    signal: SignalSummary
    created_at: datetime
    failure_class: str = ""
    assessment: AssessmentPhase = AssessmentPhase.PENDING
    wake_at: datetime | None = None
    environment: str = "unknown"
    priority: Priority = Priority.P2
    analysis: Analysis | None = None
    decision: Decision | None = None
    reason: str = ""
    attempt: int = 0
    superseded_by: str = ""
    ended_at: datetime | None = None
    imperative: ImperativeTrack | None = None
    gitops: GitOpsTrack | None = None
    silent_since: datetime | None = None
    unwatched_s: float = 0.0
    version: int = 0

    @property
    def cluster(self) -> str:
        """The cluster it happens in."""
        return self.target.cluster

    @property
    def watched_from(self) -> datetime:
        """As if it had been watched without a break: its first signal, later by the time in which it was not."""
        return self.signal.first_seen + timedelta(seconds=self.unwatched_s)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks that were opened, the imperative one first."""
        return tuple(track for track in (self.imperative, self.gitops) if track is not None)

    @property
    def phase(self) -> RemediationPhase:
        """See `phase_of`."""
        return phase_of(self.assessment, self.imperative, self.gitops)

    @property
    def ended(self) -> bool:
        """Whether nothing can happen any more."""
        return self.phase in FINAL

    @property
    def pattern(self) -> Pattern | None:
        """Which tracks it has; None before the decision."""
        if self.imperative and self.gitops:
            return Pattern.BOTH
        if self.gitops:
            return Pattern.PULL_REQUEST
        if self.imperative:
            return Pattern.IMPERATIVE if self.imperative.decision.auto_approve else Pattern.APPROVAL_FIRST
        return None


_IMPERATIVE_END = {
    ImperativePhase.COMPLETED: RemediationPhase.COMPLETED,
    ImperativePhase.ROLLED_BACK: RemediationPhase.ESCALATED,
    ImperativePhase.PARTIALLY_ROLLED_BACK: RemediationPhase.ESCALATED,
    ImperativePhase.FAILED: RemediationPhase.ESCALATED,
    ImperativePhase.REJECTED: RemediationPhase.REJECTED,
    ImperativePhase.TIMED_OUT: RemediationPhase.TIMED_OUT,
    ImperativePhase.CANCELLED: RemediationPhase.CANCELLED,
}
_GITOPS_END = {
    GitOpsPhase.COMPLETED: RemediationPhase.COMPLETED,
    GitOpsPhase.CLOSED: RemediationPhase.REJECTED,
    GitOpsPhase.FAILED: RemediationPhase.ESCALATED,
    GitOpsPhase.CANCELLED: RemediationPhase.CANCELLED,
}
_IMPERATIVE_RUN = {
    ImperativePhase.PLANNING: RemediationPhase.EXECUTING,
    ImperativePhase.VALIDATING: RemediationPhase.EXECUTING,
    ImperativePhase.AWAITING_APPROVAL: RemediationPhase.AWAITING_APPROVAL,
    ImperativePhase.EXECUTING: RemediationPhase.EXECUTING,
    ImperativePhase.VERIFYING: RemediationPhase.VERIFYING,
    ImperativePhase.ROLLING_BACK: RemediationPhase.EXECUTING,
}
_GITOPS_RUN = {
    GitOpsPhase.PROPOSING: RemediationPhase.EXECUTING,
    GitOpsPhase.AWAITING_MERGE: RemediationPhase.AWAITING_APPROVAL,
    GitOpsPhase.OVERDUE: RemediationPhase.AWAITING_APPROVAL,
    GitOpsPhase.SYNCING: RemediationPhase.EXECUTING,
    GitOpsPhase.VERIFYING: RemediationPhase.VERIFYING,
}
_WORST_FIRST = (
    RemediationPhase.ESCALATED, RemediationPhase.TIMED_OUT, RemediationPhase.REJECTED,
    RemediationPhase.CANCELLED, RemediationPhase.COMPLETED,
)  # fmt: skip
_BUSIEST_FIRST = (RemediationPhase.EXECUTING, RemediationPhase.VERIFYING, RemediationPhase.AWAITING_APPROVAL)


def phase_of(
    assessment: AssessmentPhase, imperative: ImperativeTrack | None, gitops: GitOpsTrack | None
) -> RemediationPhase:
    """The phase of the whole: the assessment's until it is decided, then the busiest open track's, then the worst end."""
    return phase_from(assessment, imperative.phase if imperative else None, gitops.phase if gitops else None)


def phase_from(
    assessment: AssessmentPhase, imperative: ImperativePhase | None, gitops: GitOpsPhase | None
) -> RemediationPhase:
    """`phase_of` from the phases alone, for whoever has no documents at hand (None: there is no such track)."""
    if assessment is not AssessmentPhase.DECIDED:
        return RemediationPhase(assessment.value)
    running = [_IMPERATIVE_RUN[imperative]] if imperative in _IMPERATIVE_RUN else []
    running += [_GITOPS_RUN[gitops]] if gitops in _GITOPS_RUN else []
    if running:
        return min(running, key=_BUSIEST_FIRST.index)
    ends = [_IMPERATIVE_END[imperative]] if imperative else []
    ends += [_GITOPS_END[gitops]] if gitops else []
    return min(ends, key=_WORST_FIRST.index) if ends else RemediationPhase.ESCALATED


def advance(
    remediation: Remediation, event: AssessmentEvent, now: datetime, *, wake_at: datetime | None, reason: str = ""
) -> Remediation:
    """The remediation after an event of its assessment: pure, and the only way the assessment's phase changes.

    Args:
        wake_at: when to look again; ignored once the assessment is over.

    Raises:
        IllegalTransition: the event has no meaning in this phase.
        ValueError: the assessment stays open and `wake_at` is None, so nobody would own it.
    """
    phase = advance_assessment(remediation.assessment, event)
    is_open = phase in OPEN
    if is_open and wake_at is None:
        raise ValueError(f"an open assessment needs a wake_at: {remediation.id} {phase}")
    same = phase is remediation.assessment
    return replace(
        remediation,
        assessment=phase,
        wake_at=wake_at if is_open else None,
        attempt=remediation.attempt + 1 if same else 0,
        reason=reason,
        silent_since=None,
        ended_at=None if is_open or phase is AssessmentPhase.DECIDED else now,
    )


def needs_you(remediation: Remediation) -> bool:
    """Whether a person is waited for: a vote, a merge, or a failure that was handed over."""
    imperative, gitops = remediation.imperative, remediation.gitops
    return waits_for_person(
        remediation.phase, imperative.phase if imperative else None, gitops.phase if gitops else None
    )


def waits_for_person(phase: RemediationPhase, imperative: ImperativePhase | None, gitops: GitOpsPhase | None) -> bool:
    """`needs_you` from the phases alone."""
    return (
        imperative is ImperativePhase.AWAITING_APPROVAL
        or gitops in (GitOpsPhase.AWAITING_MERGE, GitOpsPhase.OVERDUE)
        or phase in FAULTS - {RemediationPhase.REJECTED}
    )

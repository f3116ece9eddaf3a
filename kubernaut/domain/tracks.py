"""The two tracks: each a small state machine with its own row, running in parallel.

The imperative track mitigates now; the GitOps track carries the permanent fix through a pull request into the cluster.
A track that is not at its end either has a `wake_at` (kubernaut will look at it then) or it does not exist: nothing waits
for an event alone, because events get lost.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from .machine import IllegalTransition, step
from .plans import Plan, StepPhase, StepRun
from .policy import Decision
from .proposals import ChangeProposal
from .values import changed


class TrackKind(StrEnum):
    """Which way a track acts."""

    IMPERATIVE = "imperative"
    GITOPS = "gitops"


class ImperativePhase(StrEnum):
    """Where the mitigation stands."""

    PLANNING = "Planning"
    VALIDATING = "Validating"
    AWAITING_APPROVAL = "AwaitingApproval"
    EXECUTING = "Executing"
    VERIFYING = "Verifying"
    ROLLING_BACK = "RollingBack"
    COMPLETED = "Completed"
    ROLLED_BACK = "RolledBack"
    PARTIALLY_ROLLED_BACK = "PartiallyRolledBack"
    FAILED = "Failed"
    REJECTED = "Rejected"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"


class ImperativeEvent(StrEnum):
    """What can happen to a mitigation."""

    PLANNED = "planned"
    VALIDATED = "validated"
    ASK = "ask"
    APPROVED = "approved"
    REJECT = "reject"
    EXPIRED = "expired"
    REPLAN = "replan"
    WAIT = "wait"
    EXECUTED = "executed"
    HEALTHY = "healthy"
    FAIL = "fail"
    ROLL_BACK = "roll-back"
    UNDONE = "undone"
    PARTLY_UNDONE = "partly-undone"
    CANCEL = "cancel"


_I, _IE = ImperativePhase, ImperativeEvent
IMPERATIVE_OPEN = (
    _I.PLANNING, _I.VALIDATING, _I.AWAITING_APPROVAL, _I.EXECUTING, _I.VERIFYING, _I.ROLLING_BACK,
)  # fmt: skip
"""Phases that are not an end."""

IMPERATIVE_TRANSITIONS: dict[tuple[ImperativePhase, ImperativeEvent], ImperativePhase] = {
    (_I.PLANNING, _IE.PLANNED): _I.VALIDATING,
    (_I.PLANNING, _IE.REJECT): _I.REJECTED,
    (_I.VALIDATING, _IE.VALIDATED): _I.EXECUTING,
    (_I.VALIDATING, _IE.ASK): _I.AWAITING_APPROVAL,
    (_I.VALIDATING, _IE.REPLAN): _I.PLANNING,
    (_I.VALIDATING, _IE.REJECT): _I.REJECTED,
    (_I.AWAITING_APPROVAL, _IE.APPROVED): _I.VALIDATING,
    (_I.AWAITING_APPROVAL, _IE.REPLAN): _I.PLANNING,
    (_I.AWAITING_APPROVAL, _IE.REJECT): _I.REJECTED,
    (_I.AWAITING_APPROVAL, _IE.EXPIRED): _I.TIMED_OUT,
    (_I.EXECUTING, _IE.EXECUTED): _I.VERIFYING,
    (_I.EXECUTING, _IE.ROLL_BACK): _I.ROLLING_BACK,
    (_I.EXECUTING, _IE.REPLAN): _I.PLANNING,
    (_I.VERIFYING, _IE.HEALTHY): _I.COMPLETED,
    (_I.VERIFYING, _IE.ROLL_BACK): _I.ROLLING_BACK,
    (_I.ROLLING_BACK, _IE.UNDONE): _I.ROLLED_BACK,
    (_I.ROLLING_BACK, _IE.PARTLY_UNDONE): _I.PARTIALLY_ROLLED_BACK,
    **{(phase, _IE.WAIT): phase for phase in IMPERATIVE_OPEN},
    **{(phase, _IE.FAIL): _I.FAILED for phase in IMPERATIVE_OPEN if phase is not _I.ROLLING_BACK},
    **{(phase, _IE.CANCEL): _I.CANCELLED for phase in (_I.PLANNING, _I.VALIDATING, _I.AWAITING_APPROVAL, _I.EXECUTING)},
}
"""Cancelling what has written something is a roll-back: `ROLL_BACK`, not `CANCEL`."""


class GitOpsPhase(StrEnum):
    """Where the permanent fix stands. `OVERDUE` is not an end: it is waiting for the merge, loudly."""

    PROPOSING = "Proposing"
    AWAITING_MERGE = "AwaitingMerge"
    OVERDUE = "Overdue"
    SYNCING = "Syncing"
    VERIFYING = "Verifying"
    COMPLETED = "Completed"
    CLOSED = "Closed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class GitOpsEvent(StrEnum):
    """What can happen to a permanent fix."""

    PROPOSED = "proposed"
    MERGED = "merged"
    CLOSED = "closed"
    OVERDUE = "overdue"
    WAIT = "wait"
    SYNCED = "synced"
    HEALTHY = "healthy"
    FAIL = "fail"
    CANCEL = "cancel"


_G, _GE = GitOpsPhase, GitOpsEvent
GITOPS_OPEN = (_G.PROPOSING, _G.AWAITING_MERGE, _G.OVERDUE, _G.SYNCING, _G.VERIFYING)
"""Phases that are not an end."""

GITOPS_TRANSITIONS: dict[tuple[GitOpsPhase, GitOpsEvent], GitOpsPhase] = {
    (_G.PROPOSING, _GE.PROPOSED): _G.AWAITING_MERGE,
    (_G.AWAITING_MERGE, _GE.MERGED): _G.SYNCING,
    (_G.AWAITING_MERGE, _GE.CLOSED): _G.CLOSED,
    (_G.AWAITING_MERGE, _GE.OVERDUE): _G.OVERDUE,
    (_G.OVERDUE, _GE.MERGED): _G.SYNCING,
    (_G.OVERDUE, _GE.CLOSED): _G.CLOSED,
    (_G.SYNCING, _GE.SYNCED): _G.VERIFYING,
    (_G.VERIFYING, _GE.HEALTHY): _G.COMPLETED,
    **{(phase, _GE.WAIT): phase for phase in GITOPS_OPEN},
    **{(phase, _GE.FAIL): _G.FAILED for phase in GITOPS_OPEN},
    **{(phase, _GE.CANCEL): _G.CANCELLED for phase in (_G.PROPOSING, _G.AWAITING_MERGE, _G.OVERDUE)},
}


@dataclass(frozen=True, slots=True)
class Telling:
    """What of a phase that goes on was written into the journal: a state that flips must not fill it.

    Args:
        text: what was told last, and `at` when.
        count: how many entries the phase has already.
        untold: how often it changed since then.
    """

    text: str
    at: datetime
    count: int = 1
    untold: int = 0


_FEW = 4
_PAUSE_S = 60.0


def telling(track: "Track", text: str, now: datetime) -> tuple[Telling, bool]:
    """What is known of the telling after the present state is `text`, and whether that is to be told now.

    The first few changes of a phase are told at once; whatever goes on changing after that is told once a minute at most.
    """
    told = track.told
    if told is None:
        return Telling(text, now), True
    changed = told.untold + (text != track.reason)
    due = told.count < _FEW or not 0 <= (now - told.at).total_seconds() < _PAUSE_S
    if text == told.text or not due:
        return replace(told, untold=changed), False
    return Telling(text, now, told.count + 1), True


@dataclass(frozen=True, slots=True)
class ImperativeTrack:
    """The mitigation's row.

    Args:
        wake_at: when to look at it next; None exactly when the track has ended.
        attempt: how often the present phase was tried.
        since: when the present phase began.
        steady_since: since when the verification has seen health without a break.
        steady_stamp: what the steadiness is about; another stamp means that something restarted in between.
        steady_breaks: how often health was lost again.
        due_at: when the present phase must be over.
        replans: how often the plan was judged anew because the world had moved on.
        effectiveness: 0 to 1, recorded when the track ends; None before.
        cancel_requested: a person wants it undone and ended: who and why; empty otherwise.
        handed_over: a person takes it over as it stands: who and why; empty otherwise.
        told: what the journal has of the present phase.
        silent_since: since when the outside has not answered; None while it does.
    """

    id: str
    remediation_id: str
    phase: ImperativePhase
    decision: Decision
    plan: Plan
    started_at: datetime
    since: datetime
    wake_at: datetime | None
    steps: tuple[StepRun, ...] = ()
    approval_id: str = ""
    attempt: int = 0
    reason: str = ""
    steady_since: datetime | None = None
    steady_stamp: str = ""
    steady_breaks: int = 0
    due_at: datetime | None = None
    ended_at: datetime | None = None
    mutated_at: datetime | None = None
    effectiveness: float | None = None
    cancel_requested: str = ""
    handed_over: str = ""
    replans: int = 0
    told: Telling | None = None
    silent_since: datetime | None = None
    version: int = 0

    @property
    def kind(self) -> TrackKind:
        """Always imperative."""
        return TrackKind.IMPERATIVE

    @property
    def ended(self) -> bool:
        """Whether nothing can happen any more."""
        return self.phase not in IMPERATIVE_OPEN

    def run_of(self, step_id: str) -> StepRun:
        """The state of one step; a fresh one if it was never touched."""
        return next((run for run in self.steps if run.step_id == step_id), StepRun(step_id))

    def with_run(self, run: StepRun) -> "ImperativeTrack":
        """The track with one step's state replaced."""
        others = tuple(r for r in self.steps if r.step_id != run.step_id)
        return replace(self, steps=(*others, run))


@dataclass(frozen=True, slots=True)
class GitOpsTrack:
    """The permanent fix's row; fields as in `ImperativeTrack`.

    Args:
        asked_at: when the controller was last asked to look at Git now.
    """

    id: str
    remediation_id: str
    phase: GitOpsPhase
    decision: Decision
    proposal: ChangeProposal
    started_at: datetime
    since: datetime
    wake_at: datetime | None
    attempt: int = 0
    reason: str = ""
    steady_since: datetime | None = None
    steady_stamp: str = ""
    due_at: datetime | None = None
    ended_at: datetime | None = None
    effectiveness: float | None = None
    cancel_requested: str = ""
    handed_over: str = ""
    asked_at: datetime | None = None
    told: Telling | None = None
    silent_since: datetime | None = None
    version: int = 0

    @property
    def kind(self) -> TrackKind:
        """Always GitOps."""
        return TrackKind.GITOPS

    @property
    def ended(self) -> bool:
        """Whether nothing can happen any more."""
        return self.phase not in GITOPS_OPEN


Track = ImperativeTrack | GitOpsTrack


def advance_imperative(
    track: ImperativeTrack, event: ImperativeEvent, now: datetime, *, wake_at: datetime | None, reason: str = ""
) -> ImperativeTrack:
    """The track after `event`: pure, and the only way a phase changes.

    Args:
        wake_at: when to look again; ignored when the new phase is an end.

    Raises:
        IllegalTransition: the event has no meaning in this phase, or what has perhaps written something is to be cancelled.
        ValueError: the new phase is no end and `wake_at` is None, so nobody would own the track.
    """
    phase = step(IMPERATIVE_TRANSITIONS, track.phase, event)
    if phase is _I.CANCELLED and any(run.phase is not StepPhase.PENDING for run in track.steps):
        raise IllegalTransition(
            f"{track.id} may have written something: it is rolled back or fails, but is not cancelled"
        )
    moved = _moved(track, phase, now, wake_at, ended=phase not in IMPERATIVE_OPEN)
    return changed(track, phase=phase, reason=reason, **moved)


def advance_gitops(
    track: GitOpsTrack, event: GitOpsEvent, now: datetime, *, wake_at: datetime | None, reason: str = ""
) -> GitOpsTrack:
    """The track after `event`; as `advance_imperative`."""
    phase = step(GITOPS_TRANSITIONS, track.phase, event)
    moved = _moved(track, phase, now, wake_at, ended=phase not in GITOPS_OPEN)
    return changed(track, phase=phase, reason=reason, **moved)


def left_behind(before: ImperativeTrack, after: ImperativeTrack) -> str:
    """The id of the question that the track waited for and does not wait for any more; empty when there is none.

    Whoever moves the track releases it with the same transition, so that no remediation ends with a question open.
    """
    waits = after.phase is _I.AWAITING_APPROVAL and after.approval_id == before.approval_id
    return "" if waits or before.phase is not _I.AWAITING_APPROVAL else before.approval_id


def _moved(track: Track, phase: StrEnum, now: datetime, wake_at: datetime | None, *, ended: bool) -> dict[str, Any]:
    """What the times and counts of either track become: a new phase begins all of them anew."""
    if not ended and wake_at is None:
        raise ValueError(f"an open track needs a wake_at: {track.id} {phase}")
    same = phase is track.phase
    return {
        "wake_at": None if ended else wake_at,
        "since": track.since if same else now,
        "attempt": track.attempt + 1 if same else 0,
        "due_at": track.due_at if same else None,
        "steady_since": track.steady_since if same else None,
        "told": track.told if same else None,
        "silent_since": None,
        "ended_at": now if ended else None,
    }

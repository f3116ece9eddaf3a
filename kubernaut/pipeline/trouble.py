"""When the outside does not answer: wait and say so, and in the end hand over instead of waiting for ever."""

from dataclasses import replace
from datetime import datetime, timedelta

from kubernaut.domain.assessment import AssessmentEvent
from kubernaut.domain.errors import Conflict, KubernautError, Temporary
from kubernaut.domain.remediation import Remediation, advance
from kubernaut.domain.tracks import (
    GitOpsEvent,
    GitOpsPhase,
    GitOpsTrack,
    ImperativeEvent,
    ImperativePhase,
    ImperativeTrack,
    Track,
    advance_gitops,
    advance_imperative,
)
from kubernaut.ports import Change

from .entries import entry, progress, track_entry
from .outside import Outside
from .steady import unwatched
from .stopping import remains

_MAX_DELAY_S = 10.0
WAITING = "waits: "
"""How a reason begins while something outside does not answer; the console shows it as it is."""


def waiting_for(out: Outside, remediation: Remediation, part: str, error: BaseException) -> Change:
    """The row looks again later, more and more slowly; after `outage_s` without an answer a person gets it."""
    now = out.clock.now()
    wording = f"{remediation.cluster} did not answer in time" if isinstance(error, TimeoutError) else str(error)
    reason = WAITING + wording
    delay_s = _delay_s(error)
    if part == "assessment":
        since = _silent_since(remediation, now)
        if now - since > timedelta(seconds=out.limits.outage_s):
            message = f"gave up waiting: {wording}"
            ended = advance(remediation, AssessmentEvent.TIME_OUT, now, wake_at=None, reason=message)
            return Change(ended, journal=(entry(now, remediation, "escalation", message),))
        wake_at = _wake_at(now, delay_s, remediation.attempt)
        waiting = advance(remediation, AssessmentEvent.WAIT, now, wake_at=wake_at, reason=reason)
        missed_s = (unwatched(remediation.wake_at, now) + (wake_at - now)).total_seconds()
        waiting = replace(waiting, silent_since=since, unwatched_s=waiting.unwatched_s + missed_s)
        told = not remediation.reason.startswith(WAITING)
        return Change(waiting, journal=(entry(now, remediation, "wait", reason),) if told else ())
    track = remediation.imperative if part == "imperative" else remediation.gitops
    if track is None:
        raise Conflict(f"{remediation.id} has no {part} track")
    return _track_waits(out, track, reason, wording, delay_s, now)


def _track_waits(out: Outside, track: Track, reason: str, wording: str, delay_s: float, now: datetime) -> Change:
    since = _silent_since(track, now)
    if now - since > timedelta(seconds=out.limits.outage_s) and track.phase not in (
        GitOpsPhase.AWAITING_MERGE, GitOpsPhase.OVERDUE, ImperativePhase.AWAITING_APPROVAL,
    ):  # fmt: skip
        return ended_by(out, track, f"gave up waiting: {wording}")
    wake_at = _wake_at(now, delay_s, track.attempt)
    # What the outside takes away is not taken off the time that health has to show itself.
    due_at = track.due_at + unwatched(track.wake_at, now) + (wake_at - now) if track.due_at else None
    new = not track.reason.startswith(WAITING)
    if isinstance(track, ImperativeTrack):
        mitigation, journal = progress(now, replace(track, due_at=due_at), "wait", reason, new=new)
        waiting: Track = advance_imperative(mitigation, ImperativeEvent.WAIT, now, wake_at=wake_at, reason=reason)
    else:
        fix, journal = progress(now, replace(track, due_at=due_at), "wait", reason, new=new)
        waiting = advance_gitops(fix, GitOpsEvent.WAIT, now, wake_at=wake_at, reason=reason)
    return Change(tracks=(replace(waiting, silent_since=since),), journal=journal)


def tried_again(track: ImperativeTrack, error: KubernautError, now: datetime) -> Change:
    """A write that was answered, but not taken, is tried again after a pause; its deadline stays where it is."""
    reason = f"{WAITING}{error}"
    told, journal = progress(now, track, "wait", reason, new=not track.reason.startswith(WAITING))
    wake_at = _wake_at(now, _delay_s(error), track.attempt)
    waiting = advance_imperative(told, ImperativeEvent.WAIT, now, wake_at=wake_at, reason=reason)
    return Change(tracks=(waiting,), journal=journal)


def _delay_s(error: BaseException) -> float:
    return 0.2 if isinstance(error, Conflict) else error.delay_s if isinstance(error, Temporary) else 2.0


def _silent_since(row: Remediation | Track, now: datetime) -> datetime:
    """Since when the outside has not answered, as far as somebody listened; a clock that was put back begins anew."""
    since = row.silent_since
    return min(since + unwatched(row.wake_at, now), now) if since else now


def _wake_at(now: datetime, delay_s: float, attempt: int) -> datetime:
    return now + timedelta(seconds=min(_MAX_DELAY_S, delay_s * (1 + attempt / 4)))


def ended_by(out: Outside, track: Track, message: str) -> Change:
    """A track that can't go on ends, and its failure is told with what it leaves; a roll-back ends as done in part."""
    now = out.clock.now()
    if isinstance(track, ImperativeTrack):
        message = "; ".join(part for part in (message, remains(track)) if part)
    journal = (track_entry(now, track, "escalation", message),)
    if isinstance(track, GitOpsTrack):
        failed = replace(track, effectiveness=0.0)
        return Change(
            tracks=(advance_gitops(failed, GitOpsEvent.FAIL, now, wake_at=None, reason=message),), journal=journal
        )
    rolling = track.phase is ImperativePhase.ROLLING_BACK
    event = ImperativeEvent.PARTLY_UNDONE if rolling else ImperativeEvent.FAIL
    ended = advance_imperative(replace(track, effectiveness=0.0), event, now, wake_at=None, reason=message)
    return Change(tracks=(ended,), journal=journal)

"""The imperative track, stage by stage: plan, validate, ask, execute, verify, roll back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from kubernaut.actions.action import HealthState, fetch
from kubernaut.actions.catalogue import find
from kubernaut.domain.approvals import ApprovalPhase
from kubernaut.domain.errors import NotFound, Refused
from kubernaut.domain.plans import Plan
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import ImperativeEvent, ImperativePhase, ImperativeTrack, advance_imperative
from kubernaut.ports import Change

from .asking import approval_for, ask, covers
from .entries import progress, track_entry
from .execute import after, execute, roll_back
from .judging import judged, known
from .outside import Outside
from .ownership import managed_now
from .planning import Planned, bound, decide_plan
from .pools import drains_beside
from .replan import moved, replan
from .steady import steady_since, too_late, watched
from .stopping import NOTHING, cancel, hand_over, left_to_people, over, resolved_before, undoable

_I, _E = ImperativePhase, ImperativeEvent


async def run_imperative(out: Outside, remediation: Remediation, track: ImperativeTrack) -> Change:
    """One look at an open imperative track; returns what to persist."""
    if track.phase is not _I.ROLLING_BACK:
        if track.handed_over:
            return await hand_over(out, remediation, track)
        if track.cancel_requested:
            return await cancel(out, remediation, track)
        if resolved_before(remediation, track):
            return over(out, track, _E.CANCEL, "the alert resolved before anything was done")
    return await _STAGES[track.phase](out, remediation, watched(out, track))


async def _plan(out: Outside, remediation: Remediation, track: ImperativeTrack) -> Change:
    """Bind the plan to the target's present specification; a target that was replaced is another target, and was never
    judged: a pod of that name may be well."""
    reader = out.cluster(remediation.cluster)
    live = track.attempt > 0 or track.replans > 0
    steps = [bound(step, await fetch(reader, step, live=live)) for step in track.plan.steps]
    now = out.clock.now()
    planned = replace(track, plan=Plan(tuple(steps)), steps=())
    return Change(tracks=(advance_imperative(planned, _E.PLANNED, now, wake_at=now),))


async def _validate(out: Outside, remediation: Remediation, track: ImperativeTrack) -> Change:
    """RBAC, the target unchanged, policy again, the server's own dry run: all of it anew right before execution."""
    now = out.clock.now()
    captured: dict[str, dict[str, Any]] = {}
    for step in track.plan.steps:
        try:
            # The dry run that follows is bound to the uid, and everything is read from the cluster right before the write.
            captured[step.id] = await find(step.action).capture(known(out, track, remediation.cluster, step), step, now)
        except (NotFound, Refused) as error:
            return over(out, track, _E.FAIL, f"not done: {error}")
        if moved(captured[step.id], step.expected):
            return replan(track, now, f"{step.target} changed")
    if refusal := await _forbidden(out, remediation, track):
        return over(out, track, _E.FAIL, f"kubernaut's service account lacks a permission: {refusal}")
    for step in track.plan.steps:
        if beside := await drains_beside(out, remediation, step):
            return after(track, now, beside[0].remediation_id)
    planned = await _decided(out, remediation, track)
    if planned.decision.deny:
        return over(out, track, _E.REJECT, f"policy denies it: {planned.decision.reason}")
    try:
        dry_run = await _dry_run(out, remediation, track, captured)
    except Refused as error:
        return over(out, track, _E.FAIL, f"the API server refuses the dry run: {error}")
    approval = await out.store.approval(track.approval_id) if track.approval_id else None
    approved = covers(approval, track.plan, track.decision, planned.decision, now, out.limits.approval_ttl_s)
    track = replace(track, decision=planned.decision)
    if not planned.decision.auto_approve and not approved:
        return ask(out, remediation, track, planned, dry_run)
    message = f"validated: permissions, policy ({planned.decision.rule}), dry run"
    done = advance_imperative(track, _E.VALIDATED, now, wake_at=now, reason=message)
    return Change(tracks=(done,), journal=(track_entry(now, track, "track", message, dry_run=list(dry_run)),))


async def _decided(out: Outside, remediation: Remediation, track: ImperativeTrack) -> Planned:
    best = remediation.analysis.best if remediation.analysis else None
    if best is None:
        raise Refused("a mitigation without a finding is not carried out")
    managed = await managed_now(out, track.plan.steps[0].target)
    return await decide_plan(out, remediation, best, track.plan, managed)


async def _forbidden(out: Outside, remediation: Remediation, track: ImperativeTrack) -> str:
    reader = out.cluster(remediation.cluster)
    accesses = {access for step in track.plan.steps for access in find(step.action).accesses(step)}
    answers = await asyncio.gather(
        *(reader.allowed(a.verb, a.kind, a.namespace, a.name, a.subresource) for a in accesses)
    )
    return "; ".join(sorted(answer for answer in answers if answer))


async def _dry_run(
    out: Outside, remediation: Remediation, track: ImperativeTrack, captured: Mapping[str, Mapping[str, Any]]
) -> tuple[str, ...]:
    cluster = out.cluster(remediation.cluster)
    lines: list[str] = []
    for step in track.plan.steps:
        lines.extend(await find(step.action).dry_run(cluster, cluster, step, captured[step.id]))
    return tuple(lines)


async def _await_approval(out: Outside, remediation: Remediation, track: ImperativeTrack) -> Change:
    """Votes nudge, expiry wakes; an alert that stays resolved takes the question back."""
    now = out.clock.now()
    approval = await approval_for(out, track)
    if approval.phase is ApprovalPhase.APPROVED:
        message = f"approved by {', '.join(v.principal for v in approval.votes)}: validating again"
        return Change(tracks=(advance_imperative(track, _E.APPROVED, now, wake_at=now, reason=message),))
    if approval.phase is ApprovalPhase.REJECTED:
        vote = approval.votes[-1]
        why = f": {vote.reason}" if vote.reason else ""
        return over(out, track, _E.REJECT, f"rejected by {vote.principal}{why}")
    if approval.phase is ApprovalPhase.EXPIRED or now >= approval.expires_at:
        message = "nobody decided in time: it is yours now"
        ended = advance_imperative(track, _E.EXPIRED, now, wake_at=None, reason=message)
        expired = replace(approval, phase=ApprovalPhase.EXPIRED)
        return Change(tracks=(ended,), approvals=(expired,), journal=(track_entry(now, track, "escalation", message),))
    resolved_at = remediation.signal.resolved_at
    grace_over_at = resolved_at + timedelta(seconds=out.limits.resolve_grace_s) if resolved_at else None
    if grace_over_at and now >= grace_over_at:
        return over(out, track, _E.CANCEL, f"the alert resolved and stayed so, {NOTHING}")
    wake_at = min(approval.expires_at, grace_over_at) if grace_over_at else approval.expires_at
    return Change(tracks=(advance_imperative(track, _E.WAIT, now, wake_at=wake_at, reason=track.reason),))


async def _verify(out: Outside, remediation: Remediation, track: ImperativeTrack) -> Change:
    """Health must hold for the stability window without a break; a restart in between begins the window anew."""
    now, limits = out.clock.now(), out.limits
    worst, stamp = await judged(out, track, remediation.cluster)
    track = replace(track, due_at=track.due_at or now + timedelta(seconds=limits.verify_deadline_s))
    steady = steady_since(track, stamp, now) if worst.state is HealthState.HEALTHY else None
    if worst.state is HealthState.FAILED or too_late(track, steady, now):
        failed = worst.state is HealthState.FAILED
        return _unverified(out, track, worst.text if failed else f"not steady in time: {worst.text}", kept=not failed)
    if steady is not None:
        if (now - steady).total_seconds() >= limits.stability_s:
            broke = track.steady_breaks
            message = f"verified: {worst.text}, steady for {limits.stability_s:.0f} s{_lost(broke)}"
            track = replace(track, steady_since=steady, effectiveness=1.0 if broke == 0 else max(0.5, 1 - 0.1 * broke))
            done = advance_imperative(track, _E.HEALTHY, now, wake_at=None, reason=message)
            return Change(tracks=(done,), journal=(track_entry(now, track, "verification", message),))
        left = limits.stability_s - (now - steady).total_seconds()
        wake_at = now + timedelta(seconds=min(left, limits.verify_poll_s))
        breaks = track.steady_breaks + (track.steady_since is not None and steady != track.steady_since)
        track = replace(track, steady_since=steady, steady_stamp=stamp, steady_breaks=breaks)
    else:
        breaks = track.steady_breaks + (track.steady_since is not None)
        track = replace(track, steady_since=None, steady_stamp="", steady_breaks=breaks)
        wake_at = now + timedelta(seconds=limits.verify_poll_s)
    track, journal = progress(now, track, "verification", worst.text)
    return Change(
        tracks=(advance_imperative(track, _E.WAIT, now, wake_at=wake_at, reason=worst.text),), journal=journal
    )


def _unverified(out: Outside, track: ImperativeTrack, why: str, *, kept: bool) -> Change:
    """Undo it, or leave it to a person. kept: whether what was done is still there, as far as health tells."""
    now = out.clock.now()
    track = replace(track, effectiveness=0.0)
    message = f"verification failed: {why}"
    if undoable(track, by_itself=True):
        told = f"{message}; rolling back"
        rolled = advance_imperative(track, _E.ROLL_BACK, now, wake_at=now, reason=told)
        return Change(tracks=(rolled,), journal=(track_entry(now, track, "verification", told),))
    return over(out, track, _E.FAIL, "; ".join((message, *(left_to_people(track) if kept else ()))))


def _lost(breaks: int) -> str:
    return f", after it was lost {breaks} time{'s' if breaks > 1 else ''}" if breaks else ""


_STAGES: dict[ImperativePhase, Callable[[Outside, Remediation, ImperativeTrack], Awaitable[Change]]] = {
    _I.PLANNING: _plan,
    _I.VALIDATING: _validate,
    _I.AWAITING_APPROVAL: _await_approval,
    _I.EXECUTING: execute,
    _I.VERIFYING: _verify,
    _I.ROLLING_BACK: roll_back,
}

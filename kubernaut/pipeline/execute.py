"""Execute and undo: intent first, then the write, and after a crash or a lost reply read back before anything else."""

from dataclasses import replace
from datetime import datetime, timedelta

from kubernaut.actions.catalogue import find
from kubernaut.domain.errors import Conflict, NotFound, Permanent, Refused, Temporary, Unknown
from kubernaut.domain.plans import Step, StepPhase, StepRun
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import ImperativeEvent, ImperativeTrack, advance_imperative
from kubernaut.ports import Change

from .entries import progress, track_entry
from .outside import Outside
from .pools import node_labels, other_drains, pool_of
from .replan import moved, replan
from .stopping import left_to_people, over, undoable
from .trouble import tried_again

_E = ImperativeEvent
_DRAIN_POLL_S = 1.0
_DRAIN_TURN_S = 2.0
_MAX_PAUSE_S = 15.0


async def execute(out: Outside, remediation: Remediation, track: ImperativeTrack) -> Change:
    """Bring the next step one persisted state further."""
    now = out.clock.now()
    runs = {run.step_id: run for run in track.steps}
    for wave in track.plan.order():
        for step in wave:
            run = runs.get(step.id, StepRun(step.id))
            if run.phase is StepPhase.PENDING:
                return await _intend(out, remediation, track, step, run)
            if run.phase is StepPhase.INTENDED:
                return await _carry_out(out, remediation, track, step, run)
    wake_at = now + timedelta(seconds=out.limits.verify_poll_s)
    done = advance_imperative(track, _E.EXECUTED, now, wake_at=wake_at, reason=_outcomes(track))
    return Change(tracks=(done,))


def _outcomes(track: ImperativeTrack) -> str:
    return "; ".join(run.outcome for run in track.steps if run.outcome)


async def _intend(out: Outside, remediation: Remediation, track: ImperativeTrack, step: Step, run: StepRun) -> Change:
    """Capture the old state and persist what is about to be written."""
    now = out.clock.now()
    action = find(step.action)
    reader = out.cluster(remediation.cluster)
    if (now - track.since).total_seconds() > step.timeout_s and not _written(track):
        return replan(track, now, "it waited so long that it has to be judged again")
    if ahead := await _drain_ahead(out, remediation, track, step):
        return after(track, now, ahead) if _written(track) else _back_in_line(track, now, ahead)
    try:
        captured = await action.capture(reader, step, now)
    except (NotFound, Refused) as error:
        return _give_up(out, track, replace(run, phase=StepPhase.FAILED, outcome=str(error)), str(error))
    if moved(captured, step.expected) and not _written(track):
        return replan(track, now, f"{step.target} changed")
    intended = replace(run, phase=StepPhase.INTENDED, captured=captured, intended_at=now)
    out.unsent.intended(track.id, step.id, now)
    track = track.with_run(intended)
    message = f"about to {step.action} {step.target.short}"
    going = advance_imperative(track, _E.WAIT, now, wake_at=now, reason=message)
    return Change(tracks=(going,), journal=(track_entry(now, track, "intent", message, step=step.id),))


def after(track: ImperativeTrack, now: datetime, ahead: str) -> Change:
    """The drain waits for another one of its pool."""
    message = _waits_for(ahead)
    track, journal = progress(now, track, "wait", message)
    waiting = advance_imperative(track, _E.WAIT, now, wake_at=now + timedelta(seconds=_DRAIN_TURN_S), reason=message)
    return Change(tracks=(waiting,), journal=journal)


def _back_in_line(track: ImperativeTrack, now: datetime, ahead: str) -> Change:
    """Permissions, policy and vote were judged for this moment: who has to wait is judged again when it is its turn."""
    message = _waits_for(ahead)
    wake_at = now + timedelta(seconds=_DRAIN_TURN_S)
    again = advance_imperative(replace(track, steps=()), _E.REPLAN, now, wake_at=wake_at, reason=message)
    return Change(tracks=(again,), journal=(track_entry(now, track, "wait", message),))


def _waits_for(ahead: str) -> str:
    return f"waits: {ahead} drains a node of the same pool"


async def _drain_ahead(out: Outside, remediation: Remediation, track: ImperativeTrack, step: Step) -> str:
    """The remediation whose drain of the same pool goes first: one that has begun, else whoever takes the turn first."""
    if step.action != "drain-node":
        return ""
    labels = await node_labels(out, step)
    begun = [other for other in await other_drains(out, remediation, labels) if other.steps]
    if begun:
        return begun[0].remediation_id
    holder = out.turns.take((remediation.cluster, pool_of(labels)), remediation.id, out.clock.now())
    return "" if holder == remediation.id else holder


async def _carry_out(
    out: Outside, remediation: Remediation, track: ImperativeTrack, step: Step, run: StepRun
) -> Change:
    """The intent is on disk; whether the write is in the cluster only the cluster can tell."""
    cluster, action = out.cluster(remediation.cluster), find(step.action)
    try:
        first_try = out.unsent.begin(track.id, step.id, run.intended_at)
        if not first_try:
            if await action.applied(cluster, step, run):
                return _applied(out, track, replace(run, outcome=action.done(step, run)))
            if _is_old(out, step, run):
                begun = _written(track) or await action.begun(cluster, step, run)
                return _late(out, track, step, run, begun=begun)
        result = await action.apply(cluster, cluster, step, run)
    except Unknown as error:
        return _lost(out, track, step, run, error)
    except (Refused, Permanent) as error:
        gone = isinstance(error, NotFound)
        return _give_up(out, track, replace(run, phase=StepPhase.FAILED, outcome=str(error)), str(error), gone=gone)
    run = replace(run, outcome=result.outcome, progress=dict(result.progress), attempt=0)
    if result.done:
        return _applied(out, track, run)
    return _unfinished(out, track, step, run)


def _written(track: ImperativeTrack) -> bool:
    """Whether this plan has changed anything yet, as far as it is known."""
    return any(run.phase is not StepPhase.INTENDED or run.progress or run.attempt for run in track.steps)


def _is_old(out: Outside, step: Step, run: StepRun) -> bool:
    """Policy, approval and target were judged for a moment that has passed."""
    return run.intended_at is not None and (out.clock.now() - run.intended_at).total_seconds() > step.timeout_s


def _late(out: Outside, track: ImperativeTrack, step: Step, run: StepRun, *, begun: bool) -> Change:
    """An old intent is not carried out. begun: whether some of it was."""
    if not begun:
        return replan(track, out.clock.now(), "its intent is too old, nothing was written")
    message = f"{run.outcome or step.action}: gave up after {step.timeout_s:.0f} s"
    left = replace(run, phase=StepPhase.FAILED, outcome=message, progress=run.progress or {"begun": True})
    return _give_up(out, track, left, message)


def _lost(out: Outside, track: ImperativeTrack, step: Step, run: StepRun, error: Unknown) -> Change:
    """Read back after a pause that grows; a server that loses reply after reply is a person's case."""
    now = out.clock.now()
    run = replace(run, attempt=run.attempt + 1)
    if run.attempt > step.retries:
        message = f"{run.attempt} replies in a row were lost, the last: {error}"
        return _give_up(out, track, replace(run, phase=StepPhase.FAILED, outcome=message), message)
    message = f"the reply to {step.action} was lost ({error}): reading back"
    wake_at = now + timedelta(seconds=min(_MAX_PAUSE_S, 2.0 ** (run.attempt - 1)))
    waiting = advance_imperative(track.with_run(run), _E.WAIT, now, wake_at=wake_at, reason=message)
    return Change(tracks=(waiting,), journal=(track_entry(now, track, "error", message),))


def _unfinished(out: Outside, track: ImperativeTrack, step: Step, run: StepRun) -> Change:
    """A step of many writes goes on until it is done or its time is up."""
    now = out.clock.now()
    if run.intended_at and (now - run.intended_at).total_seconds() > step.timeout_s:
        message = f"{run.outcome}: gave up after {step.timeout_s:.0f} s"
        return _give_up(out, track, replace(run, phase=StepPhase.FAILED, outcome=message), message)
    mutated = replace(track.with_run(run), mutated_at=track.mutated_at or now)
    mutated, journal = progress(now, mutated, "mutation", run.outcome)
    waiting = advance_imperative(
        mutated, _E.WAIT, now, wake_at=now + timedelta(seconds=_DRAIN_POLL_S), reason=run.outcome
    )
    return Change(tracks=(waiting,), journal=journal)


def _applied(out: Outside, track: ImperativeTrack, run: StepRun) -> Change:
    now = out.clock.now()
    track = replace(
        track.with_run(replace(run, phase=StepPhase.APPLIED, ended_at=now)), mutated_at=track.mutated_at or now
    )
    going = advance_imperative(track, _E.WAIT, now, wake_at=now, reason=run.outcome)
    return Change(tracks=(going,), journal=(track_entry(now, track, "mutation", run.outcome, step=run.step_id),))


def _give_up(out: Outside, track: ImperativeTrack, run: StepRun, why: str, *, gone: bool = False) -> Change:
    """What was done before (or half done) is undone where it can be; else the track fails as it stands.

    Args:
        gone: the target is not there any more, so nothing of it is left to a person.
    """
    now = out.clock.now()
    track = replace(track.with_run(replace(run, ended_at=now)), effectiveness=0.0)
    if undoable(track, by_itself=not track.cancel_requested):
        message = f"failed ({why}): rolling back"
        going = advance_imperative(track, _E.ROLL_BACK, now, wake_at=now, reason=message)
        return Change(tracks=(going,), journal=(track_entry(now, track, "error", message),))
    return over(out, track, _E.FAIL, "; ".join((f"failed: {why}", *(() if gone else left_to_people(track)))))


async def roll_back(out: Outside, remediation: Remediation, track: ImperativeTrack) -> Change:
    """Undo one reversible step a look, last first; a failing undo does not keep the others from being tried.

    The deadline counts the time in which the cluster was there and did not take it: nobody could try while it was silent.
    """
    now = out.clock.now()
    cluster = out.cluster(remediation.cluster)
    due_at = track.due_at or now + timedelta(seconds=out.limits.rollback_deadline_s)
    track = replace(track, due_at=due_at)
    left = [] if track.cancel_requested else left_to_people(track)
    for step in reversed([s for wave in track.plan.order() for s in wave]):
        run, action = track.run_of(step.id), find(step.action)
        touched = run.intended_at is not None and run.phase not in (StepPhase.UNDONE, StepPhase.UNDO_FAILED)
        if not touched or not action.reversible or (not track.cancel_requested and action.keeps(step, run)):
            continue
        try:
            text = await action.undo(cluster, cluster, step, run)
            run = replace(run, phase=StepPhase.UNDONE, outcome=text, ended_at=now)
        except (Permanent, Refused, Temporary, Unknown, Conflict) as error:
            passing = isinstance(error, Temporary | Unknown | Conflict)
            if passing and now < due_at:
                return tried_again(track, error, now)
            within = f" within {out.limits.rollback_deadline_s:.0f} s" if passing else ""
            told = f"could not undo {step.action}{within}: {error}"
            run = replace(run, phase=StepPhase.UNDO_FAILED, outcome=told, ended_at=now)
        going = advance_imperative(track.with_run(run), _E.WAIT, now, wake_at=now, reason=run.outcome)
        return Change(tracks=(going,), journal=(track_entry(now, track, "mutation", run.outcome, step=step.id),))
    left = [run.outcome for run in track.steps if run.phase is StepPhase.UNDO_FAILED] + left
    event = _E.PARTLY_UNDONE if left else _E.UNDONE
    message = "; ".join(("rolled back in part: look at what is left", *left)) if left else "rolled back"
    ended = advance_imperative(track, event, now, wake_at=None, reason=message)
    return Change(tracks=(ended,), journal=(track_entry(now, track, "escalation", message),))

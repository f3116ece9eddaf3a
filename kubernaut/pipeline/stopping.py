"""A mitigation is stopped: a person cancels it or takes it over, its verification fails, or its alert is gone.

To cancel is to want it undone; to take it over is to want it left as it stands. What kubernaut gives up by itself it undoes,
too, but for what keeps work away from something broken: that would bring the hazard back, so it is left to a person.
"""

from dataclasses import replace

from kubernaut.actions.catalogue import find
from kubernaut.domain.errors import KubernautError, Permanent, Refused
from kubernaut.domain.plans import Step, StepPhase, StepRun
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import ImperativeEvent, ImperativePhase, ImperativeTrack, advance_imperative
from kubernaut.ports import Change

from .entries import track_entry
from .outside import Outside

_I, _E = ImperativePhase, ImperativeEvent
_BEFORE = (_I.PLANNING, _I.VALIDATING, _I.AWAITING_APPROVAL)
NOTHING = "nothing was done"


async def cancel(out: Outside, remediation: Remediation, track: ImperativeTrack) -> Change:
    """Undo what can be undone, a person wants it so; tell what can't.

    Raises:
        Temporary: whether a write happened is not known as long as the cluster does not answer.
    """
    now, message = out.clock.now(), track.cancel_requested
    track = _without_unsent(out, track)
    if undoable(track):
        rolled = advance_imperative(track, _E.ROLL_BACK, now, wake_at=now, reason=f"{message}: rolling back")
        return Change(tracks=(rolled,), journal=(track_entry(now, track, "track", rolled.reason),))
    done = await _done(out, remediation, track)
    if not done and track.phase is not _I.VERIFYING:
        return over(
            out, replace(track, steps=()), _E.CANCEL, message if track.phase in _BEFORE else f"{message}: {NOTHING}"
        )
    return over(out, track, _E.FAIL, f"{message}; what was done can't be undone: {'; '.join(done)}")


async def hand_over(out: Outside, remediation: Remediation, track: ImperativeTrack) -> Change:
    """A person takes it over: nothing more is done and nothing undone, and what was done is told as far as it is known."""
    track = _without_unsent(out, track)
    try:
        done = await _done(out, remediation, track)
    except (KubernautError, TimeoutError) as error:
        done = [f"what was done is not known ({error})"]
    told = f"left as it is: {'; '.join(done)}" if done else NOTHING
    return over(out, track, _E.FAIL, f"{track.handed_over}; {told}")


def resolved_before(remediation: Remediation, track: ImperativeTrack) -> bool:
    """Whether the alert went away before anything was written (R-SIG-7). What people were asked about is theirs to say: a
    cordon by somebody else silences the alert of a node, too."""
    if remediation.signal.resolved_at is None or track.approval_id:
        return False
    begun = track.phase not in (_I.PLANNING, _I.VALIDATING, _I.EXECUTING) or any(_touched(run) for run in track.steps)
    return not begun


def undoable(track: ImperativeTrack, *, by_itself: bool = False) -> bool:
    """Whether there is anything to undo.

    Args:
        by_itself: no person asked for it, so what brings a hazard back does not count.
    """
    return any(
        find(step.action).reversible and not (by_itself and find(step.action).keeps(step, run))
        for step, run in _runs(track)
        if _touched(run)
    )


def left_to_people(track: ImperativeTrack) -> list[str]:
    """What is left to a person to undo, and why, one sentence for each step that wrote something."""
    wrote = [(s, r) for s, r in _runs(track) if r.phase is StepPhase.APPLIED or r.progress or r.attempt]
    return [why for step, run in wrote if (why := find(step.action).keeps(step, run))]


def remains(track: ImperativeTrack) -> str:
    """What stays of a mitigation that can't go on, as far as the rows tell; empty when nothing was written."""
    told = []
    for step, run in _runs(track):
        if run.phase is StepPhase.APPLIED or run.progress:
            told.append(run.outcome or step.action)
        elif run.phase is StepPhase.INTENDED:
            told.append(f"whether {step.action} was done is not known")
    return f"left as it is: {'; '.join(told)}" if told else ""


def over(out: Outside, track: ImperativeTrack, event: ImperativeEvent, message: str) -> Change:
    """The track ends, with the reason for people."""
    now = out.clock.now()
    ended = advance_imperative(track, event, now, wake_at=None, reason=message)
    kind = "escalation" if event is _E.FAIL else "track"
    return Change(tracks=(ended,), journal=(track_entry(now, track, kind, message),))


def _touched(run: StepRun) -> bool:
    return run.intended_at is not None and run.phase not in (StepPhase.UNDONE, StepPhase.UNDO_FAILED)


def _runs(track: ImperativeTrack) -> list[tuple[Step, StepRun]]:
    return [(step, track.run_of(step.id)) for step in track.plan.steps]


def _without_unsent(out: Outside, track: ImperativeTrack) -> ImperativeTrack:
    """An intent whose write this process has certainly not begun is none."""
    for run in track.steps:
        if run.phase is StepPhase.INTENDED and out.unsent.begin(track.id, run.step_id, run.intended_at):
            track = track.with_run(replace(run, phase=StepPhase.PENDING, intended_at=None))
    return track


async def _done(out: Outside, remediation: Remediation, track: ImperativeTrack) -> list[str]:
    """What the steps achieved; of one whose reply nobody has the cluster tells."""
    found: list[str] = []
    for step, run in _runs(track):
        if not _touched(run):
            continue
        if run.phase is StepPhase.INTENDED and not run.progress:
            action, cluster = find(step.action), out.cluster(remediation.cluster)
            try:
                if await action.applied(cluster, step, run):
                    found.append(action.done(step, run))
                elif await action.begun(cluster, step, run):
                    found.append(f"{step.action} of {step.target.short} was begun")
            except (Permanent, Refused) as error:
                found.append(f"whether {step.action} was done can't be told ({error})")
            continue
        found.append(run.outcome or step.action)
    return found

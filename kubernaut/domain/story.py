"""The story: one plain sentence for one remediation, the same in console, command line, notification and pull request."""

from .analysis import Finding
from .plans import StepPhase
from .proposals import PullRequest, PullRequestState
from .remediation import Remediation, RemediationPhase
from .tracks import GitOpsPhase, GitOpsTrack, ImperativePhase, ImperativeTrack

_SHORT = {
    "OOMKilled": "out of memory",
    "CrashLoopBackOff": "crashes on start",
    "ImagePullBackOff": "bad image",
    "PodsNotReady": "pods stale",
    "PodNotReady": "one pod wedged",
    "CreateContainerConfigError": "config missing",
    "NodeNotReady": "node not ready",
    "NodeFlapping": "node flaky",
    "MemoryPressure": "node short of memory",
    "DiskPressure": "node short of disk",
    "PIDPressure": "node short of processes",
    "NodeHardwareFailing": "failing hardware",
}
_DONE = {
    "restart-deployment": "restarted",
    "delete-pod": "pod replaced",
    "cordon-node": "cordoned",
    "uncordon-node": "uncordoned",
    "drain-node": "drained",
}


def trouble(finding: Finding | None, signal: str) -> str:
    """What is wrong, in two or three words."""
    if finding is None:
        return signal
    return _SHORT.get(finding.failure_class, finding.failure_class)


def story(remediation: Remediation) -> str:
    """What is wrong, what was done about it, and whom it waits for."""
    best = remediation.analysis.best if remediation.analysis else None
    what = trouble(best, remediation.signal.name)
    phase = remediation.phase
    if phase in (RemediationPhase.PENDING, RemediationPhase.PROCESSING, RemediationPhase.ANALYZING):
        return f"{what}; {remediation.reason or 'looking into it'}"
    if phase is RemediationPhase.SKIPPED:
        return f"{what}; {remediation.reason}"
    parts = [_mitigation(remediation, remediation.imperative)] if remediation.imperative else []
    parts += [_gitops(remediation.gitops)] if remediation.gitops else []
    if not parts:
        return f"{what}; {phase.lower()}: {remediation.reason}" if remediation.reason else f"{what}; {phase.lower()}"
    return f"{what}; {', '.join(dict.fromkeys(parts))}"  # both tracks may wait for the same


def _mitigation(remediation: Remediation, track: ImperativeTrack) -> str:
    """The mitigation, and whether the signal goes on after it: then it bought time and no more."""
    signal, ended_at = remediation.signal, track.ended_at
    goes_on = ended_at is not None and signal.resolved_at is None and signal.last_seen > ended_at
    if track.phase is ImperativePhase.COMPLETED and goes_on and not remediation.ended:
        return f"{_DONE.get(track.plan.steps[0].action, track.plan.steps[0].action)}, still fires"
    return _imperative(track)


def _imperative(track: ImperativeTrack) -> str:
    step = track.plan.steps[0]
    done, name = _DONE.get(step.action, step.action), step.target.name
    if track.reason.startswith("waits: ") and not track.ended:
        return track.reason
    return {
        ImperativePhase.PLANNING: f"about to {step.action}",
        ImperativePhase.VALIDATING: f"about to {step.action}",
        ImperativePhase.AWAITING_APPROVAL: f"{step.action} {name}?",
        ImperativePhase.EXECUTING: track.reason if track.mutated_at else f"{step.action} now",
        ImperativePhase.VERIFYING: f"{done}, {track.reason or 'verifying'}",
        ImperativePhase.COMPLETED: f"{done} and steady",
        ImperativePhase.ROLLING_BACK: "rolling back",
        ImperativePhase.ROLLED_BACK: "rolled back",
        ImperativePhase.PARTIALLY_ROLLED_BACK: "rolled back in part",
        ImperativePhase.FAILED: _left(track, done),
        ImperativePhase.REJECTED: f"{step.action} refused",
        ImperativePhase.TIMED_OUT: f"nobody decided on {step.action}",
        ImperativePhase.CANCELLED: f"{step.action} cancelled",
    }[track.phase]


def _left(track: ImperativeTrack, done: str) -> str:
    """What a mitigation left behind that did not come to its end."""
    action = track.plan.steps[0].action
    applied = bool(track.steps) and all(run.phase is StepPhase.APPLIED for run in track.steps)
    if track.handed_over:
        return f"{done}, taken over" if applied else f"{action} taken over"
    if applied:
        return f"{done}, stopped" if track.cancel_requested else f"{done}, not verified"
    return f"{action} failed"


def _unfinished(pull: PullRequest | None, number: str) -> str:
    """What a fix left behind that did not come to its end."""
    if pull is None or pull.state is PullRequestState.CLOSED:
        return f"{number} failed"
    return f"{number} left open" if pull.state is PullRequestState.OPEN else f"{number} merged, not verified"


def _gitops(track: GitOpsTrack) -> str:
    pull = track.proposal.pull_request
    number = f"PR#{pull.number}" if pull else "PR"
    if track.reason.startswith("waits: ") and not track.ended:
        return track.reason
    return {
        GitOpsPhase.PROPOSING: "writing the fix",
        GitOpsPhase.AWAITING_MERGE: f"{number} wants you",
        GitOpsPhase.OVERDUE: f"{number} is overdue",
        GitOpsPhase.SYNCING: f"{number} merged, syncing",
        GitOpsPhase.VERIFYING: f"{number} live, verifying",
        GitOpsPhase.COMPLETED: f"fixed by {number}",
        GitOpsPhase.CLOSED: f"{number} closed",
        GitOpsPhase.FAILED: _unfinished(pull, number),
        GitOpsPhase.CANCELLED: f"{number} cancelled",
    }[track.phase]

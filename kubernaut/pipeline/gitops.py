"""The GitOps track, stage by stage: propose, wait for the merge, see it synced (`syncing`), verify."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from kubernaut.actions.action import Health, HealthState
from kubernaut.actions.configuration import outdated
from kubernaut.actions.rollout import pods_of, workload_health
from kubernaut.domain.analysis import ActionProposal
from kubernaut.domain.errors import Conflict, NotFound, Permanent, Refused
from kubernaut.domain.facts import Object
from kubernaut.domain.proposals import ChangeProposal, ChangeRequest, PullRequest, PullRequestState
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import WORKLOADS
from kubernaut.domain.reviews import approvals_check, approved_by, policy_check, standing
from kubernaut.domain.signals import SignalSource
from kubernaut.domain.tracks import GitOpsEvent, GitOpsPhase, GitOpsTrack, Telling, advance_gitops
from kubernaut.gitops import byhand
from kubernaut.gitops.edit import plan_edit
from kubernaut.gitops.text import branch_name, pull_request_text
from kubernaut.ports import Change, ClusterReader

from .entries import track_entry
from .outside import Outside
from .pulls import quorum_for
from .sources import brought_elsewhere, files_of
from .steady import steady_since, too_late, watched
from .syncing import over, pull_of, sync, wait
from .withdrawing import withdraw

_G, _E = GitOpsPhase, GitOpsEvent
_EDITS = 20


async def run_gitops(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    """One look at an open GitOps track; returns what to persist."""
    if track.handed_over:
        return over(out, track, _E.FAIL, track.handed_over)
    cancelled = track.cancel_requested and track.phase in (_G.PROPOSING, _G.AWAITING_MERGE, _G.OVERDUE)
    if cancelled and (withdrawn := await withdraw(out, remediation, track)):
        return withdrawn
    return await _STAGES[track.phase](out, remediation, watched(out, track))


async def _propose(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    """First persist what will be proposed, then propose it; the branch's name makes asking twice open one."""
    proposal = track.proposal
    if not proposal.branch:
        return await _edit(out, remediation, track)
    labels = ("kubernaut", f"severity/{remediation.signal.severity}", f"environment/{remediation.environment}")
    request = ChangeRequest(
        proposal.ownership.repo_url, proposal.ownership.revision, proposal.branch, proposal.base_commit, proposal.files,
        proposal.title, proposal.body, (*labels, "urgent") if proposal.urgent else labels,
        checks=(policy_check(track.decision),),
    )  # fmt: skip
    try:
        pull = await out.forge.propose(request)
    except Conflict as error:
        if track.attempt > _EDITS:
            return over(out, track, _E.FAIL, f"the fix can't be proposed: {error}")
        again = replace(track, proposal=replace(proposal, branch="", files=()))
        return wait(out, again, f"{error}: editing again", 1.0)
    if (quorum := quorum_for(remediation)).needed > 1 and not pull.reviews:
        pull = await out.forge.check(pull.repo_url, pull.number, approvals_check(quorum, pull))
    now = out.clock.now()
    message = f"opened pull request #{pull.number} in {pull.repository}: {pull.title}"
    track = replace(track, proposal=replace(proposal, pull_request=pull))
    wake_at = now + timedelta(seconds=out.limits.merge_poll_s)
    waiting = advance_gitops(track, _E.PROPOSED, now, wake_at=wake_at, reason=f"PR#{pull.number} waits for a merge")
    note = track_entry(now, track, "pull-request", message, number=pull.number, url=pull.url)
    return Change(tracks=(waiting,), journal=(note,))


async def _edit(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    proposal, ownership = track.proposal, track.proposal.ownership
    best = remediation.analysis.best if remediation.analysis else None
    if best is None or best.permanent is None:
        return over(out, track, _E.FAIL, "no permanent fix is known any more")
    try:
        commit, files = await files_of(out, ownership, ownership.revision)
        edit = plan_edit(files, best.permanent, ownership.path)
    except (NotFound, Permanent, Conflict) as error:
        message = byhand.told(f"the fix can't be written as a pull request: {error}", best.permanent)
        return over(out, track, _E.FAIL, message, **by_hand(remediation, proposal, best.permanent))
    changes = edit.files
    title, body = pull_request_text(remediation, proposal, changes, edit.notes)
    branch = branch_name(remediation.id)
    edited = replace(proposal, files=changes, title=title, body=body, branch=branch, base_commit=commit)
    now = out.clock.now()
    where = ", ".join(f"{c.path}:{c.line}" for c in changes)
    message = f"about to propose {title} ({where})"
    going = advance_gitops(replace(track, proposal=edited), _E.WAIT, now, wake_at=now, reason=message)
    return Change(tracks=(going,), journal=(track_entry(now, track, "intent", message, branch=branch),))


def by_hand(remediation: Remediation, proposal: ChangeProposal, wanted: ActionProposal) -> dict[str, Any]:
    """What a person needs to make the change where kubernaut can't: the patch, and the text of the pull request (R-GIT-4)."""
    title, body = pull_request_text(remediation, proposal)
    return {"patch": byhand.patch_text(wanted), "title": title, "text": body}


async def _await_merge(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    """Merged or closed, by whomever and wherever; otherwise wait, and say so loudly when it takes too long."""
    pull = pull_of(track)
    now = out.clock.now()
    seen = await out.forge.pull_request(pull.repo_url, pull.number)
    track = replace(track, proposal=replace(track.proposal, pull_request=seen))
    if seen.state is PullRequestState.MERGED:
        by = f" by {seen.merged_by}" if seen.merged_by else ""
        message = f"PR#{seen.number} was merged{by} as {seen.merge_commit[:8]}{_unasked(remediation, seen)}"
        going = advance_gitops(track, _E.MERGED, now, wake_at=now, reason=message)
        return Change(tracks=(going,), journal=(track_entry(now, track, "pull-request", message),))
    if commit := await brought_elsewhere(out, remediation, pull, seen):
        message = f"{seen.base} has the value of PR#{seen.number} already, as of {commit[:8]}: somebody brought it another way"
        if seen.state is PullRequestState.OPEN:
            with suppress(Refused, Conflict):  # merged or closed in this moment: the base has the value anyway
                seen = await out.forge.close(pull.repo_url, pull.number, "kubernaut", message)
        landed = replace(track, proposal=replace(track.proposal, pull_request=replace(seen, merge_commit=commit)))
        going = advance_gitops(landed, _E.MERGED, now, wake_at=now, reason=message)
        return Change(tracks=(going,), journal=(track_entry(now, track, "pull-request", message),))
    if seen.state is PullRequestState.CLOSED:
        return over(out, track, _E.CLOSED, f"PR#{seen.number} was closed without a merge")
    waited_s = (now - seen.created_at).total_seconds()
    wake_at = now + timedelta(seconds=out.limits.merge_poll_s)
    message = f"PR#{seen.number} waits for {waited_s / 3600:.0f} h: the fix is not permanent until it is merged"
    if track.phase is _G.AWAITING_MERGE and waited_s >= out.limits.overdue_s:
        overdue = advance_gitops(track, _E.OVERDUE, now, wake_at=wake_at, reason=message)
        return Change(tracks=(overdue,), journal=(track_entry(now, track, "escalation", message),))
    reminded_at = track.told.at if track.told else track.since
    if track.phase is _G.OVERDUE and (now - reminded_at).total_seconds() >= out.limits.overdue_s:
        reminding = advance_gitops(
            replace(track, told=Telling(message, now)), _E.WAIT, now, wake_at=wake_at, reason=message
        )
        return Change(tracks=(reminding,), journal=(track_entry(now, track, "escalation", message),))
    return Change(tracks=(advance_gitops(track, _E.WAIT, now, wake_at=wake_at, reason=track.reason),))


def _unasked(remediation: Remediation, seen: PullRequest) -> str:
    """Git asks nobody: a merge past kubernaut is told with what policy had wanted."""
    quorum = quorum_for(remediation)
    if quorum.needed == 1 or len(approved_by(quorum, seen)) >= quorum.needed:
        return ""
    return f", past kubernaut: it had {standing(quorum, seen)}"


async def _verify(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    """The workload must be healthy and stay so for the stability window."""
    now, limits = out.clock.now(), out.limits
    health_text, state, stamp = await _health(out, remediation, track)
    track = replace(track, due_at=track.due_at or now + timedelta(seconds=limits.verify_deadline_s))
    steady = steady_since(track, stamp, now) if state is HealthState.HEALTHY else None
    # A rollout that exceeded its deadline before the fix says so until the fixed pods are ready, however long they back off.
    if too_late(track, steady, now) or health_text == _gone(remediation):
        failed = replace(track, effectiveness=0.0)
        return over(out, failed, _E.FAIL, f"Git reached the cluster, but the workload is not well: {health_text}")
    if steady is not None:
        track = replace(track, steady_since=steady, steady_stamp=stamp)
        left = limits.stability_s - (now - steady).total_seconds()
        if left <= 0:
            message = f"verified: {health_text}, steady for {limits.stability_s:.0f} s"
            done = advance_gitops(replace(track, effectiveness=1.0), _E.HEALTHY, now, wake_at=None, reason=message)
            return Change(tracks=(done,), journal=(track_entry(now, track, "verification", message),))
        return wait(out, track, health_text, min(left, limits.verify_poll_s))
    return wait(out, replace(track, steady_since=None, steady_stamp=""), health_text, limits.verify_poll_s)


async def _health(out: Outside, remediation: Remediation, track: GitOpsTrack) -> tuple[str, HealthState, str]:
    """The health of the remediation's workload, which is not always the object that was edited (a ConfigMap)."""
    cluster, target = out.cluster(remediation.cluster), remediation.target
    if target.kind not in WORKLOADS:
        return f"{target} equals Git", HealthState.HEALTHY, "git"
    item = await cluster.get(target.kind, target.namespace, target.name, live=True)
    if item is None:
        return _gone(remediation), HealthState.FAILED, ""
    pods = await pods_of(cluster, item)
    health = workload_health(item, pods)
    if health.state is HealthState.HEALTHY and track.proposal.action == "update-configmap":
        health = await _with_new_value(cluster, remediation, track, pods, health)
    return health.text, health.state, health.stamp


async def _with_new_value(
    cluster: ClusterReader, remediation: Remediation, track: GitOpsTrack, pods: Sequence[Object], health: Health
) -> Health:
    """Pods that started before the ConfigMap was mended may be ready and still run with the bad value: while the alert goes
    on they are not well. Once it has resolved they are, and are only told of: a pod may be older than the bad value, too."""
    ref, key = track.proposal.target, str(track.proposal.parameters.get("key", ""))
    item = await cluster.get(ref.kind, ref.namespace, ref.name, live=True)
    old = outdated(pods, item, key) if item else []
    if not old:
        return health
    which = old[0] if len(old) == 1 else f"{old[0]} and {len(old) - 1} more"
    text = f"{health.text}; {which} read {key} of {ref.name} before it was mended: a restart takes it in"
    signal = remediation.signal
    fires = signal.source is SignalSource.ALERTMANAGER and signal.resolved_at is None
    return Health(HealthState.PROGRESSING if fires else HealthState.HEALTHY, text, health.stamp)


def _gone(remediation: Remediation) -> str:
    return f"{remediation.target} does not exist any more"


_STAGES: dict[GitOpsPhase, Callable[[Outside, Remediation, GitOpsTrack], Awaitable[Change]]] = {
    _G.PROPOSING: _propose,
    _G.AWAITING_MERGE: _await_merge,
    _G.OVERDUE: _await_merge,
    _G.SYNCING: sync,
    _G.VERIFYING: _verify,
}

"""The GitOps track, stage by stage: propose, wait for the merge, see it synced, verify."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from kubernaut.actions.action import Health, HealthState
from kubernaut.actions.configuration import outdated
from kubernaut.actions.reading import entries, section
from kubernaut.actions.rollout import deployment_health, pods_of
from kubernaut.domain.errors import Conflict, NotFound, Permanent, Refused
from kubernaut.domain.facts import Object
from kubernaut.domain.proposals import ChangeRequest, Ownership, PullRequest, PullRequestState
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource
from kubernaut.domain.tracks import GitOpsEvent, GitOpsPhase, GitOpsTrack, advance_gitops
from kubernaut.gitops.edit import missing, plan_edit
from kubernaut.gitops.live import live_equals
from kubernaut.gitops.source import address
from kubernaut.gitops.text import branch_name, pull_request_text
from kubernaut.ports import Change, ClusterReader, ClusterWriter

from .entries import track_entry
from .outside import Outside

_G, _E = GitOpsPhase, GitOpsEvent
_EDITS, _BASES = 20, 8
_ASK_AGAIN_S = 60.0
"""A controller that was restarted meanwhile may have forgotten the question."""
REFRESH = "argocd.argoproj.io/refresh"
"""Asks Argo CD to compare with Git at once instead of after minutes."""


async def run_gitops(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    """One look at an open GitOps track; returns what to persist."""
    if track.cancel_requested and track.phase in (_G.PROPOSING, _G.AWAITING_MERGE, _G.OVERDUE):
        return await _cancel(out, remediation, track)
    return await _STAGES[track.phase](out, remediation, track)


async def _propose(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    """First persist what will be proposed, then propose it; the branch's name makes asking twice open one."""
    proposal = track.proposal
    if not proposal.branch:
        return await _edit(out, remediation, track)
    labels = ("kubernaut", f"severity/{remediation.signal.severity}", f"environment/{remediation.environment}")
    request = ChangeRequest(
        proposal.ownership.repo_url, proposal.ownership.revision, proposal.branch, proposal.base_commit, proposal.files,
        proposal.title, proposal.body, (*labels, "urgent") if proposal.urgent else labels,
    )  # fmt: skip
    try:
        pull = await out.forge.propose(request)
    except Conflict as error:
        if track.attempt > _EDITS:
            return _over(out, track, _E.FAIL, f"the fix can't be proposed: {error}")
        again = replace(track, proposal=replace(proposal, branch="", files=()))
        return _wait(out, again, f"{error}: editing again", 1.0)
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
        return _over(out, track, _E.FAIL, "no permanent fix is known any more")
    try:
        commit, files = await _files(out, ownership)
        edit = plan_edit(files, best.permanent, ownership.path)
    except (NotFound, Permanent, Conflict) as error:
        return _over(out, track, _E.FAIL, f"the fix can't be written as a pull request: {error}")
    changes = edit.files
    title, body = pull_request_text(remediation, proposal, changes, edit.notes)
    branch = branch_name(remediation.id)
    edited = replace(proposal, files=changes, title=title, body=body, branch=branch, base_commit=commit)
    now = out.clock.now()
    where = ", ".join(f"{c.path}:{c.line}" for c in changes)
    message = f"about to propose {title} ({where})"
    going = advance_gitops(replace(track, proposal=edited), _E.WAIT, now, wake_at=now, reason=message)
    return Change(tracks=(going,), journal=(track_entry(now, track, "intent", message, branch=branch),))


async def _files(out: Outside, ownership: Ownership) -> tuple[str, dict[str, str]]:
    """The commit that is edited, and the files that the controller applies there, with the bases that overlays name."""
    commit, found = await out.forge.files(ownership.repo_url, ownership.revision, ownership.path)
    files = dict(found)
    for _ in range(_BASES):
        further = missing(files, ownership.path)
        if not further:
            break
        for place in further:
            files |= (await out.forge.files(ownership.repo_url, commit, place))[1]
    return commit, files


async def _await_merge(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    """Merged or closed, by whomever and wherever; otherwise wait, and say so loudly when it takes too long."""
    pull = _pull(track)
    now = out.clock.now()
    seen = await out.forge.pull_request(pull.repo_url, pull.number)
    track = replace(track, proposal=replace(track.proposal, pull_request=seen))
    if seen.state is PullRequestState.MERGED:
        by = f" by {seen.merged_by}" if seen.merged_by else ""
        message = f"PR#{seen.number} was merged{by} as {seen.merge_commit[:8]}"
        going = advance_gitops(track, _E.MERGED, now, wake_at=now, reason=message)
        return Change(tracks=(going,), journal=(track_entry(now, track, "pull-request", message),))
    if seen.state is PullRequestState.CLOSED:
        return _over(out, track, _E.CLOSED, f"PR#{seen.number} was closed without a merge")
    waited_s = (now - seen.created_at).total_seconds()
    wake_at = now + timedelta(seconds=out.limits.merge_poll_s)
    if track.phase is _G.AWAITING_MERGE and waited_s >= out.limits.overdue_s:
        message = f"PR#{seen.number} waits for {waited_s / 3600:.0f} h: the fix is not permanent until it is merged"
        loud = advance_gitops(track, _E.OVERDUE, now, wake_at=wake_at, reason=message)
        return Change(tracks=(loud,), journal=(track_entry(now, track, "escalation", message),))
    return Change(tracks=(advance_gitops(track, _E.WAIT, now, wake_at=wake_at, reason=track.reason),))


async def _sync(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    """Ask the controller at once, then look until its revision contains the merge and the live object equals Git."""
    pull, now = _pull(track), out.clock.now()
    cluster = out.cluster(remediation.cluster)
    ownership, target = track.proposal.ownership, track.proposal.target
    ref = ownership.application
    application = await cluster.get(ref.kind, ref.namespace, ref.name, live=True)
    asked = track.asked_at is not None and (now - track.asked_at).total_seconds() < _ASK_AGAIN_S
    if ownership.controller == "argocd" and not asked and application is not None:
        message = await _refresh(cluster, application, ref)
        waiting = _wait(out, replace(track, asked_at=now), message, out.limits.sync_poll_s)
        return replace(waiting, journal=(track_entry(now, track, "sync", message),))
    live = await cluster.get(target.kind, target.namespace, target.name, live=True)
    if application is None or live is None:
        missing = ref if application is None else target
        return _over(out, track, _E.FAIL, f"{missing} does not exist any more")
    if not await _contains(out, application, track, pull):
        reason = f"waiting for {ownership.controller} to sync {ref.name} to {pull.merge_commit[:8]}"
    elif not live_equals(live, track.proposal.action, track.proposal.parameters):
        reason = f"{ref.name} is synced, but {target} does not have the value of Git yet"
    else:
        message = f"{ownership.controller} synced {ref.name}, {target} equals Git"
        wake_at = now + timedelta(seconds=out.limits.sync_poll_s)
        synced = advance_gitops(track, _E.SYNCED, now, wake_at=wake_at, reason=message)
        return Change(tracks=(synced,), journal=(track_entry(now, track, "sync", message),))
    if (now - track.since).total_seconds() > out.limits.sync_deadline_s:
        return _over(out, track, _E.FAIL, f"gave up {reason}")
    return _wait(out, track, reason, out.limits.sync_poll_s)


async def _refresh(cluster: ClusterWriter, application: Object, ref: ResourceRef) -> str:
    """Ask Argo CD to look at Git now; when it may not be asked, its own pace is waited for."""
    patch = {"metadata": {"annotations": {REFRESH: "normal"}}}
    try:
        await cluster.patch(ref, patch, expected={"uid": application["metadata"]["uid"]})
    except (Refused, NotFound) as error:
        return f"could not ask Argo CD for a refresh ({error}): waiting for its own pace"
    return f"asked Argo CD to refresh {ref.name}"


async def _contains(out: Outside, application: Object, track: GitOpsTrack, pull: PullRequest) -> bool:
    """Whether the applied revision contains the merge; ancestry, not equality, because others commit too."""
    revision = applied_revision(application, track.proposal.ownership.repo_url)
    if not revision:
        return False
    try:
        return await out.forge.contains(pull.repo_url, revision, pull.merge_commit)
    except NotFound:
        return (
            False  # a rewritten history: the controller still tells of a commit that is gone, and will see the new one
        )


def applied_revision(application: Object, repo_url: str) -> str:
    """The commit that the controller says is applied; empty when it does not say so (yet)."""
    if application["kind"] == "Application":
        sync = section(application, "status", "sync")
        if sync.get("status") != "Synced":
            return ""
        if sync.get("revision"):
            return str(sync["revision"])
        sources, revisions = entries(application, "spec", "sources"), sync.get("revisions")
        pairs = zip(sources, revisions if isinstance(revisions, list) else (), strict=False)
        return next((str(revision) for source, revision in pairs if address(source.get("repoURL")) == repo_url), "")
    applied = str(section(application, "status").get("lastAppliedRevision") or "")
    return applied.rpartition(":")[2] if ":" in applied else applied.rpartition("/")[2]


async def _verify(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    """The workload must be healthy and stay so for the stability window."""
    now, limits = out.clock.now(), out.limits
    health_text, state, stamp = await _health(out, remediation, track)
    due_at = track.due_at or track.since + timedelta(seconds=limits.verify_deadline_s)
    track = replace(track, due_at=due_at)
    if state is HealthState.HEALTHY:
        steady = track.steady_since if track.steady_since and track.steady_stamp == stamp else now
        track = replace(track, steady_since=steady, steady_stamp=stamp)
        left = limits.stability_s - (now - steady).total_seconds()
        if left <= 0:
            message = f"verified: {health_text}, steady for {limits.stability_s:.0f} s"
            done = advance_gitops(replace(track, effectiveness=1.0), _E.HEALTHY, now, wake_at=None, reason=message)
            return Change(tracks=(done,), journal=(track_entry(now, track, "verification", message),))
        return _wait(out, track, health_text, min(left, limits.verify_poll_s))
    # A rollout that exceeded its deadline before the fix says so until the fixed pods are ready, however long they back off.
    if now >= due_at or health_text == _gone(remediation):
        failed = replace(track, effectiveness=0.0)
        return _over(out, failed, _E.FAIL, f"Git reached the cluster, but the workload is not well: {health_text}")
    return _wait(out, replace(track, steady_since=None, steady_stamp=""), health_text, limits.verify_poll_s)


async def _health(out: Outside, remediation: Remediation, track: GitOpsTrack) -> tuple[str, HealthState, str]:
    """The health of the remediation's workload, which is not always the object that was edited (a ConfigMap)."""
    cluster, target = out.cluster(remediation.cluster), remediation.target
    if target.kind != "Deployment":
        return f"{target} equals Git", HealthState.HEALTHY, "git"
    item = await cluster.get(target.kind, target.namespace, target.name, live=True)
    if item is None:
        return _gone(remediation), HealthState.FAILED, ""
    pods = await pods_of(cluster, item)
    health = deployment_health(item, pods)
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


async def _cancel(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    pull = track.proposal.pull_request
    if pull is not None:
        seen = await out.forge.pull_request(pull.repo_url, pull.number)
        if seen.state is PullRequestState.MERGED:  # it came too late: what is merged is watched to its end
            return await _await_merge(out, remediation, track)
        closed = await out.forge.close(pull.repo_url, pull.number, "kubernaut")
        track = replace(track, proposal=replace(track.proposal, pull_request=closed))
    return _over(out, track, _E.CANCEL, track.cancel_requested)


def _pull(track: GitOpsTrack) -> PullRequest:
    if track.proposal.pull_request is None:
        raise Permanent(f"{track.id} has no pull request in phase {track.phase}")
    return track.proposal.pull_request


def _wait(out: Outside, track: GitOpsTrack, reason: str, delay_s: float) -> Change:
    now = out.clock.now()
    wake_at = now + timedelta(seconds=delay_s)
    told = reason != track.reason and track.phase is not _G.VERIFYING
    waiting = advance_gitops(track, _E.WAIT, now, wake_at=wake_at, reason=reason)
    return Change(tracks=(waiting,), journal=(track_entry(now, track, "sync", reason),) if told else ())


def _over(out: Outside, track: GitOpsTrack, event: GitOpsEvent, message: str) -> Change:
    now = out.clock.now()
    ended = advance_gitops(track, event, now, wake_at=None, reason=message)
    kind = "escalation" if event is _E.FAIL else "track"
    return Change(tracks=(ended,), journal=(track_entry(now, track, kind, message),))


_STAGES: dict[GitOpsPhase, Callable[[Outside, Remediation, GitOpsTrack], Awaitable[Change]]] = {
    _G.PROPOSING: _propose,
    _G.AWAITING_MERGE: _await_merge,
    _G.OVERDUE: _await_merge,
    _G.SYNCING: _sync,
    _G.VERIFYING: _verify,
}

"""From the merge into the cluster: ask the controller to look at Git now, and see the live object equal it.

Argo CD and Flux look at Git every few minutes by themselves; both can be asked by an annotation. What they then say of
themselves is not enough: their revision has to contain the merge, and the object the value.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from kubernaut.domain.errors import NotFound, Permanent, Refused, Unknown
from kubernaut.domain.facts import Object
from kubernaut.domain.proposals import PullRequest
from kubernaut.domain.reading import entries, section
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.tracks import GitOpsEvent, GitOpsPhase, GitOpsTrack, advance_gitops
from kubernaut.gitops import argocd, flux
from kubernaut.gitops.carriers import GENERATED
from kubernaut.gitops.live import live_equals
from kubernaut.gitops.source import address
from kubernaut.gitops.workload import pod_spec
from kubernaut.ports import Change, Cluster

from .entries import progress, track_entry
from .outside import Outside
from .references import config_maps

_ASK_AGAIN_S = 60.0
"""A controller that was restarted meanwhile may have forgotten the question."""


async def sync(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change:
    """Ask the controller at once, then look until its revision contains the merge and the live object equals Git."""
    pull, now = pull_of(track), out.clock.now()
    track = replace(track, due_at=track.due_at or now + timedelta(seconds=out.limits.sync_deadline_s))
    cluster = out.cluster(remediation.cluster)
    ownership, target = track.proposal.ownership, track.proposal.target
    ref = ownership.application
    application = await cluster.get(ref.kind, ref.namespace, ref.name, live=True)
    asked = track.asked_at is not None and (now - track.asked_at).total_seconds() < _ASK_AGAIN_S
    if not asked and application is not None:
        message = await _ask(cluster, application, ref, now.isoformat())
        waiting = wait(out, replace(track, asked_at=now), message, out.limits.sync_poll_s)
        return replace(waiting, journal=(track_entry(now, track, "sync", message),))
    live = await _live(cluster, remediation, target)
    if application is None or (live is None and not _is_generated(target)):
        missing = ref if application is None else target
        return over(out, track, GitOpsEvent.FAIL, f"{missing} does not exist any more")
    if not await _contains(out, application, track, pull):
        reason = f"waiting for {ownership.controller} to sync {ref.name} to {pull.merge_commit[:8]}"
        if trouble := _trouble(application):
            reason = f"{reason}; it says: {trouble}"
    elif live is None or not live_equals(live, track.proposal.action, track.proposal.parameters):
        reason = f"{ref.name} is synced, but {target} does not have the value of Git yet"
    else:
        message = f"{ownership.controller} synced {ref.name}, {target} equals Git"
        wake_at = now + timedelta(seconds=out.limits.sync_poll_s)
        synced = advance_gitops(track, GitOpsEvent.SYNCED, now, wake_at=wake_at, reason=message)
        return Change(tracks=(synced,), journal=(track_entry(now, track, "sync", message),))
    if track.due_at is not None and now > track.due_at:
        message = f"gave up after {out.limits.sync_deadline_s:.0f} s: {reason}; it is merged, so look at {ref}"
        return over(out, track, GitOpsEvent.FAIL, message)
    return wait(out, track, reason, out.limits.sync_poll_s)


async def _live(cluster: Cluster, remediation: Remediation, target: ResourceRef) -> Object | None:
    """The object that has the value now: a ConfigMap that Kustomize generates has its content's hash in its name, so the
    mended one is another, and the workload tells which."""
    if _is_generated(target):
        owner = remediation.target
        workload = await cluster.get(owner.kind, owner.namespace, owner.name, live=True)
        for name in config_maps(section(workload, *pod_spec(owner.kind))) if workload else ():
            if name != target.name and GENERATED.sub("", name) == GENERATED.sub("", target.name):
                return await cluster.get(target.kind, target.namespace, name, live=True)
    return await cluster.get(target.kind, target.namespace, target.name, live=True)


def _is_generated(target: ResourceRef) -> bool:
    return target.kind == "ConfigMap" and GENERATED.search(target.name) is not None


async def _ask(cluster: Cluster, application: Object, ref: ResourceRef, moment: str) -> str:
    """Ask the controller to look at Git now; where it may not be asked, its own pace is waited for."""
    if application["kind"] == "Application":
        return await _annotate(cluster, ref, application, "Argo CD", "a refresh", {argocd.REFRESH: "normal"})
    request = {flux.REQUESTED_AT: moment}
    told = []
    source = flux.source(application, ref.cluster)
    if source is not None and source.kind == "GitRepository":  # first what fetches, then what applies
        told.append(await _annotate(cluster, source, None, "Flux", "a fetch", request))
    told.append(await _annotate(cluster, ref, application, "Flux", "a reconciliation", request))
    return "; ".join(told)


async def _annotate(
    cluster: Cluster, ref: ResourceRef, item: Object | None, who: str, what: str, annotations: dict[str, str]
) -> str:
    """One request, in words; `item` is the object if it was read already."""
    try:
        item = item or await cluster.get(ref.kind, ref.namespace, ref.name, live=True)
        if item is None:
            return f"could not ask {who} for {what}: {ref} does not exist"
        patch = {"metadata": {"annotations": annotations}}
        await cluster.patch(ref, patch, expected={"uid": str(item["metadata"]["uid"])})
    except (Refused, NotFound) as error:
        return f"could not ask {who} for {what} of {ref.name} ({error}): waiting for its own pace"
    except Unknown:  # an annotation twice is one request
        return f"may have asked {who} for {what} of {ref.name}, the answer was lost"
    return f"asked {who} for {what} of {ref.name}"


async def _contains(out: Outside, application: Object, track: GitOpsTrack, pull: PullRequest) -> bool:
    """Whether the applied revision contains the merge; ancestry, not equality, because others commit too."""
    revision = applied_revision(application, track.proposal.ownership.repo_url)
    if not revision:
        return False
    try:
        return await out.forge.contains(pull.repo_url, revision, pull.merge_commit)
    except NotFound:
        # A rewritten history: the controller still tells of a commit that is gone, and will see the new one.
        return False


def applied_revision(application: Object, repo_url: str) -> str:
    """The commit that the controller says is applied; empty when it does not say so (yet)."""
    if application["kind"] != "Application":
        return flux.applied(application)
    sync_status = section(application, "status", "sync")
    if sync_status.get("status") != "Synced":
        return ""
    if sync_status.get("revision"):
        return str(sync_status["revision"])
    sources, revisions = entries(application, "spec", "sources"), sync_status.get("revisions")
    pairs = zip(sources, revisions if isinstance(revisions, list) else (), strict=False)
    return next((str(revision) for source, revision in pairs if address(source.get("repoURL")) == repo_url), "")


def _trouble(application: Object) -> str:
    """Why the controller does not get on, in its own words; empty when it does not say."""
    if application["kind"] == "Application":
        state = section(application, "status", "operationState")
        return _short(state.get("message")) if state.get("phase") in ("Failed", "Error") else ""
    if section(application, "spec").get("suspend"):
        return "it is suspended, so nothing is applied until somebody resumes it"
    ready = next((c for c in entries(application, "status", "conditions") if c.get("type") == "Ready"), {})
    return _short(ready.get("message")) if ready.get("status") == "False" else ""


def _short(text: object) -> str:
    plain = " ".join(str(text or "").split())
    return plain if len(plain) <= 200 else f"{plain[:199]}…"


def pull_of(track: GitOpsTrack) -> PullRequest:
    """The track's pull request.

    Raises:
        Permanent: it has none, which no phase after the proposal allows.
    """
    if track.proposal.pull_request is None:
        raise Permanent(f"{track.id} has no pull request in phase {track.phase}")
    return track.proposal.pull_request


def wait(out: Outside, track: GitOpsTrack, reason: str, delay_s: float) -> Change:
    """Look again later; a new reason is told, but not each time where it flips."""
    now = out.clock.now()
    wake_at = now + timedelta(seconds=delay_s)
    kind = "verification" if track.phase is GitOpsPhase.VERIFYING else "sync"
    track, journal = progress(now, track, kind, reason)
    waiting = advance_gitops(track, GitOpsEvent.WAIT, now, wake_at=wake_at, reason=reason)
    return Change(tracks=(waiting,), journal=journal)


def over(out: Outside, track: GitOpsTrack, event: GitOpsEvent, message: str, **data: Any) -> Change:
    """The track has ended. Args: data: what the journal's entry holds besides."""
    now = out.clock.now()
    ended = advance_gitops(track, event, now, wake_at=None, reason=message)
    kind = "escalation" if event is GitOpsEvent.FAIL else "track"
    return Change(tracks=(ended,), journal=(track_entry(now, track, kind, message, **data),))

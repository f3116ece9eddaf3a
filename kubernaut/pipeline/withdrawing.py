"""A fix is withdrawn or handed over: no pull request is left open without anybody knowing why.

A cancel closes it and says why there. Who takes the remediation over keeps it, and so does whatever else ends the track: the
work is done, and a person can still merge it. A pull request that was opened in the very moment before its transition could
be persisted is found again by its branch, whose name is fixed.
"""

import asyncio
from dataclasses import replace

from kubernaut.domain.errors import Conflict, KubernautError, Refused
from kubernaut.domain.proposals import PullRequest, PullRequestState
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import GitOpsEvent, GitOpsPhase, GitOpsTrack, advance_gitops
from kubernaut.gitops.text import branch_name
from kubernaut.ports import Change

from .entries import track_entry
from .outside import Outside
from .syncing import over

_E = GitOpsEvent


async def withdraw(out: Outside, remediation: Remediation, track: GitOpsTrack) -> Change | None:
    """Close the pull request as somebody asked for; None when it was merged before that, so that it has to be watched.

    Raises:
        Temporary: the forge does not answer, so whether there is a pull request is not known.
    """
    seen = await _present(out, remediation, track)
    if seen is not None and seen.state is PullRequestState.OPEN:
        try:
            seen = await out.forge.close(seen.repo_url, seen.number, "kubernaut", track.cancel_requested)
        except (Refused, Conflict) as error:
            seen = await out.forge.pull_request(seen.repo_url, seen.number)
            if seen.state is PullRequestState.OPEN:
                track = _with(track, seen)
                return over(out, track, _E.FAIL, f"{track.cancel_requested}, but it can't be closed: {error}")
    track = _with(track, seen)
    if seen is not None and seen.state is PullRequestState.MERGED:
        return _opened(out, track, seen) if track.phase is GitOpsPhase.PROPOSING else None
    return over(out, track, _E.CANCEL, track.cancel_requested)


async def what_stays(out: Outside, before: Remediation, change: Change) -> Change:
    """The change, and with it what becomes of the pull request of a fix that did not come to its end."""
    track = next((t for t in change.tracks if isinstance(t, GitOpsTrack)), None)
    if track is None or track.phase is not GitOpsPhase.FAILED or before.gitops is None:
        return change
    pull, said = await _read_back(out, before, before.gitops)
    if pull is None and not said:
        said = "no pull request was opened"
    elif pull is not None and pull.state is PullRequestState.OPEN:
        said = f"PR#{pull.number} stays open: merge or close it yourself"
    elif pull is not None and pull.state is PullRequestState.MERGED and track.handed_over:
        said = f"PR#{pull.number} is merged: see that it arrives"
    told = replace(_with(track, pull), reason="; ".join(part for part in (track.reason, said) if part))
    journal = tuple(
        replace(entry, message=told.reason) if (entry.track, entry.message) == (track.kind, track.reason) else entry
        for entry in change.journal
    )
    return replace(change, tracks=tuple(told if t is track else t for t in change.tracks), journal=journal)


async def _present(out: Outside, remediation: Remediation, track: GitOpsTrack) -> PullRequest | None:
    """The pull request as it is now; None when none was opened."""
    known = track.proposal.pull_request
    if known is not None:
        return await out.forge.pull_request(known.repo_url, known.number)
    if track.phase is not GitOpsPhase.PROPOSING:
        return None
    return await out.forge.of_branch(track.proposal.ownership.repo_url, branch_name(remediation.id))


async def _read_back(out: Outside, remediation: Remediation, track: GitOpsTrack) -> tuple[PullRequest | None, str]:
    """As `_present`, when the end can't wait for the forge: what was known last, and what is not known at all."""
    known = track.proposal.pull_request
    try:
        async with asyncio.timeout(out.limits.call_deadline_s):
            return await _present(out, remediation, track), ""
    except (KubernautError, TimeoutError):
        where = f"look for the branch {branch_name(remediation.id)} in {track.proposal.ownership.repo_url}"
        return known, "" if known else f"whether it has a pull request is not known: {where}"


def _opened(out: Outside, track: GitOpsTrack, pull: PullRequest) -> Change:
    """It was opened, and merged, before that could be written down."""
    now = out.clock.now()
    message = f"found pull request #{pull.number} in {pull.repository}: {pull.title}"
    going = advance_gitops(track, _E.PROPOSED, now, wake_at=now, reason=message)
    note = track_entry(now, track, "pull-request", message, number=pull.number, url=pull.url)
    return Change(tracks=(going,), journal=(note,))


def _with(track: GitOpsTrack, pull: PullRequest | None) -> GitOpsTrack:
    return replace(track, proposal=replace(track.proposal, pull_request=pull)) if pull else track

"""What the repository says now: the files that a controller applies, and whether the fix is among them by another way."""

from kubernaut.domain.errors import NotFound, Permanent
from kubernaut.domain.proposals import Ownership, PullRequest, PullRequestState
from kubernaut.domain.remediation import Remediation
from kubernaut.gitops.edit import has_already, missing

from .outside import Outside

_BASES = 8


async def files_of(out: Outside, ownership: Ownership, revision: str) -> tuple[str, dict[str, str]]:
    """The commit that a revision names, and the files that the controller applies there, with the bases that overlays name."""
    commit, found = await out.forge.files(ownership.repo_url, revision, ownership.path)
    files = dict(found)
    for _ in range(_BASES):
        further = missing(files, ownership.path)
        if not further:
            break
        for place in further:
            files |= (await out.forge.files(ownership.repo_url, commit, place))[1]
    return commit, files


async def brought_elsewhere(out: Outside, remediation: Remediation, before: PullRequest, seen: PullRequest) -> str:
    """The commit of the base that has the wanted value though the pull request was not merged; empty when there is none.

    Somebody may have resolved a conflict by hand, spelled the value differently, or been faster. Looked at only when the base
    moved since the last look, because it costs reading the files.

    Args:
        before: the pull request as it was seen last; seen: as it is now, open or closed.
    """
    track = remediation.gitops
    best = remediation.analysis.best if remediation.analysis else None
    moved = seen.base_head and seen.base_head != before.base_head
    if track is None or best is None or best.permanent is None or seen.state is PullRequestState.MERGED or not moved:
        return ""
    try:
        commit, files = await files_of(out, track.proposal.ownership, seen.base_head)
        return commit if has_already(files, best.permanent, track.proposal.ownership.path) else ""
    except (NotFound, Permanent):
        return ""

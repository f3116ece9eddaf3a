"""Pull requests of the embedded forge: who may merge what, and the track that waits for it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from kubernaut.domain.approvals import Principal, Role, Verdict
from kubernaut.domain.errors import Conflict, Refused
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.proposals import PullRequest, PullRequestState
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.reviews import (
    APPROVALS_CHECK,
    Quorum,
    approvals_check,
    obstacle,
    quorum_of,
    review_of,
    standing,
    why_not_count,
)
from kubernaut.gitops.text import remediation_of
from kubernaut.ports import Change, Clock, Forge, Store


class PullDesk:
    """Merges and closes pull requests on behalf of people."""

    def __init__(self, store: Store, forge: Forge, clock: Clock, nudge: Callable[[], None]) -> None:
        self._store = store
        self._forge = forge
        self._clock = clock
        self._nudge = nudge

    async def all(self) -> Sequence[PullRequest]:
        """Every pull request, newest first."""
        return await self._forge.pull_requests()

    async def find(self, repository: str, number: int) -> PullRequest:
        """One pull request.

        Raises:
            NotFound: no such repository, or none of that number. Temporary, Permanent: the repository can't be read.
        """
        return await self._forge.pull_request(self._forge.url_of(repository), number)

    async def remediation(self, pull: PullRequest) -> Remediation | None:
        """The remediation that the pull request belongs to, by its branch; None for other people's branches."""
        remediation_id = remediation_of(pull.branch)
        return await self._store.remediation(remediation_id) if remediation_id else None

    def quorum(self, remediation: Remediation | None) -> Quorum:
        """Whose yes the merge needs: what policy said of this change; a senior's when nobody knows."""
        return quorum_for(remediation)

    async def review(
        self, repository: str, number: int, who: Principal, verdict: Verdict, expected_head: str, reason: str
    ) -> PullRequest:
        """One person's yes or no to the commit that they saw.

        Raises:
            NotFound, Refused (role, group, own change, not open), Conflict (another head).
        """
        pull = await self.find(repository, number)
        remediation = await self.remediation(pull)
        quorum = self.quorum(remediation)
        _same(pull, expected_head)
        if refusal := why_not_count(quorum, pull, who):
            raise Refused(refusal)
        word = review_of(who, verdict, expected_head, self._clock.now(), reason)
        seen = await self._forge.review(pull.repo_url, number, word)
        seen = await self._post(seen, quorum)
        told = f"{who.name} {verdict}s #{number} in {repository}: {standing(quorum, seen)}"
        await self._tell(remediation, who, told, reason, kind="vote")
        return seen

    async def merge(self, repository: str, number: int, who: Principal, expected_head: str, reason: str) -> PullRequest:
        """Merge what the person saw; their merge is their yes, and the others whom policy wants have said theirs.

        Raises:
            NotFound, Refused (role, quorum, own change), Conflict (another head, or it does not merge any more).
        """
        pull = await self.find(repository, number)
        remediation = await self.remediation(pull)
        quorum = self.quorum(remediation)
        is_open = pull.state is PullRequestState.OPEN
        if is_open and (refusal := obstacle(quorum, pull, who)):
            raise Refused(refusal)
        _same(pull, expected_head)
        if is_open and not why_not_count(quorum, pull, who) and who.name not in pull.approvals:
            word = review_of(who, Verdict.APPROVE, expected_head, self._clock.now(), reason)
            await self._post(await self._forge.review(pull.repo_url, number, word), quorum)
        merged = await self._forge.merge(pull.repo_url, number, who.name, expected_head)
        await self._tell(remediation, who, f"{who.name} merged #{number} in {repository}", reason)
        return merged

    async def _post(self, pull: PullRequest, quorum: Quorum) -> PullRequest:
        """Where more than one person is needed, everybody sees how far it is."""
        is_posted = any(check.name == APPROVALS_CHECK for check in pull.check_runs)
        if quorum.needed == 1 and not is_posted and all(r.verdict is Verdict.APPROVE for r in pull.reviews):
            return pull
        return await self._forge.check(pull.repo_url, pull.number, approvals_check(quorum, pull))

    async def close(self, repository: str, number: int, who: Principal, reason: str) -> PullRequest:
        """Close without merging. Raises as `merge`."""
        pull = await self.find(repository, number)
        remediation = await self.remediation(pull)
        if not who.may(Role.APPROVER):
            raise Refused(f"{who.name} needs the role {Role.APPROVER} to close pull requests")
        closed = await self._forge.close(pull.repo_url, number, who.name, reason)
        await self._tell(remediation, who, f"{who.name} closed #{number} in {repository}", reason)
        return closed

    async def _tell(
        self, remediation: Remediation | None, who: Principal, message: str, reason: str, kind: str = "pull-request"
    ) -> None:
        """Journal, and wake the track; a lost race only means that the track's own timer sees it a little later."""
        now = self._clock.now()
        remediation_id = remediation.id if remediation else ""
        note = JournalDraft(now, kind, message, who.name, remediation_id, "gitops", {"reason": reason})
        await self._store.commit(Change(journal=(note,)))
        track = remediation.gitops if remediation else None
        if track is not None and not track.ended:
            try:
                await self._store.commit(Change(tracks=(replace(track, wake_at=now),)))
            except Conflict:
                return
            finally:
                self._nudge()


def quorum_for(remediation: Remediation | None) -> Quorum:
    """Whose yes the merge of a remediation's pull request needs."""
    track = remediation.gitops if remediation else None
    if remediation is None or track is None:
        return quorum_of(None)
    return quorum_of(track.decision, remediation.signal.requester)


def _same(pull: PullRequest, expected_head: str) -> None:
    if expected_head != pull.head_commit:
        raise Conflict(f"#{pull.number} changed since you looked at it: look at its diff again")

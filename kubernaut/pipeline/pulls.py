"""Pull requests of the embedded forge: who may merge what, and the track that waits for it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from kubernaut.domain.approvals import Principal, Role, outside
from kubernaut.domain.errors import Conflict, NotFound, Refused
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.policy import ApprovalType
from kubernaut.domain.proposals import PullRequest
from kubernaut.domain.remediation import Remediation
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
            NotFound: there is none of that number.
        """
        for pull in await self._forge.pull_requests():
            if (pull.repository, pull.number) == (repository, number):
                return pull
        raise NotFound(f"there is no pull request #{number} in {repository}")

    async def remediation(self, pull: PullRequest) -> Remediation | None:
        """The remediation that the pull request belongs to, by its branch; None for other people's branches."""
        remediation_id = remediation_of(pull.branch)
        return await self._store.remediation(remediation_id) if remediation_id else None

    def required_role(self, remediation: Remediation | None) -> Role:
        """Who may merge: what policy said of this change; a senior when nobody knows."""
        track = remediation.gitops if remediation else None
        if track is None:
            return Role.SENIOR
        senior = track.decision.approval_type is ApprovalType.SENIOR or "senior" in track.decision.approver_groups
        return Role.SENIOR if senior else Role.APPROVER

    async def merge(self, repository: str, number: int, who: Principal, expected_head: str, reason: str) -> PullRequest:
        """Merge what the person saw.

        Raises:
            NotFound, Refused (role), Conflict (another head, or it does not merge any more).
        """
        pull = await self.find(repository, number)
        remediation = await self.remediation(pull)
        self._allow(remediation, who)
        if expected_head != pull.head_commit:
            raise Conflict(f"#{number} changed since you looked at it: look at its diff again")
        merged = await self._forge.merge(pull.repo_url, number, who.name, expected_head)
        await self._tell(remediation, who, f"{who.name} merged #{number} in {repository}", reason)
        return merged

    async def close(self, repository: str, number: int, who: Principal, reason: str) -> PullRequest:
        """Close without merging. Raises as `merge`."""
        pull = await self.find(repository, number)
        remediation = await self.remediation(pull)
        if not who.may(Role.APPROVER):
            raise Refused(f"{who.name} needs the role {Role.APPROVER} to close pull requests")
        closed = await self._forge.close(pull.repo_url, number, who.name)
        await self._tell(remediation, who, f"{who.name} closed #{number} in {repository}", reason)
        return closed

    def _allow(self, remediation: Remediation | None, who: Principal) -> None:
        role = self.required_role(remediation)
        if not who.may(role):
            raise Refused(f"{who.name} needs the role {role} to merge this")
        track = remediation.gitops if remediation else None
        if track and (stranger := outside(track.decision.approver_groups, who)):
            raise Refused(stranger)
        asked_by = remediation.signal.requester if remediation else ""
        if track and track.decision.four_eyes and asked_by and asked_by == who.name:
            raise Refused(f"{who.name} asked for this change and policy wants another pair of eyes")

    async def _tell(self, remediation: Remediation | None, who: Principal, message: str, reason: str) -> None:
        """Journal, and wake the track; a lost race only means that the track's own timer sees it a little later."""
        now = self._clock.now()
        remediation_id = remediation.id if remediation else ""
        note = JournalDraft(now, "pull-request", message, who.name, remediation_id, "gitops", {"reason": reason})
        await self._store.commit(Change(journal=(note,)))
        track = remediation.gitops if remediation else None
        if track is not None and not track.ended:
            try:
                await self._store.commit(Change(tracks=(replace(track, wake_at=now),)))
            except Conflict:
                return
            finally:
                self._nudge()

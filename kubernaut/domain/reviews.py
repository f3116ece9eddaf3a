"""A pull request is merged by as many people as policy wants, each of whom looked at the very commit that is merged.

Git itself asks nobody. Where kubernaut merges, the same rules hold as for a vote on a plan: the role, the groups that
policy names, and with four eyes neither whoever asked for the change nor whoever wrote a part of it.
"""

from dataclasses import dataclass
from datetime import datetime

from .approvals import Principal, Role, Verdict, outside
from .policy import FAIL_CLOSED, ApprovalType, Decision
from .proposals import Check, CheckState, PullRequest, Review

POLICY_CHECK = "kubernaut/policy"
APPROVALS_CHECK = "kubernaut/approvals"


@dataclass(frozen=True, slots=True)
class Quorum:
    """Whose yes a merge needs. Unless something is known of the change, one senior's.

    Args:
        needed: how many different people.
        role: the least role of each of them.
        groups: roles or directory groups, one of which each has; empty means any.
        four_eyes: neither `requester` nor an author of the branch counts.
    """

    needed: int = 1
    role: Role = Role.SENIOR
    groups: tuple[str, ...] = ()
    four_eyes: bool = False
    requester: str = ""

    @property
    def who(self) -> str:
        """Those who count, in words."""
        return f"of {' or '.join(self.groups)}" if self.groups else f"of the role {self.role}"


def quorum_of(decision: Decision | None, requester: str = "") -> Quorum:
    """What policy's word on a change means for its merge; one senior where there is none."""
    if decision is None:
        return Quorum(requester=requester)
    senior = decision.approval_type is ApprovalType.SENIOR or "senior" in decision.approver_groups
    role = Role.SENIOR if senior else Role.APPROVER
    return Quorum(max(1, decision.min_approvers), role, decision.approver_groups, decision.four_eyes, requester)


def why_not_count(quorum: Quorum, pull: PullRequest, who: Principal) -> str:
    """Why the yes of `who` would not count, in one sentence; empty when it would."""
    if stranger := _stranger(quorum, who):
        return stranger
    if quorum.four_eyes and who.name == quorum.requester:
        return f"{who.name} asked for this change and policy wants another pair of eyes"
    if quorum.four_eyes and who.name.casefold() in pull.authors:
        return f"{who.name} wrote a part of this branch and policy wants another pair of eyes"
    return ""


def _stranger(quorum: Quorum, who: Principal) -> str:
    if not who.may(quorum.role):
        return f"{who.name} needs the role {quorum.role} to merge this"
    return outside(quorum.groups, who)


def approved_by(quorum: Quorum, pull: PullRequest) -> tuple[str, ...]:
    """Whose yes to the present commit counts."""
    return tuple(
        review.reviewer
        for review in pull.reviews
        if review.verdict is Verdict.APPROVE
        and review.commit == pull.head_commit
        and not why_not_count(quorum, pull, Principal(review.reviewer, review.groups, review.role))
    )


def standing(quorum: Quorum, pull: PullRequest) -> str:
    """How many have said yes, who, and who is missing, in a few words."""
    names = approved_by(quorum, pull)
    told = f"{len(names)} of {quorum.needed} approvals {quorum.who}"
    return f"{told} ({', '.join(names)})" if names else told


def obstacle(quorum: Quorum, pull: PullRequest, who: Principal) -> str:
    """Why `who` may not merge the present commit, in one sentence; empty when they may. Merging is a yes, too."""
    if stranger := _stranger(quorum, who):
        return stranger
    against = next((r for r in _present(pull) if r.verdict is Verdict.REJECT), None)
    if against is not None:
        return f"{against.reviewer} rejected this commit{f': {against.reason}' if against.reason else ''}"
    names = set(approved_by(quorum, pull))
    own = why_not_count(quorum, pull, who)
    missing = quorum.needed - len(names if own else names | {who.name})
    if missing <= 0:
        return ""
    if own and quorum.needed == 1:
        return own
    people = "1 more person" if missing == 1 else f"{missing} more people"
    because = f" ({own})" if own else f", {who.name} included" if who.name not in names else ""
    return (
        f"policy wants {quorum.needed} approvals {quorum.who}, {_listed(sorted(names))} so far: {people} must say "
        f"`kubernaut pr approve {pull.repository}/{pull.number}`{because}"
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "nobody"


def _present(pull: PullRequest) -> list[Review]:
    return [review for review in pull.reviews if review.commit == pull.head_commit]


def policy_check(decision: Decision, commit: str = "") -> Check:
    """Policy's word on the change, as forges show it."""
    state = CheckState.FAILURE if decision.deny else CheckState.SUCCESS
    if decision.rule == FAIL_CLOSED:
        state = CheckState.PENDING
    return Check(POLICY_CHECK, state, f"{decision.rule}: {decision.reason}", commit)


def approvals_check(quorum: Quorum, pull: PullRequest) -> Check:
    """How far the quorum is, as forges show it."""
    against = next((r for r in _present(pull) if r.verdict is Verdict.REJECT), None)
    if against is not None:
        return Check(APPROVALS_CHECK, CheckState.FAILURE, f"rejected by {against.reviewer}", pull.head_commit)
    reached = len(approved_by(quorum, pull)) >= quorum.needed
    state = CheckState.SUCCESS if reached else CheckState.PENDING
    return Check(APPROVALS_CHECK, state, standing(quorum, pull), pull.head_commit)


def review_of(who: Principal, verdict: Verdict, commit: str, at: datetime, reason: str = "") -> Review:
    """The person's word with all that is needed to judge later whether it counts."""
    return Review(who.name, verdict, commit, at, reason, who.groups, who.role)

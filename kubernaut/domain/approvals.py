"""An approval is asked for one exact plan; any change of the plan voids it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from .errors import Conflict, Refused
from .resources import ResourceRef


class Role(StrEnum):
    """What a principal may do; each role contains the ones before it."""

    VIEWER = "viewer"
    APPROVER = "approver"
    SENIOR = "senior"
    ADMIN = "admin"

    def covers(self, other: "Role") -> bool:
        """Whether this role may do what `other` may."""
        return list(Role).index(self) >= list(Role).index(other)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody, as the transport tells it."""

    name: str
    groups: tuple[str, ...] = ()
    role: Role | None = None

    def may(self, role: Role) -> bool:
        """Whether the principal has the role or one above it."""
        return self.role is not None and self.role.covers(role)


class ApprovalPhase(StrEnum):
    """Where an approval stands."""

    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    EXPIRED = "Expired"
    VOID = "Void"


class Verdict(StrEnum):
    """What one person said."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's word on one plan."""

    principal: str
    verdict: Verdict
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """A question to people.

    Args:
        plan_hash: the plan that is asked about.
        action: what would be done, as `drain-node`.
        blast_radius: what would be touched: {"pods", "percent_of_workload", "nodes", "workloads"}.
        dry_run: lines that tell what the API server said to the dry run.
        rollback: how it is undone, or that it can't be.
        rule: the policy rule that asks; `reason` its sentence.
        groups: roles or directory groups, one of which a voter must have; empty means any approver.
        role: the least role that may vote.
        four_eyes: the requester may not vote.
        confirm: what a voter must type to approve: `y`, or the target's name where more is at stake.
    """

    id: str
    remediation_id: str
    track_id: str
    plan_hash: str
    action: str
    target: ResourceRef
    environment: str
    because: str
    blast_radius: dict[str, int]
    dry_run: tuple[str, ...]
    rollback: str
    rule: str
    reason: str
    requested_at: datetime
    expires_at: datetime
    min_approvers: int = 1
    groups: tuple[str, ...] = ()
    role: Role = Role.APPROVER
    four_eyes: bool = False
    requester: str = "kubernaut"
    confirm: str = "y"
    phase: ApprovalPhase = ApprovalPhase.PENDING
    votes: tuple[Vote, ...] = field(default=())
    version: int = 0


def released(approval: Approval) -> Approval:
    """The question when nobody waits for its answer any more: a vote on it could do nothing, so it takes none."""
    return replace(approval, phase=ApprovalPhase.VOID) if approval.phase is ApprovalPhase.PENDING else approval


def may_vote(approval: Approval, who: Principal) -> str:
    """Why `who` may not vote, in one sentence; empty when they may."""
    if not who.may(approval.role):
        return f"{who.name} needs the role {approval.role}"
    if stranger := outside(approval.groups, who):
        return stranger
    if approval.four_eyes and who.name == approval.requester:
        return f"{who.name} asked for this change and policy wants another pair of eyes"
    return ""


def outside(groups: tuple[str, ...], who: Principal) -> str:
    """Why `who` is none of those that policy names, in one sentence; empty when they are, or when it names nobody."""
    if not groups or who.may(Role.ADMIN) or any(_belongs(who, group) for group in groups):
        return ""
    return f"{who.name} is in none of the groups {', '.join(groups)}"


def _belongs(who: Principal, group: str) -> bool:
    """Policies name roles and groups of the directory alike."""
    return group in who.groups or (group in list(Role) and who.may(Role(group)))


def cast(
    approval: Approval, who: Principal, verdict: Verdict, plan_hash: str, now: datetime, reason: str = ""
) -> Approval:
    """The approval after one vote: one rejection rejects, `min_approvers` different people approve.

    Raises:
        Conflict: the approval is no longer pending, has expired, or is about another plan than the voter saw.
        Refused: the voter may not vote, or has voted already.
    """
    if approval.phase is not ApprovalPhase.PENDING:
        raise Conflict(f"approval {approval.id} is already {approval.phase.lower()}")
    if now >= approval.expires_at:
        raise Conflict(f"approval {approval.id} expired at {approval.expires_at:%H:%M:%SZ}")
    if plan_hash != approval.plan_hash:
        raise Conflict("the plan changed since you looked at it: look again")
    if refusal := may_vote(approval, who):
        raise Refused(refusal)
    if any(vote.principal == who.name for vote in approval.votes):
        raise Refused(f"{who.name} has voted already")
    votes = (*approval.votes, Vote(who.name, verdict, now, reason))
    phase = ApprovalPhase(approval.phase)
    if verdict is Verdict.REJECT:
        phase = ApprovalPhase.REJECTED
    elif sum(vote.verdict is Verdict.APPROVE for vote in votes) >= approval.min_approvers:
        phase = ApprovalPhase.APPROVED
    return replace(approval, votes=votes, phase=phase)

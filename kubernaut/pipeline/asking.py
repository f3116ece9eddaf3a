"""Ask people about one exact plan."""

from dataclasses import replace
from datetime import datetime, timedelta

from kubernaut.domain.approvals import Approval, ApprovalPhase, Role, released
from kubernaut.domain.errors import Permanent
from kubernaut.domain.plans import Plan
from kubernaut.domain.policy import ApprovalType, Decision
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import ImperativeEvent, ImperativeTrack, advance_imperative, left_behind
from kubernaut.domain.values import digest
from kubernaut.ports import Change

from .entries import track_entry
from .outside import Outside
from .planning import Planned


def ask(
    out: Outside, remediation: Remediation, track: ImperativeTrack, planned: Planned, dry_run: tuple[str, ...]
) -> Change:
    """Put the question; asked twice about the same plan it is the same question."""
    now, decision, step = out.clock.now(), planned.decision, track.plan.steps[0]
    best = remediation.analysis.best if remediation.analysis else None
    asked_at = now.isoformat()
    approval = Approval(
        id="ap-" + digest([track.id, track.plan.hash, asked_at], 8),
        remediation_id=remediation.id,
        track_id=track.id,
        plan_hash=track.plan.hash,
        action=step.action,
        target=step.target,
        environment=planned.environment,
        because=best.cause if best else remediation.signal.name,
        blast_radius=planned.radius.document(),
        dry_run=dry_run,
        rollback=planned.action.rollback(step),
        rule=decision.rule,
        reason=" ".join((decision.reason, *decision.violations)),
        requested_at=now,
        expires_at=now + timedelta(seconds=out.limits.approval_ttl_s),
        min_approvers=max(1, decision.min_approvers),
        groups=decision.approver_groups,
        role=_role(decision),
        four_eyes=decision.four_eyes,
        requester=remediation.signal.requester or "kubernaut",
        confirm="y" if planned.action.risk == "low" else step.target.name,
    )
    message = f"asks: {step.action} {step.target.short}? {decision.reason}"
    track = replace(track, approval_id=approval.id)
    waiting = advance_imperative(track, ImperativeEvent.ASK, now, wake_at=approval.expires_at, reason=decision.reason)
    note = track_entry(now, track, "approval", message, approval=approval.id, rule=decision.rule)
    return Change(tracks=(waiting,), approvals=(approval,), journal=(note,))


def covers(
    approval: Approval | None, plan: Plan, asked: Decision, decision: Decision, now: datetime, ttl_s: float
) -> bool:
    """Whether people's word stands for what policy says now.

    It does while the plan is the same, the last vote is no older than a question may get, policy wants nobody else and no
    more people than were asked, and nothing is exceeded that they were not told of.

    Args:
        asked: policy's word when the question was put.
        ttl_s: how long a question stands, in seconds.
    """
    if approval is None or approval.phase is not ApprovalPhase.APPROVED or approval.plan_hash != plan.hash:
        return False
    if now - approval.votes[-1].at >= timedelta(seconds=ttl_s):
        return False
    return (
        approval.role.covers(_role(decision))
        and approval.groups == decision.approver_groups
        and approval.min_approvers >= decision.min_approvers
        and (approval.four_eyes or not decision.four_eyes)
        and set(decision.violations) <= set(asked.violations)
    )


def _role(decision: Decision) -> Role:
    return Role.SENIOR if decision.approval_type is ApprovalType.SENIOR else Role.APPROVER


async def approval_for(out: Outside, track: ImperativeTrack) -> Approval:
    """The question that the track waits for.

    Raises:
        Permanent: the store has lost it, which only a damaged database explains.
    """
    approval = await out.store.approval(track.approval_id)
    if approval is None:
        raise Permanent(f"the approval {track.approval_id} of {track.id} is not in the store")
    return approval


async def without_questions(out: Outside, before: Remediation, change: Change) -> Change:
    """The change, and with it the end of the question that the mitigation leaves behind, however it does."""
    after = next((track for track in change.tracks if isinstance(track, ImperativeTrack)), None)
    left = left_behind(before.imperative, after) if before.imperative and after else ""
    if not left or any(approval.id == left for approval in change.approvals):
        return change
    approval = await out.store.approval(left)
    if approval is None or approval.phase is not ApprovalPhase.PENDING:
        return change
    return replace(change, approvals=(*change.approvals, released(approval)))

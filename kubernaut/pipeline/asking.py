"""Ask people about one exact plan."""

from dataclasses import replace
from datetime import timedelta

from kubernaut.domain.approvals import Approval, Role
from kubernaut.domain.errors import Permanent
from kubernaut.domain.policy import ApprovalType
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import ImperativeEvent, ImperativeTrack, advance_imperative
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
        environment=remediation.environment,
        because=best.cause if best else remediation.signal.name,
        blast_radius=planned.radius.document(),
        dry_run=dry_run,
        rollback=planned.action.rollback(step),
        rule=decision.rule,
        reason=decision.reason,
        requested_at=now,
        expires_at=now + timedelta(seconds=out.limits.approval_ttl_s),
        min_approvers=max(1, decision.min_approvers),
        groups=decision.approver_groups,
        role=Role.SENIOR if decision.approval_type is ApprovalType.SENIOR else Role.APPROVER,
        four_eyes=decision.four_eyes,
        requester=remediation.signal.requester or "kubernaut",
        confirm="y" if planned.action.risk == "low" else step.target.name,
    )
    message = f"asks: {step.action} {step.target.short}? {decision.reason}"
    track = replace(track, approval_id=approval.id)
    waiting = advance_imperative(track, ImperativeEvent.ASK, now, wake_at=approval.expires_at, reason=decision.reason)
    note = track_entry(now, track, "approval", message, approval=approval.id, rule=decision.rule)
    return Change(tracks=(waiting,), approvals=(approval,), journal=(note,))


async def approval_for(out: Outside, track: ImperativeTrack) -> Approval:
    """The question that the track waits for.

    Raises:
        Permanent: the store has lost it, which only a damaged database explains.
    """
    approval = await out.store.approval(track.approval_id)
    if approval is None:
        raise Permanent(f"the approval {track.approval_id} of {track.id} is not in the store")
    return approval

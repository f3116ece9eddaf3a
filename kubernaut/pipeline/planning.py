"""From a proposal to a plan, and from a plan to policy's word on it."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from kubernaut.actions.action import Action, BlastRadius, fetch
from kubernaut.actions.catalogue import find
from kubernaut.domain.analysis import ActionProposal, Finding
from kubernaut.domain.errors import NotFound
from kubernaut.domain.facts import Object
from kubernaut.domain.plans import Plan, Step
from kubernaut.domain.policy import ApprovalType, Decision
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef

from .classify import classify
from .outside import Outside
from .pools import other_drains, percent_out

_HISTORY = 100


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and everything that approvers and policy want to know of it.

    Args:
        request: what policy was asked.
    """

    plan: Plan
    action: Action
    radius: BlastRadius
    decision: Decision
    environment: str
    request: Mapping[str, Any] = field(default_factory=dict)


async def plan_for(out: Outside, proposal: ActionProposal) -> Plan:
    """One step, bound to the target's uid and generation as they are now.

    Raises:
        NotFound: the target is gone.
        BadInput: the action is unknown or does not act on this kind.
    """
    action = find(proposal.action)
    reader = out.cluster(proposal.target.cluster)
    step = Step(action.name.split("-")[0], action.name, proposal.target, dict(proposal.parameters))
    item = await fetch(reader, step, live=False)
    return Plan((bound(step, item),))


def bound(step: Step, item: Object) -> Step:
    """The step with the identity of the object that it was planned on."""
    meta = item["metadata"]
    expected = {"uid": meta["uid"]}
    if "generation" in meta:
        expected["generation"] = str(meta["generation"])
    return Step(
        step.id, step.action, step.target, step.parameters, expected, step.depends_on, step.timeout_s, step.retries,
        step.continue_on_failure,
    )  # fmt: skip


async def decide_plan(
    out: Outside, remediation: Remediation, finding: Finding, plan: Plan, managed: bool, *, at_once: bool = True
) -> Planned:
    """Ask policy about a plan.

    Args:
        at_once: whether it would begin now; a plan that is only made yet is not refused for what is under way elsewhere.
    """
    step = plan.steps[0]
    action = find(step.action)
    reader = out.cluster(step.target.cluster)
    radius = await action.blast_radius(reader, step)
    labels: dict[str, str] = {}
    with contextlib.suppress(NotFound):
        labels = dict((await fetch(reader, step, live=False))["metadata"].get("labels") or {})
    environment = await _environment(out, remediation, step.target)
    judged = replace(remediation, environment=environment)
    document = await policy_input(
        out, judged, finding, action=action.name, risk=action.risk.value, kind="imperative",
        reversible=action.reversible, target=step.target, managed=managed, labels=labels, radius=radius, track="imperative",
        drains=len(await other_drains(out, remediation, labels)) if at_once and action.name == "drain-node" else 0,
        pool_out=await percent_out(out, remediation, step),
    )  # fmt: skip
    decision = _gated(out, finding, await out.policy.decide(document))
    return Planned(plan, action, radius, decision, environment, document)


async def _environment(out: Outside, remediation: Remediation, target: ResourceRef) -> str:
    """The class of what is acted on: a failing pod of a development namespace may have its cause in a node that carries
    production, too."""
    if (target.cluster, target.namespace) == (remediation.target.cluster, remediation.target.namespace):
        return remediation.environment
    return (await classify(out, target, remediation.signal.severity))[0]


def _gated(out: Outside, finding: Finding, decision: Decision) -> Decision:
    """The configured confidence gate, whatever rules are loaded: policies may be stricter, never laxer."""
    if finding.confidence < out.limits.never_below and not decision.deny:
        reason = f"The cause is too uncertain to act on: confidence {finding.confidence:.2f}."
        return replace(
            decision, approval_type=ApprovalType.DENIED, auto_approve=False, require_approval=False, deny=True,
            reason=reason, rule="confidence_too_low", min_approvers=0,
        )  # fmt: skip
    if decision.auto_approve and finding.confidence <= out.limits.act_alone_above:
        reason = "The cause is likely but not certain: a person decides."
        return replace(Decision.fail_closed(reason), rule="confidence_needs_person")
    return decision


async def policy_input(
    out: Outside, remediation: Remediation, finding: Finding, *, action: str, risk: str, kind: str, reversible: bool,
    target: ResourceRef, managed: bool, labels: dict[str, str], radius: BlastRadius, track: str,
    drains: int = 0, pool_out: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """The document that policies see; its shape is `domain.policy.PolicyInput`."""
    now = out.clock.now()
    changes = await _recent_changes(out, remediation, target, now)
    return {
        "action": {"name": action, "risk": risk, "kind": kind, "reversible": reversible},
        "target": {
            "cluster": target.cluster, "kind": target.kind, "namespace": target.namespace, "name": target.name,
            "gitops_managed": managed, "labels": labels,
        },
        "environment": remediation.environment,
        "severity": remediation.signal.severity.value,
        "priority": remediation.priority.value,
        "analysis": {"failure_class": finding.failure_class, "confidence": finding.confidence},
        "track": track,
        "blast_radius": radius.document(),
        "requester": remediation.signal.requester or "kubernaut",
        "active": {"drains_in_pool": drains, "percent_of_pool_out": pool_out},
        "history": {"changes_last_hour_for_owner": changes},
        "freeze": out.freeze,
        "now": now.isoformat(),
    }  # fmt: skip


async def _recent_changes(out: Outside, remediation: Remediation, target: ResourceRef, now: datetime) -> int:
    """Mutations of the owner and of the target within the hour; a remediation that is older than that may have waited."""
    found: set[str] = set()
    for owner in {remediation.target, target}:
        for other in await out.store.history(owner, now - timedelta(days=1), _HISTORY):
            mutated_at = other.imperative.mutated_at if other.imperative else None
            if other.id != remediation.id and mutated_at and now - mutated_at < timedelta(hours=1):
                found.add(other.id)
    return len(found)

"""From a proposal to a plan, and from a plan to policy's word on it."""

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kubernaut.actions.action import Action, BlastRadius, fetch
from kubernaut.actions.catalogue import find
from kubernaut.domain.analysis import ActionProposal, Finding
from kubernaut.domain.errors import NotFound
from kubernaut.domain.facts import Object
from kubernaut.domain.plans import Plan, Step
from kubernaut.domain.policy import Decision
from kubernaut.domain.remediation import Remediation, RemediationPhase
from kubernaut.domain.tracks import ImperativePhase, ImperativeTrack
from kubernaut.ports import Query

from .outside import Outside

_POOL_LABELS = (
    "cloud.google.com/gke-nodepool",
    "eks.amazonaws.com/nodegroup",
    "kubernetes.azure.com/agentpool",
    "node.kubernetes.io/pool",
)
_BUSY_PHASES = (RemediationPhase.EXECUTING.value, RemediationPhase.VERIFYING.value)
_BUSY = (ImperativePhase.EXECUTING, ImperativePhase.VERIFYING, ImperativePhase.ROLLING_BACK)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and everything that approvers and policy want to know of it."""

    plan: Plan
    action: Action
    radius: BlastRadius
    decision: Decision


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


async def decide_plan(out: Outside, remediation: Remediation, finding: Finding, plan: Plan, managed: bool) -> Planned:
    """Ask policy about a plan."""
    step = plan.steps[0]
    action = find(step.action)
    reader = out.cluster(step.target.cluster)
    radius = await action.blast_radius(reader, step)
    labels: dict[str, str] = {}
    with contextlib.suppress(NotFound):
        labels = dict((await fetch(reader, step, live=False))["metadata"].get("labels") or {})
    document = await policy_input(
        out, remediation, finding, action=action.name, risk=action.risk.value, kind="imperative",
        reversible=action.reversible, target=step.target, managed=managed, labels=labels, radius=radius, track="imperative",
    )  # fmt: skip
    return Planned(plan, action, radius, await out.policy.decide(document))


async def policy_input(
    out: Outside, remediation: Remediation, finding: Finding, *, action: str, risk: str, kind: str, reversible: bool,
    target: Any, managed: bool, labels: dict[str, str], radius: BlastRadius, track: str,
) -> dict[str, Any]:  # fmt: skip
    """The document that policies see; its shape is `domain.policy.PolicyInput`."""
    now = out.clock.now()
    drains = len(await other_drains(out, remediation, labels)) if action == "drain-node" else 0
    changes = 0
    for other in await out.store.history(remediation.target, now - timedelta(hours=1)):
        changes += other.id != remediation.id and bool(other.imperative and other.imperative.mutated_at)
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
        "active": {"drains_in_pool": drains},
        "history": {"changes_last_hour_for_owner": changes},
        "freeze": out.freeze,
        "now": now.isoformat(),
    }  # fmt: skip


def pool_of(labels: dict[str, str]) -> str:
    """The node pool by the providers' labels; nodes without one form a pool of their own."""
    return next((labels[name] for name in _POOL_LABELS if name in labels), "")


async def other_drains(out: Outside, remediation: Remediation, labels: dict[str, str]) -> list[ImperativeTrack]:
    """Drains that are under way in the same pool of the same cluster, this remediation's own left out."""
    page = await out.store.list(Query(cluster=remediation.cluster, active=True, phases=_BUSY_PHASES, limit=500))
    found = []
    for other in page.items:
        track = other.imperative
        if other.id == remediation.id or track is None or track.phase not in _BUSY:
            continue
        step = track.plan.steps[0]
        if step.action != "drain-node":
            continue
        node = await out.cluster(remediation.cluster).get("Node", "", step.target.name)
        theirs = dict(node["metadata"].get("labels") or {}) if node else {}
        if pool_of(theirs) == pool_of(labels):
            found.append(track)
    return found

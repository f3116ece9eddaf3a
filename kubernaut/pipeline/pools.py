"""Node pools: what is under way in one, and how much of it is left to carry the work."""

from collections.abc import Mapping
from typing import Any

from kubernaut.domain.facts import Object
from kubernaut.domain.plans import Step
from kubernaut.domain.reading import entries, section
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
_TAKES_OUT = ("cordon-node", "drain-node")


def pool_of(labels: Mapping[str, Any]) -> str:
    """The node pool by the providers' labels; nodes without one form a pool of their own."""
    return next((str(labels[name]) for name in _POOL_LABELS if name in labels), "")


async def drains_beside(out: Outside, remediation: Remediation, step: Step) -> list[ImperativeTrack]:
    """Drains that are under way in the pool of the node that the step drains; none for any other step."""
    return await other_drains(out, remediation, await node_labels(out, step)) if step.action == "drain-node" else []


async def node_labels(out: Outside, step: Step) -> dict[str, str]:
    """The labels of the node that the step is about; none if it is gone."""
    node = await out.cluster(step.target.cluster).get("Node", "", step.target.name)
    return dict(section(node, "metadata", "labels"))


async def other_drains(out: Outside, remediation: Remediation, labels: dict[str, str]) -> list[ImperativeTrack]:
    """Drains that are under way in the same pool of the same cluster, this remediation's own left out."""
    found = []
    for other in await _others(out, remediation):
        track = other.imperative
        if track is None or track.phase not in _BUSY or track.plan.steps[0].action != "drain-node":
            continue
        if pool_of(await node_labels(out, track.plan.steps[0])) == pool_of(labels):
            found.append(track)
    return found


async def percent_out(out: Outside, remediation: Remediation, step: Step) -> int:
    """The share of the node's pool that is out of service once the step is done, in percent, rounded up.

    Out is a node that is not ready or not schedulable, the step's own, and those that others are about to take out: ten nodes
    that seem to fail at one moment are mostly one network that fails. 0 for steps that take no node out.
    """
    if step.action not in _TAKES_OUT:
        return 0
    pool = pool_of(await node_labels(out, step))
    nodes = await out.cluster(step.target.cluster).list("Node")
    members = {node["metadata"]["name"]: node for node in nodes if pool_of(section(node, "metadata", "labels")) == pool}
    lost = {name for name, node in members.items() if not _serves(node)} | {step.target.name}
    lost |= await _about_to_go(out, remediation) & set(members)
    return -(-100 * len(lost) // max(len(members), len(lost)))


async def _about_to_go(out: Outside, remediation: Remediation) -> set[str]:
    """Nodes that others take out: they may do it by now, or came first and will be judged first."""
    found = set()
    for other in await _others(out, remediation):
        track = other.imperative
        step = track.plan.steps[0] if track and not track.ended else None
        if step is None or track is None or step.action not in _TAKES_OUT:
            continue
        if track.phase in _BUSY or (other.created_at, other.id) < (remediation.created_at, remediation.id):
            found.add(step.target.name)
    return found


def _serves(node: Object) -> bool:
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in entries(node, "status", "conditions"))
    return ready and not section(node, "spec").get("unschedulable")


async def _others(out: Outside, remediation: Remediation) -> list[Remediation]:
    """What else is carried out or verified in the same cluster."""
    found: list[Remediation] = []
    total = 1
    while len(found) < total:
        query = Query(cluster=remediation.cluster, active=True, phases=_BUSY_PHASES, offset=len(found), limit=500)
        page = await out.store.list(query)
        found += page.items
        total = page.total if page.items else 0
    return [other for other in found if other.id != remediation.id]

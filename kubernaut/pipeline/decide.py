"""Decide: from the best finding to up to two tracks, each with policy's word on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from kubernaut.actions.action import BlastRadius
from kubernaut.domain.analysis import Finding
from kubernaut.domain.assessment import AssessmentEvent
from kubernaut.domain.errors import NotFound, Permanent
from kubernaut.domain.facts import Snapshot
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import ChangeProposal, Ownership
from kubernaut.domain.redaction import redact_labels
from kubernaut.domain.remediation import Remediation, advance
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack, ImperativePhase, ImperativeTrack, Track
from kubernaut.gitops import byhand
from kubernaut.ports import Change

from .entries import entry, track_entry
from .gitops import by_hand
from .outside import Outside
from .ownership import ownership_of
from .planning import Planned, decide_plan, plan_for, policy_input


@dataclass(frozen=True, slots=True)
class _Fix:
    """The permanent side of a decision.

    Args:
        obstacle: why there is no proposal; `by_hand` is what a person needs instead.
        request: what policy was asked.
    """

    proposal: ChangeProposal | None = None
    decision: Decision | None = None
    obstacle: str = ""
    by_hand: dict[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the tracks that would be opened, and what policy was asked about it."""

    action: str
    track: Track
    request: Mapping[str, Any]


async def decide(out: Outside, remediation: Remediation, snapshot: Snapshot, finding: Finding) -> Change:
    """Open the tracks that policy allows; refuse or escalate when there is none."""
    now = out.clock.now()
    managed = finding.immediate is not None and await _managed(out, snapshot, finding)
    mitigation = await _mitigation(out, remediation, finding, managed)
    fix = await _fix(out, remediation, snapshot, finding)
    decision = mitigation.decision if isinstance(mitigation, Planned) else fix.decision
    remediation = replace(remediation, decision=decision)
    obstacles: dict[str, dict[str, Any]] = {fix.obstacle: fix.by_hand} if fix.obstacle else {}
    if isinstance(mitigation, str) and mitigation:
        obstacles[mitigation] = {}
    tracks: list[Track] = []
    allowed: list[JournalDraft] = []
    for side in _sides(remediation, mitigation, fix, now):
        word = _word(out, side.track.decision, side.request)
        if side.track.decision.deny:
            obstacles[f"policy denies {side.action}: {side.track.decision.reason}"] = word
        else:
            tracks.append(side.track)
            told = f"{side.action}: {side.track.decision.reason}"
            allowed.append(track_entry(now, side.track, "policy", told, **word))
    journal = [entry(now, remediation, "policy", obstacle, **word) for obstacle, word in obstacles.items()] + allowed
    if tracks:
        decided = advance(remediation, AssessmentEvent.DECIDE, now, wake_at=None, reason="; ".join(obstacles))
        return Change(decided, tuple(tracks), journal=tuple(journal))
    refused = decision is not None and decision.deny
    event = AssessmentEvent.DENY if refused else AssessmentEvent.ESCALATE
    reason = "; ".join(obstacles) or "nothing can be done automatically"
    journal.append(entry(now, remediation, "escalation", f"{'refused' if refused else 'escalated'}: {reason}"))
    return Change(advance(remediation, event, now, wake_at=None, reason=reason), journal=tuple(journal))


def _sides(remediation: Remediation, mitigation: Planned | str, fix: _Fix, now: datetime) -> Iterator[_Side]:
    """What would be done now, and in Git."""
    id_ = remediation.id
    if isinstance(mitigation, Planned):
        planning = ImperativePhase.PLANNING
        track = ImperativeTrack(f"{id_}-k8s", id_, planning, mitigation.decision, mitigation.plan, now, now, now)
        yield _Side(mitigation.action.name, track, mitigation.request)
    if fix.proposal and fix.decision:
        proposing = GitOpsPhase.PROPOSING
        mended = GitOpsTrack(f"{id_}-git", id_, proposing, fix.decision, fix.proposal, now, now, now)
        yield _Side(fix.proposal.action, mended, fix.request)


def _word(out: Outside, decision: Decision, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the journal keeps of a decision, so that it can be explained later: what was asked, of which policies, and their
    word. Labels come from the cluster, so what looks like a secret in them is left out."""
    target = dict(request.get("target") or {})
    target["labels"] = redact_labels(target.get("labels") or {})
    return {
        "rule": decision.rule,
        "revision": out.policy.revision,
        "request": {**request, "target": target},
        "decision": decision.to_document(),
    }


async def _mitigation(out: Outside, remediation: Remediation, finding: Finding, managed: bool) -> Planned | str:
    """The plan with its decision, or why there is none (empty when none was proposed)."""
    if finding.immediate is None:
        return ""
    try:
        plan = await plan_for(out, finding.immediate)
        return await decide_plan(out, remediation, finding, plan, managed, at_once=False)
    except (NotFound, Permanent) as error:
        return f"{finding.immediate.action} can't be planned: {error}"


async def _managed(out: Outside, snapshot: Snapshot, finding: Finding) -> bool:
    target = finding.immediate.target if finding.immediate else finding.target
    return await ownership_of(out, snapshot, target) is not None


async def _fix(out: Outside, remediation: Remediation, snapshot: Snapshot, finding: Finding) -> _Fix:
    """The proposal with its decision, or why there is none."""
    proposed = finding.permanent
    if proposed is None:
        return _Fix()
    ownership = await ownership_of(out, snapshot, proposed.target)
    wanted = f"{proposed.action} of {proposed.target.short}"
    if ownership is None:
        told = byhand.told(f"{wanted} needs a person: no GitOps controller owns the object", proposed)
        return _Fix(obstacle=told, by_hand={"patch": byhand.patch_text(proposed)})
    if obstacle := _unreachable(out, ownership):
        unmade = ChangeProposal(ownership, proposed.target, proposed.action, dict(proposed.parameters))
        told = byhand.told(f"{wanted} needs a person: {obstacle}", proposed)
        return _Fix(obstacle=told, by_hand=by_hand(remediation, unmade, proposed))
    document = await policy_input(
        out, remediation, finding, action=proposed.action, risk="medium", kind="declarative", reversible=True,
        target=proposed.target, managed=True, labels={}, radius=BlastRadius(workloads=1), track="gitops",
    )  # fmt: skip
    proposal = ChangeProposal(
        ownership, proposed.target, proposed.action, dict(proposed.parameters), urgent=finding.urgent
    )
    return _Fix(proposal, await out.policy.decide(document), request=document)


def _unreachable(out: Outside, ownership: Ownership) -> str:
    if not ownership.changeable:
        return ownership.obstacle
    if not out.forge.serves(ownership.repo_url):
        return f"no forge is configured for {ownership.repo_url} (forge.repositories)"
    return ""

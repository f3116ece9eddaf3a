"""Domain values as the API's JSON, exactly as docs/api.md tells. Fields are only ever added."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from kubernaut.actions.catalogue import IMPERATIVE
from kubernaut.domain.analysis import Analysis, Evidence
from kubernaut.domain.approvals import Approval, Principal, may_vote
from kubernaut.domain.journal import JournalEntry
from kubernaut.domain.plans import Step, StepRun
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import FileChange, PullRequest, PullRequestState
from kubernaut.domain.remediation import Remediation, needs_you
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.reviews import Quorum, approved_by, obstacle, why_not_count
from kubernaut.domain.story import story
from kubernaut.domain.tracks import GitOpsTrack, ImperativeTrack, Track
from kubernaut.gitops.text import remediation_of
from kubernaut.ports import ClusterHealth

Document = dict[str, Any]


def when(moment: datetime | None) -> str | None:
    """RFC 3339, UTC, milliseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reference(ref: ResourceRef) -> Document:
    """An object's name."""
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def remediation(item: Remediation, *, whole: bool, timeline: Sequence[JournalEntry] = ()) -> Document:
    """A remediation: a row of the list, or all of it."""
    signal = item.signal
    pattern = item.pattern
    annotations = signal.annotations
    document: Document = {
        "id": item.id,
        "phase": item.phase,
        "assessment": item.assessment,
        "pattern": pattern.value if pattern else None,
        "cluster": item.cluster,
        "environment": item.environment,
        "severity": signal.severity,
        "priority": item.priority,
        "needs_you": needs_you(item),
        "story": story(item),
        "reason": item.reason,
        "created": when(item.created_at),
        "ended": when(item.ended_at),
        "updated": when(_updated(item)),
        "version": item.version,
        "superseded_by": item.superseded_by,
        "signal": {
            "name": signal.name,
            "source": signal.source,
            "count": signal.count,
            "first_seen": when(signal.first_seen),
            "last_seen": when(signal.last_seen),
            "resolved_at": when(signal.resolved_at),
            "labels": signal.labels,
            "summary": annotations.get("summary") or annotations.get("description", ""),
        },
        "target": reference(item.target),
        "analysis": analysis(item.analysis, whole=whole),
        "decision": decision(item.decision),
        "tracks": [track(t, whole=whole) for t in item.tracks],
    }
    if whole:
        document["timeline"] = [entry(e) for e in timeline]
    return document


def _updated(item: Remediation) -> datetime:
    moments = [item.created_at, item.signal.last_seen, item.ended_at]
    moments += [moment for t in item.tracks for moment in (t.since, t.ended_at)]
    return max(moment for moment in moments if moment)


def analysis(item: Analysis | None, *, whole: bool) -> Document | None:
    """The analysis; None before there is one."""
    if item is None:
        return None
    best = item.best
    document: Document = {
        "cause": best.cause if best else "",
        "failure_class": best.failure_class if best else "",
        "confidence": round(best.confidence, 3) if best else 0.0,
        "root_cause_target": reference(best.target) if best else None,
        "analyst": item.analyst,
        "duration_ms": round(item.duration_ms, 1),
    }
    if whole:
        document["evidence"] = [evidence(e) for e in best.evidence] if best else []
        document["alternatives"] = list(best.alternatives) if best else []
        document["seen"] = list(item.seen)
    return document


def evidence(item: Evidence) -> Document:
    """One observed fact."""
    return {"object": item.object, "field": item.field, "value": item.value, "time": when(item.time)}


def decision(item: Decision | None) -> Document | None:
    """Policy's word."""
    return None if item is None else dict(item.to_document())


def track(item: Track, *, whole: bool) -> Document:
    """A track."""
    document: Document = {
        "kind": item.kind,
        "id": item.id,
        "phase": item.phase,
        "reason": item.reason,
        "approval_id": item.approval_id if isinstance(item, ImperativeTrack) else "",
        "started": when(item.started_at),
        "ended": when(item.ended_at),
        "since": when(item.since),
        "due": when(item.due_at),
        "steady_since": when(item.steady_since),
        "effectiveness": item.effectiveness,
    }
    if isinstance(item, GitOpsTrack):
        document["proposal"] = _proposal(item, whole=whole)
        return document
    document["mutated"] = when(item.mutated_at)
    document["plan"] = {
        "hash": item.plan.hash if whole else "",
        "steps": [_step(step, item.run_of(step.id), whole=whole) for step in item.plan.steps],
    }
    return document


def _step(step: Step, run: StepRun, *, whole: bool) -> Document:
    document: Document = {"id": step.id, "action": step.action, "target": reference(step.target), "phase": run.phase}
    if whole:
        document |= {
            "parameters": step.parameters,
            "outcome": run.outcome,
            "captured": run.captured,
            "progress": run.progress,
            "rollback": IMPERATIVE[step.action].rollback(step) if step.action in IMPERATIVE else "",
            "ended": when(run.ended_at),
        }
    return document


def _proposal(item: GitOpsTrack, *, whole: bool) -> Document:
    proposal = item.proposal
    pull = proposal.pull_request
    document: Document = {
        "action": proposal.action,
        "target": reference(proposal.target),
        "parameters": proposal.parameters,
        "title": proposal.title,
        "branch": proposal.branch,
        "urgent": proposal.urgent,
        "pull_request": {"number": pull.number, "repository": pull.repository, "state": pull.state, "url": pull.url}
        if pull
        else None,
    }
    if whole:
        ownership = proposal.ownership
        document["ownership"] = {
            "controller": ownership.controller,
            "application": ownership.application.name,
            "repo_url": ownership.repo_url,
            "revision": ownership.revision,
            "path": ownership.path,
            "caution": ownership.obstacle,
        }
        document["files"] = [{"path": f.path, "line": f.line} for f in proposal.files]
        document["pull_request"] = pull_request(pull) if pull else None
    return document


def file_change(item: FileChange) -> Document:
    """One file before and after."""
    return {"path": item.path, "before": item.before, "after": item.after, "line": item.line}


def pull_request(item: PullRequest, quorum: Quorum | None = None, who: Principal | None = None) -> Document:
    """A pull request; with the quorum also what its merge needs, and with the caller what they may do."""
    document: Document = {
        "number": item.number,
        "repository": item.repository,
        "repo_url": item.repo_url,
        "branch": item.branch,
        "base": item.base,
        "state": item.state,
        "title": item.title,
        "body": item.body,
        "url": item.url,
        "head_commit": item.head_commit,
        "merge_commit": item.merge_commit,
        "author": item.author,
        "merged_by": item.merged_by,
        "labels": list(item.labels),
        "checks": item.checks,
        "check_runs": [
            {"name": c.name, "state": item.checks[c.name], "summary": c.summary, "commit": c.commit}
            for c in item.check_runs
        ],
        "approvals": list(item.approvals),
        "reviews": [
            {
                "reviewer": r.reviewer,
                "verdict": r.verdict,
                "commit": r.commit,
                "time": when(r.at),
                "reason": r.reason,
                "current": r.commit == item.head_commit,
            }
            for r in item.reviews
        ],
        "comments": list(item.comments),
        "created": when(item.created_at),
        "updated": when(item.updated_at),
        "remediation_id": remediation_of(item.branch),
        "required_role": quorum.role if quorum else "",
    }
    if quorum is not None:
        document["quorum"] = {
            "needed": quorum.needed,
            "role": quorum.role,
            "groups": list(quorum.groups),
            "four_eyes": quorum.four_eyes,
            "approved_by": list(approved_by(quorum, item)),
        }
    if quorum is not None and who is not None:
        why_not, why_no_review = obstacle(quorum, item, who), why_not_count(quorum, item, who)
        if item.state is not PullRequestState.OPEN:
            why_not = why_no_review = f"it is {item.state} already"
        document |= {
            "may_merge": not why_not,
            "why_not": why_not,
            "may_review": not why_no_review,
            "why_no_review": why_no_review,
        }
    return document


def approval(item: Approval, who: Principal) -> Document:
    """An approval, and whether the caller may vote."""
    why_not = may_vote(item, who)
    return {
        "id": item.id,
        "remediation_id": item.remediation_id,
        "phase": item.phase,
        "plan_hash": item.plan_hash,
        "action": item.action,
        "target": reference(item.target),
        "cluster": item.target.cluster,
        "environment": item.environment,
        "because": item.because,
        "blast_radius": item.blast_radius,
        "dry_run": list(item.dry_run),
        "rollback": item.rollback,
        "rule": item.rule,
        "reason": item.reason,
        "requested": when(item.requested_at),
        "expires": when(item.expires_at),
        "min_approvers": item.min_approvers,
        "groups": list(item.groups),
        "role": item.role,
        "four_eyes": item.four_eyes,
        "requester": item.requester,
        "may_vote": not why_not,
        "why_not": why_not,
        "votes": [
            {"principal": v.principal, "verdict": v.verdict, "time": when(v.at), "reason": v.reason} for v in item.votes
        ],
        "confirm": item.confirm,
    }


def entry(item: JournalEntry) -> Document:
    """A journal entry."""
    return {
        "seq": item.seq,
        "time": when(item.at),
        "kind": item.kind,
        "actor": item.actor,
        "remediation_id": item.remediation_id,
        "track": item.track,
        "message": item.message,
        "data": item.data,
        "hash": item.hash,
    }


def cluster(item: ClusterHealth, environment: str = "") -> Document:
    """A cluster's state."""
    return {
        "name": item.name,
        "state": item.state,
        "watch_age_s": round(item.watch_age_s, 1),
        "reason": item.reason,
        "server_version": item.server_version,
        "environment": environment,
    }

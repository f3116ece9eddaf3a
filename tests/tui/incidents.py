"""Incidents as the daemon holds them: domain values from which store, API and console are fed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kubernaut.domain.analysis import Analysis, Evidence, Finding
from kubernaut.domain.approvals import Approval, Principal, Role
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.journal import GENESIS, JournalDraft, JournalEntry, chain
from kubernaut.domain.plans import Plan, Step, StepPhase, StepRun
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import ChangeProposal, FileChange, Ownership, PullRequest, PullRequestState
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary, fingerprint
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack, ImperativePhase, ImperativeTrack
from kubernaut.domain.values import Severity

START = datetime(2026, 3, 1, 3, 9, 58, tzinfo=UTC)
NOW = START + timedelta(minutes=2)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
ANA = Principal("ana", ("sre",), Role.SENIOR)
URL = "https://git.shop.example/platform/fleet.git"

BEFORE = "".join(
    f"{text}\n"
    for text in (
        "apiVersion: apps/v1", "kind: Deployment", "metadata:", "  name: checkout", "  namespace: shop", "spec:",
        "  template:", "    spec:", "      containers:", "        - name: app", "          resources:",
        "            requests:", "              memory: 96Mi", "            limits:",
        "              memory: 128Mi   # was 256Mi, see FIN-212", "          ports:", "            - containerPort: 8080",
    )
)  # fmt: skip
AFTER = BEFORE.replace("128Mi", "256Mi")


def _seconds(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def decision(reason: str, rule: str, *, ask: bool) -> Decision:
    closed = Decision.fail_closed(reason)
    if ask:
        return replace(closed, rule=rule, approver_groups=("sre",))
    return replace(closed, rule=rule, auto_approve=True, require_approval=False, min_approvers=0)


def _summary(name: str, severity: Severity, count: int = 1) -> SignalSummary:
    return SignalSummary(name, SignalSource.ALERTMANAGER, severity, "o-1", START, START, count)


def out_of_memory(
    id_: str = "rr-4f2abc", name: str = "checkout", phase: GitOpsPhase = GitOpsPhase.AWAITING_MERGE
) -> Remediation:
    """Pattern B: restarted and verifying, its pull request waits."""
    target = ResourceRef("prod-eu", "Deployment", name, "shop")
    evidence = (
        Evidence(f"pod/{name}-7d9f-x2x4", "status.containerStatuses[app].lastState.terminated.reason", "OOMKilled"),
        Evidence(f"pod/{name}-7d9f-q8v7", "status.containerStatuses[app].lastState.terminated.reason", "OOMKilled"),
        Evidence("commit/9c1d2e", "limits.memory", "lowered from 256Mi to 128Mi, 11 min ago"),
    )
    cause = "Container app ran out of its 128Mi memory 6 times in 9 min."
    finding = Finding(target, "OOMKilled", cause, 0.96, evidence)
    ran_alone = decision("Low risk: it runs alone.", "low_risk", ask=False)
    steps = (Step("restart", "restart-deployment", target, expected={"uid": "u1"}),)
    applied = StepRun("restart", StepPhase.APPLIED, outcome=f"restarted shop/{name}", ended_at=_seconds(4))
    mitigation = ImperativeTrack(
        f"{id_}-i", id_, ImperativePhase.VERIFYING, ran_alone, Plan(steps), _seconds(3), _seconds(4), FAR,
        steps=(applied,), reason="3/3 ready", steady_since=NOW - timedelta(seconds=40), mutated_at=_seconds(4),
    )  # fmt: skip
    return Remediation(
        id_, fingerprint(target, "CrashLoop"), target, _summary("KubePodCrashLooping", Severity.CRITICAL, 4), START,
        "CrashLoop", AssessmentPhase.DECIDED, environment="production", analysis=Analysis((finding,), duration_ms=38.0),
        decision=ran_alone, imperative=mitigation, gitops=_fix(id_, target, phase), version=3,
    )  # fmt: skip


def _fix(id_: str, target: ResourceRef, phase: GitOpsPhase) -> GitOpsTrack:
    branch = f"kubernaut/{id_}"
    title = f"Set memory limit of shop/{target.name} (app) from 128Mi to 256Mi"
    address = f"https://git.shop.example/platform/fleet/pulls/81?branch={branch}"
    pull = PullRequest(
        81, "fleet", URL, branch, "main", PullRequestState.OPEN, title, "", address, "0f" * 20, _seconds(6), _seconds(6)
    )
    application = ResourceRef("prod-eu", "Application", "shop", "argocd")
    proposal = ChangeProposal(
        Ownership("argocd", application, URL, "main", "prod"), target, "update-resources",
        {"container": "app", "field": "limits.memory", "from": "128Mi", "to": "256Mi"},
        (FileChange("prod/checkout.yaml", BEFORE, AFTER, 15),), title, "", branch, pull_request=pull,
    )  # fmt: skip
    asks = decision("Git owns this production object: a senior reviews.", "git_owned", ask=True)
    return GitOpsTrack(f"{id_}-g", id_, phase, asks, proposal, _seconds(3), _seconds(6), FAR)


def failing_disk(id_: str = "rr-09c1de", node: str = "n5") -> tuple[Remediation, Approval]:
    """Pattern D: a drain that a person has to decide on."""
    target = ResourceRef("prod-eu", "Node", node)
    cause = f"Node {node}: 3 disk errors in 5 min, Ready flapped 4 times."
    finding = Finding(target, "NodeHardware", cause, 0.91, (Evidence(f"node/{node}", "event IOError", "3 times"),))
    asks = decision("Medium risk in production: a person decides.", "medium_risk_in_production", ask=True)
    plan = Plan((Step("drain", "drain-node", target, expected={"uid": "u5"}),))
    track = ImperativeTrack(
        f"{id_}-i", id_, ImperativePhase.AWAITING_APPROVAL, asks, plan, _seconds(1), _seconds(2), FAR,
        approval_id="ap-09c1de", reason="waits for a vote",
    )  # fmt: skip
    approval = Approval(
        id="ap-09c1de", remediation_id=id_, track_id=track.id, plan_hash=plan.hash, action="drain-node", target=target,
        environment="production", because=cause, blast_radius={"nodes": 1, "pods": 15, "workloads": 9},
        dry_run=("15 evictions accepted by the API server, 0 refused",),
        rollback=f"uncordon {node} (pods stay where they went)", rule=asks.rule, reason=asks.reason, requested_at=_seconds(2),
        expires_at=NOW + timedelta(minutes=12, seconds=41), groups=("sre",), confirm=node,
    )  # fmt: skip
    remediation = Remediation(
        id_, fingerprint(target, "NodeHardware"), target, _summary("KubeNodeNotReady", Severity.HIGH), START,
        "NodeHardware", AssessmentPhase.DECIDED, environment="production", analysis=Analysis((finding,)), decision=asks,
        imperative=track, version=2,
    )  # fmt: skip
    return remediation, approval


def nothing_found(id_: str = "rr-77e1fa", name: str = "gateway") -> Remediation:
    """Handed over with what was looked at; what the cluster said tries to steer the terminal."""
    target = ResourceRef("prod-eu", "Deployment", name, "edge")
    seen = ("3 pods run", "no event in 10 min", "log ends with \x1b[2Jcleared\u202e")
    return Remediation(
        id_, fingerprint(target, "PodsNotReady"), target, _summary("KubeDeploymentReplicasMismatch", Severity.WARNING),
        START, "PodsNotReady", AssessmentPhase.ESCALATED, environment="production", analysis=Analysis((), seen),
        reason="no rule explains it", ended_at=_seconds(3), version=2,
    )  # fmt: skip


def steady(id_: str = "rr-3b0dca", name: str = "ledger") -> Remediation:
    """Pattern A at its end, in staging."""
    item = out_of_memory(id_, name)
    assert item.imperative is not None
    done = replace(
        item.imperative, phase=ImperativePhase.COMPLETED, wake_at=None, ended_at=_seconds(60), effectiveness=1.0
    )
    return replace(item, environment="staging", gitops=None, imperative=done, ended_at=_seconds(60))


def timeline(id_: str = "rr-4f2abc") -> tuple[JournalEntry, ...]:
    """What happened to the first incident."""
    said = (
        (0.0, "signal", "KubePodCrashLooping on shop/deployment/checkout", "kubernaut", ""),
        (
            3.0,
            "analysis",
            "Container app ran out of its 128Mi memory 6 times in 9 min. Confidence 0.96",
            "kubernaut",
            "",
        ),
        (3.5, "intent", "about to restart-deployment shop/checkout", "kubernaut", "imperative"),
        (4.0, "mutation", "restarted shop/checkout", "kubernaut", "imperative"),
        (6.0, "pull-request", "opened pull request #81 in fleet", "kubernaut", "gitops"),
        (60.0, "note", "looking at FIN-212 meanwhile", "ana", ""),
    )
    out: list[JournalEntry] = []
    for at, kind, message, actor, track in said:
        draft = JournalDraft(_seconds(at), kind, message, actor, id_, track)
        out.append(chain(draft, len(out) + 1, out[-1].hash if out else GENESIS))
    return tuple(out)

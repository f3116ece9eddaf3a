"""Values that the store's tests are made of; every function makes a fresh one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kubernaut.domain.approvals import Approval
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.plans import Plan, Step, StepRun
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import ChangeProposal, FileChange, Ownership
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus, SignalSummary, fingerprint
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack, ImperativePhase, ImperativeTrack
from kubernaut.domain.values import Severity
from kubernaut.ports import Change, Intake

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


class HeldClock:
    """A clock that stands still until it is moved."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def move(self, seconds: float) -> datetime:
        self.moment += timedelta(seconds=seconds)
        return self.moment


def owner(name: str = "checkout", cluster: str = "prod") -> ResourceRef:
    return ResourceRef(cluster, "Deployment", name, "shop")


def intake(
    name: str = "checkout",
    *,
    at: datetime = START,
    began_at: datetime | None = None,
    status: SignalStatus = SignalStatus.FIRING,
    severity: Severity = Severity.WARNING,
    occurrence: str = "occurrence-1",
    failure_class: str = "CrashLoop",
    source: SignalSource = SignalSource.ALERTMANAGER,
    candidate: str = "",
    window_s: float = 300.0,
) -> Intake:
    ref = owner(name)
    pod = ResourceRef("prod", "Pod", f"{name}-7d9f-x2x4", "shop")
    labels = {"alertname": "KubePodCrashLooping"}
    signal = Signal(
        "KubePodCrashLooping",
        source,
        "prod",
        status,
        severity,
        pod,
        failure_class,
        occurrence,
        began_at or at,
        labels=labels,
    )
    key = fingerprint(ref, failure_class)
    return Intake(signal, ref, key, candidate or f"rr-{key[:6]}", at, window_s)


def remediation(id_: str = "rr-aaaaaa", name: str = "checkout", *, at: datetime = START) -> Remediation:
    summary = SignalSummary("KubePodCrashLooping", SignalSource.ALERTMANAGER, Severity.WARNING, "occurrence-1", at, at)
    return Remediation(id_, fingerprint(owner(name), "CrashLoop"), owner(name), summary, at, wake_at=at)


def decided(item: Remediation) -> Remediation:
    return replace(item, assessment=AssessmentPhase.DECIDED, wake_at=None)


def plan(name: str = "checkout") -> Plan:
    return Plan((Step("restart", "restart-deployment", owner(name), expected={"uid": "u1"}),))


def imperative(id_: str = "rr-aaaaaa", *, at: datetime = START, steps: tuple[StepRun, ...] = ()) -> ImperativeTrack:
    decision = Decision.fail_closed("a person decides")
    phase = ImperativePhase.PLANNING
    return ImperativeTrack(f"{id_}-i", id_, phase, decision, plan(), at, at, wake_at=at, steps=steps)


def gitops(id_: str = "rr-aaaaaa", *, at: datetime = START) -> GitOpsTrack:
    application = ResourceRef("prod", "Application", "shop", "argocd")
    proposal = ChangeProposal(
        Ownership("argocd", application, "https://git.example/shop.git", "main", "apps/checkout"),
        owner(),
        "update-resources",
        {"container": "app", "from": "64Mi", "to": "128Mi"},
        (FileChange("apps/checkout/deployment.yaml", "memory: 64Mi\n", "memory: 128Mi\n", 1),),
    )
    decision = Decision.fail_closed("a person decides")
    return GitOpsTrack(f"{id_}-g", id_, GitOpsPhase.PROPOSING, decision, proposal, at, at, wake_at=at)


def approval(id_: str = "ap-1", remediation_id: str = "rr-aaaaaa", *, expires_in_s: float = 900) -> Approval:
    return Approval(
        id=id_,
        remediation_id=remediation_id,
        track_id=f"{remediation_id}-i",
        plan_hash=plan().hash,
        action="restart-deployment",
        target=owner(),
        environment="production",
        because="the pods are stale",
        blast_radius={"pods": 3},
        dry_run=("accepted",),
        rollback="none",
        rule="ask",
        reason="production",
        requested_at=START,
        expires_at=START + timedelta(seconds=expires_in_s),
    )


def note(message: str = "noted", remediation_id: str = "rr-aaaaaa", *, at: datetime = START) -> JournalDraft:
    return JournalDraft(at, "note", message, remediation_id=remediation_id)


def opened(id_: str = "rr-aaaaaa", name: str = "checkout", *, at: datetime = START) -> Change:
    return Change(remediation(id_, name, at=at), journal=(note("opened", id_, at=at),))

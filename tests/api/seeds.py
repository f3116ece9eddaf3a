"""Remediations and approvals as they stand when a person is asked, put into the real store."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from gateway.house import CLUSTER, House, now

from kubernaut.domain.approvals import Approval
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.plans import Plan, Step
from kubernaut.domain.policy import Decision
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary, fingerprint
from kubernaut.domain.tracks import ImperativePhase, ImperativeTrack
from kubernaut.domain.values import Severity
from kubernaut.ports import Change


def target(name: str = "checkout", cluster: str = CLUSTER) -> ResourceRef:
    return ResourceRef(cluster, "Deployment", name, "shop")


async def waiting(
    home: House, id_: str = "rr-aaaaaa", name: str = "checkout", *, cluster: str = CLUSTER,
    environment: str = "production", **approval: Any,
) -> Approval:  # fmt: skip
    """A remediation whose imperative track asks for an approval."""
    at, ref = now(), target(name, cluster)
    summary = SignalSummary("KubePodCrashLooping", SignalSource.ALERTMANAGER, Severity.WARNING, f"o-{id_}", at, at)
    item = Remediation(
        id_, fingerprint(ref, "CrashLoop"), ref, summary, at, environment=environment,
        assessment=AssessmentPhase.DECIDED, wake_at=None,
    )  # fmt: skip
    plan = Plan((Step("restart", "restart-deployment", ref, expected={"uid": "u1"}),))
    asked = Approval(
        id=f"ap-{id_}", remediation_id=id_, track_id=f"{id_}-i", plan_hash=plan.hash, action="restart-deployment",
        target=ref, environment=environment, because="its pods are stale",
        blast_radius={"pods": 3, "percent_of_workload": 100, "nodes": 0, "workloads": 1}, dry_run=("accepted",),
        rollback="none", rule="production", reason="production asks", requested_at=at,
        expires_at=at + timedelta(seconds=900),
    )  # fmt: skip
    asked = replace(asked, **approval)
    track = ImperativeTrack(
        f"{id_}-i", id_, ImperativePhase.AWAITING_APPROVAL, Decision.fail_closed("a person decides"), plan, at, at,
        asked.expires_at + timedelta(minutes=5),
        approval_id=asked.id,
    )  # fmt: skip
    await home.running.store.commit(Change(item, journal=(JournalDraft(at, "signal", "opened", remediation_id=id_),)))
    await home.running.store.commit(Change(tracks=(track,), approvals=(asked,)))
    return asked


async def note(home: House, message: str, id_: str = "") -> None:
    await home.running.store.commit(Change(journal=(JournalDraft(now(), "note", message, "ana", id_),)))

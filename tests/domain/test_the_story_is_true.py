"""The story says what is so now, not what once was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.plans import Plan, Step
from kubernaut.domain.policy import Decision
from kubernaut.domain.proposals import ChangeProposal, Ownership
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary
from kubernaut.domain.story import story
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack, ImperativePhase, ImperativeTrack
from kubernaut.domain.values import Severity

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
RESTARTED = START + timedelta(minutes=2)
LATER = RESTARTED + timedelta(minutes=1)
OWNER = ResourceRef("prod", "Deployment", "checkout", "shop")
DECISION = Decision.fail_closed("a person decides")


def restarted(last_seen: datetime, resolved_at: datetime | None = None, fix: GitOpsPhase | None = None) -> Remediation:
    """A mitigation that came to a good end at RESTARTED, and the phase of its fix."""
    signal = SignalSummary("CrashLoopBackOff", SignalSource.KUBERNETES, Severity.CRITICAL, "o", START, last_seen)
    plan = Plan((Step("restart", "restart-deployment", OWNER),))
    track = ImperativeTrack(
        "t-i", "rr-aaaaaa", ImperativePhase.COMPLETED, DECISION, plan, START, RESTARTED, None, ended_at=RESTARTED
    )
    item = Remediation(
        "rr-aaaaaa", "f" * 16, OWNER, replace(signal, resolved_at=resolved_at), START,
        assessment=AssessmentPhase.DECIDED, imperative=track,
    )  # fmt: skip
    if fix is None:
        return replace(item, ended_at=RESTARTED)
    application = ResourceRef("prod", "Application", "shop", "argocd")
    proposal = ChangeProposal(Ownership("argocd", application, "r", "main", "apps"), OWNER, "update-resources", {})
    return replace(item, gitops=GitOpsTrack("t-g", "rr-aaaaaa", fix, DECISION, proposal, START, START, START))


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (restarted(START, fix=GitOpsPhase.AWAITING_MERGE), "restarted and steady"),
        (restarted(LATER, fix=GitOpsPhase.AWAITING_MERGE), "restarted, still fires"),
        (restarted(LATER, LATER, fix=GitOpsPhase.AWAITING_MERGE), "restarted and steady"),
        (restarted(LATER), "restarted and steady"),  # it has ended: what fires from now on has a story of its own
        (restarted(LATER, fix=GitOpsPhase.COMPLETED), "restarted and steady"),
    ],
)
def test_a_mitigation_that_bought_time_only_is_not_called_steady(item: Remediation, told: str) -> None:
    assert story(item).split("; ")[1].split(", PR")[0].split(", fixed")[0] == told


def test_what_both_tracks_wait_for_is_told_once() -> None:
    item = restarted(START, fix=GitOpsPhase.SYNCING)
    assert item.imperative is not None
    assert item.gitops is not None
    gone = "waits: prod does not answer"
    now = replace(item.imperative, phase=ImperativePhase.VERIFYING, ended_at=None, reason=gone)
    assert story(replace(item, imperative=now, gitops=replace(item.gitops, reason=gone))).count(gone) == 1

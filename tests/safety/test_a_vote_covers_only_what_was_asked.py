"""A vote is a word on one question; whatever is done otherwise, by others, later or elsewhere is asked anew."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.domain.approvals import ApprovalPhase, Principal, Role
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.errors import Conflict
from kubernaut.domain.policy import ApprovalType, Decision
from kubernaut.domain.proposals import ChangeProposal, Ownership, PullRequest, PullRequestState
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.reviews import obstacle
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack, ImperativePhase
from kubernaut.pipeline.control import ControlDesk
from kubernaut.pipeline.pulls import PullDesk
from kubernaut.ports import Change

from . import objects
from .conftest import ANA, N1, WEB, House

_I = ImperativePhase
BOB = Principal("bob", (), Role.APPROVER)


def _nodes(house: House) -> None:
    for name in ("n1", "n2"):
        house.cluster.put(objects.node(name))
    house.cluster.put(objects.namespace("shop", "development"))
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment(replicas=4))))
    for number in (1, 2, 3, 4):
        house.cluster.put(objects.pod(f"web-1-{number}", owner, node=f"n{number % 2 + 1}"))


async def _asked(house: House) -> None:
    _nodes(house)
    await house.open("drain-node", N1)
    assert (await house.until(_I.AWAITING_APPROVAL)).phase is _I.AWAITING_APPROVAL


async def test_a_stricter_rule_after_the_vote_asks_anew(house: House, tmp_path: Path) -> None:
    await _asked(house)
    await house.approve()
    strict = await RegoPolicyEngine.load(
        shipped_policies(), {"approvers": {"person": {"groups": ["approver"], "min_approvers": 2}}}
    )
    first = house.out.policy
    house.using(policy=strict)
    await house.turn()
    house.move(1)
    await house.turn()
    track = await house.track()
    assert track.phase is _I.AWAITING_APPROVAL
    assert (await house.approval()).min_approvers == 2
    assert house.cluster.writes == []
    house.using(policy=first)
    strict.close()


async def test_a_limit_that_is_exceeded_only_after_the_vote_asks_anew_and_is_shown(house: House) -> None:
    await _asked(house)
    await house.approve()
    house.using(freeze=True)
    await house.turn()
    house.move(1)
    await house.turn()
    assert (await house.track()).phase is _I.AWAITING_APPROVAL
    assert "A change freeze is in force." in (await house.approval()).reason
    assert house.cluster.writes == []


async def test_a_vote_does_not_last_for_hours(house: House) -> None:
    await _asked(house)
    await house.approve()
    house.move(6 * 3600)
    await house.turn()
    house.move(1)
    await house.turn()
    assert (await house.track()).phase is _I.AWAITING_APPROVAL
    assert house.cluster.writes == []


async def test_a_vote_is_carried_out(house: House) -> None:
    await _asked(house)
    await house.approve()
    await house.until(_I.VERIFYING)
    assert ("patch", "node/n1") in house.cluster.writes


async def test_a_node_is_judged_by_its_cluster_not_by_the_namespace_that_alerted(house: House) -> None:
    """A pod of a development namespace fails on a node that carries production, too."""
    _nodes(house)
    house.using(cluster_labels={"prod": {"environment": "production"}})
    await house.open("drain-node", N1, of=WEB, environment="development")
    track = await house.until(_I.EXECUTING, _I.AWAITING_APPROVAL)
    assert track.phase is _I.AWAITING_APPROVAL
    assert (await house.approval()).environment == "production"


async def test_a_cancelled_question_takes_no_votes(house: House) -> None:
    await _asked(house)
    asked = await house.approval()
    await ControlDesk(house.store, house.clock, lambda: None).cancel("rr-aaaaaa", ANA, "not now")
    await house.turn()
    after = await house.store.approval(asked.id)
    assert after is not None
    assert after.phase is ApprovalPhase.VOID
    with pytest.raises(Conflict):
        await house.approve()


async def test_changes_of_the_last_hour_count_however_old_their_remediation_is(house: House) -> None:
    house.cluster.put(objects.namespace())
    house.cluster.put(objects.deployment())
    for number in range(5):
        id_ = await house.open("restart-deployment", WEB, id_=f"rr-old{number}aa")
        track = await house.track(id_)
        changed = house.clock.now() + timedelta(hours=2, minutes=50)
        ended = replace(track, phase=_I.COMPLETED, wake_at=None, mutated_at=changed, ended_at=changed)
        await house.store.commit(Change(tracks=(ended,)))
    house.move(3 * 3600)
    await house.open("restart-deployment", WEB)
    await house.until(_I.EXECUTING, _I.AWAITING_APPROVAL)
    assert (await house.track()).phase is _I.AWAITING_APPROVAL
    assert (await house.approval()).rule == "change_budget"


async def test_the_daemons_own_gate_holds_whatever_a_policy_says(house: House) -> None:
    class Bold:
        """A policy that lets everything run alone."""

        revision = "bold"

        async def decide(self, document: Any) -> Decision:
            return Decision(ApprovalType.REGO_AUTO_APPROVED, True, False, False, "Fine.", "bold", 0, (), (), False)

        async def environment(self, namespace: str, namespace_labels: Any, cluster_labels: Any) -> str:
            return "production"

    house.cluster.put(objects.deployment())
    house.using(policy=Bold(), limits=replace(house.out.limits, act_alone_above=0.99))
    await house.open("restart-deployment", WEB)
    assert (await house.until(_I.EXECUTING, _I.AWAITING_APPROVAL)).phase is _I.AWAITING_APPROVAL
    house.using(limits=replace(house.out.limits, never_below=0.99))
    await house.open("restart-deployment", WEB, id_="rr-bbbbbb")
    assert (await house.until(_I.EXECUTING, _I.AWAITING_APPROVAL, id_="rr-bbbbbb")).phase is _I.REJECTED


@pytest.mark.parametrize(("who", "may"), [(BOB, False), (Principal("lea", ("sre-lead",), Role.APPROVER), True)])
async def test_who_merges_belongs_to_the_groups_that_policy_names(house: House, who: Principal, may: bool) -> None:
    house.cluster.put(objects.deployment())
    await house.open("restart-deployment", WEB)
    item = await house.get()
    ownership = Ownership("argocd", ResourceRef("prod", "Application", "web", "argocd"), "u", "main", "p")
    decision = Decision(
        ApprovalType.GIT_PR_REQUIRED, False, True, False, "r", "gitops_managed", 1, ("sre-lead",), (), False
    )
    proposal = ChangeProposal(ownership, WEB, "update-image", {})
    now = house.clock.now()
    track = GitOpsTrack("t", item.id, GitOpsPhase.AWAITING_MERGE, decision, proposal, now, now, now)
    item = replace(item, assessment=AssessmentPhase.DECIDED, gitops=track)
    quorum = PullDesk(house.store, house.out.forge, house.clock, lambda: None).quorum(item)
    open_ = PullRequestState.OPEN
    pull = PullRequest(1, "shop", "u", "kubernaut/rr-aaaaaa", "main", open_, "t", "b", "u", "h", now, now)
    assert ("sre-lead" in obstacle(quorum, pull, who)) is not may

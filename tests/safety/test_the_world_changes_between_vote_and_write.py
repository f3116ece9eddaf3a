"""A vote is about one plan in one world: what changed until the write is judged anew, and what is forbidden is not done."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from kubernaut.domain.approvals import ApprovalPhase, Principal, Role
from kubernaut.domain.policy import ApprovalType, Decision
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.tracks import ImperativePhase

from . import objects
from .conftest import N1, WEB, House

_I = ImperativePhase
SIA = Principal("sia", ("sre-lead",), Role.SENIOR)


class Denying:
    """Rules that were loaded a moment ago and allow nothing any more."""

    revision = "denying"

    async def decide(self, document: Mapping[str, Any]) -> Decision:
        return Decision(ApprovalType.DENIED, False, False, True, "Not now.", "hands_off", 0, (), (), False)

    async def environment(
        self, namespace: str, namespace_labels: Mapping[str, str], cluster_labels: Mapping[str, str]
    ) -> str:
        return "production"


def nodes(house: House) -> None:
    for name in ("n1", "n2"):
        house.cluster.put(objects.node(name))
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment(replicas=4))))
    for number in range(4):
        house.cluster.put(objects.pod(f"web-1-{number}", owner, node=f"n{number % 2 + 1}"))


async def approved(house: House) -> None:
    nodes(house)
    await house.open("drain-node", N1)
    await house.until(_I.AWAITING_APPROVAL)
    await house.approve()


async def test_policy_forbids_it_after_the_vote(house: House) -> None:
    await approved(house)
    house.using(policy=Denying())
    track = await house.until(_I.EXECUTING)
    assert (track.phase, (await house.get()).phase) == (_I.REJECTED, "Rejected")
    assert "Not now." in track.reason
    assert house.cluster.writes == []


async def test_policy_forbids_it_while_it_waits_for_its_turn(house: House) -> None:
    await approved(house)
    await house.until(_I.EXECUTING)
    house.out.turns.take(("prod", ""), "rr-others", house.clock.now())
    await house.turn()
    assert "waits" in (await house.track()).reason
    house.using(policy=Denying())
    house.move(60)
    track = await house.until(_I.VERIFYING)
    assert track.phase is _I.REJECTED
    assert house.cluster.writes == []


async def test_who_waited_for_its_turn_needs_no_second_vote(house: House) -> None:
    await approved(house)
    await house.until(_I.EXECUTING)
    house.out.turns.take(("prod", ""), "rr-others", house.clock.now())
    await house.turn()
    house.move(60)
    assert (await house.until(_I.VERIFYING, _I.AWAITING_APPROVAL)).phase is _I.VERIFYING


async def test_the_target_was_changed_after_the_vote(house: House) -> None:
    house.cluster.put(objects.namespace())
    house.cluster.put(objects.deployment())
    house.using(freeze=True)
    await house.open("restart-deployment", WEB)
    await house.until(_I.AWAITING_APPROVAL)
    first = await house.approval()
    await house.approve(SIA)
    edited = copy.deepcopy(house.cluster.objects["Deployment", "shop", "web"])
    edited["metadata"]["generation"] += 1
    house.cluster.put(edited)
    await house.turn()
    await house.until(_I.EXECUTING, _I.AWAITING_APPROVAL)
    second = await house.approval()
    assert (await house.track()).phase is _I.AWAITING_APPROVAL
    assert second.plan_hash != first.plan_hash
    assert second.phase is ApprovalPhase.PENDING
    assert house.cluster.writes == []


@pytest.mark.parametrize("namespace", ["kube-system", "argocd"])
async def test_a_protected_namespace_is_not_touched_whoever_asks(house: House, namespace: str) -> None:
    house.cluster.put(objects.namespace(namespace, "test"))
    house.cluster.put(objects.deployment("web", namespace))
    await house.open("restart-deployment", ResourceRef("prod", "Deployment", "web", namespace), environment="test")
    assert (await house.until(_I.EXECUTING)).phase is _I.REJECTED
    assert house.cluster.writes == []


@pytest.mark.parametrize("phase", [_I.PLANNING, _I.VALIDATING, _I.AWAITING_APPROVAL, _I.EXECUTING, _I.VERIFYING])
async def test_a_restart_of_the_daemon_in_any_phase_changes_nothing(house: House, phase: ImperativePhase) -> None:
    nodes(house)
    await house.open("drain-node", N1)
    for stop in (_I.PLANNING, _I.VALIDATING, _I.AWAITING_APPROVAL):
        await house.until(stop)
        if phase is stop:
            house.restart()
    await house.until(_I.AWAITING_APPROVAL)
    await house.approve()
    for stop in (_I.EXECUTING, _I.VERIFYING):
        await house.until(stop)
        if phase is stop:
            house.restart()
    assert (await house.until(_I.COMPLETED, most=200)).phase is _I.COMPLETED
    assert house.cluster.writes.count(("patch", "node/n1")) == 1

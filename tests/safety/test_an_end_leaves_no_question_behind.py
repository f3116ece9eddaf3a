"""Nobody is asked about a remediation that has ended, however it ended; and no vote comes in through the gap."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.domain.approvals import ApprovalPhase, Principal, Role, Verdict
from kubernaut.domain.errors import Conflict, NotFound, Refused
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.pipeline.control import ControlDesk
from kubernaut.pipeline.voting import VotingDesk

from . import objects
from .conftest import ANA, N1, House

_I = ImperativePhase


async def asked(house: House) -> None:
    """A drain that waits for a vote."""
    house.cluster.put(objects.node())
    house.cluster.put(objects.node("n2"))
    owner = house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment(replicas=4))))
    for number in range(4):
        house.cluster.put(objects.pod(f"web-1-{number}", owner, node=f"n{number % 2 + 1}"))
    await house.open("drain-node", N1)
    assert (await house.until(_I.AWAITING_APPROVAL)).phase is _I.AWAITING_APPROVAL


@pytest.mark.parametrize("error", [RuntimeError("a defect"), NotFound("gone"), Refused("no")])
async def test_an_error_while_people_are_asked(house: House, error: Exception) -> None:
    await asked(house)
    before = await house.approval()
    whole = house.store

    class Broken:
        """A store whose first answer about the question fails."""

        failed = False

        def __getattr__(self, name: str) -> Any:
            return getattr(whole, name)

        async def approval(self, id_: str) -> Any:
            if not self.failed:
                self.failed = True
                raise error
            return await whole.approval(id_)

    house.using(store=Broken())
    await house.turn()
    assert (await house.track()).phase is _I.FAILED
    after = await whole.approval(before.id)
    assert after is not None
    assert after.phase is ApprovalPhase.VOID
    house.using(store=whole)
    with pytest.raises(Conflict):
        await house.approve()


@pytest.mark.parametrize("word", ["cancel", "escalate"])
async def test_a_person_stops_it_while_people_are_asked(house: House, word: str) -> None:
    await asked(house)
    desk = ControlDesk(house.store, house.clock, lambda: None)
    await (desk.cancel if word == "cancel" else desk.escalate)("rr-aaaaaa", ANA, "known")
    await house.turn()
    assert (await house.approval()).phase is ApprovalPhase.VOID
    ended = await house.get()
    assert ended.phase == ("Cancelled" if word == "cancel" else "Escalated")
    assert house.cluster.writes == []


async def test_it_expires_while_the_daemon_is_down(house: House) -> None:
    await asked(house)
    house.move(5 * 3600)
    house.restart()
    await house.turn()
    assert (await house.approval()).phase is ApprovalPhase.EXPIRED
    assert (await house.get()).phase == "TimedOut"


async def test_a_vote_at_the_very_moment_of_expiry_is_too_late(house: House) -> None:
    await asked(house)
    house.clock.moment = (await house.approval()).expires_at
    with pytest.raises(Conflict, match="expired"):
        await house.approve()
    house.clock.moment -= timedelta(microseconds=1)
    await house.approve()
    house.clock.moment += timedelta(seconds=1)
    await house.until(_I.VERIFYING)
    assert ("patch", "node/n1") in house.cluster.writes, (
        "a vote in the last moment counts, however late it is looked at"
    )


async def test_a_member_of_two_groups_is_one_voter(house: House) -> None:
    await asked(house)
    both = Principal("ana", ("sre", "sre-lead", "approver"), Role.SENIOR)
    await house.approve(both)
    with pytest.raises(Conflict, match="already approved"):
        await house.approve(both)
    assert [vote.principal for vote in (await house.approval()).votes] == ["ana"]


async def test_the_cluster_was_taken_out_of_the_configuration_while_people_are_asked(house: House) -> None:
    await asked(house)
    await house.approve()
    house.using(clusters={})
    for _ in range(4):
        if not (await house.track()).ended:
            await house.turn()
    track = await house.track()
    assert track.phase is _I.FAILED
    assert "no cluster 'prod' is configured" in track.reason
    assert (await house.approval()).phase is not ApprovalPhase.PENDING


async def test_a_crowd_that_votes_at_once_is_counted(house: House) -> None:
    crowd = {"groups": ["approver"], "min_approvers": 20}
    senior = {"groups": ["senior"], "min_approvers": 1}
    policy = await RegoPolicyEngine.load(shipped_policies(), {"approvers": {"person": crowd, "senior": senior}})
    before = house.out.policy
    house.using(policy=policy)
    await asked(house)
    approval, desk = await house.approval(), VotingDesk(house.store, house.clock, lambda: None)
    people = [Principal(f"p{n}", (), Role.APPROVER) for n in range(20)]
    yes, plan = Verdict.APPROVE, approval.plan_hash
    await asyncio.gather(*(desk.vote(approval.id, who, yes, plan, "", approval.confirm) for who in people))
    approval = await house.approval()
    assert (approval.phase, len(approval.votes)) == (ApprovalPhase.APPROVED, 20)
    house.using(policy=before)
    policy.close()

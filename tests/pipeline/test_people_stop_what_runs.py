"""Cancel in each phase, and what happens to what was done already."""

from dataclasses import replace
from pathlib import Path

import pytest

from kubernaut.domain.errors import Conflict
from kubernaut.domain.proposals import PullRequestState
from kubernaut.domain.remediation import Remediation

from .house import ANA, BATCH_2, CHECKOUT, LIMITS, MEDIA_1, House, Sure, signal


async def unschedulable(house: House, node: str) -> bool:
    """Whether the node is cordoned."""
    return bool((await house.world.outside.api.get(f"/api/v1/nodes/{node}"))["spec"].get("unschedulable"))


async def test_while_it_is_looked_into(tmp_path: Path) -> None:
    async with House(tmp_path, analyst=Sure(0.1), limits=replace(LIMITS, patience_s=30)) as house:
        await house.broken(1)
        id_ = await house.take(CHECKOUT)
        await house.until(id_, lambda item: item.reason)
        item = await house.control.cancel(id_, ANA, "known")
        assert (item.phase, item.reason) == ("Cancelled", "cancelled by ana: known")
        with pytest.raises(Conflict, match="has ended already"):
            await house.control.cancel(id_, ANA, "again")


async def test_while_people_are_asked(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.broken(11)
        id_ = await house.take(MEDIA_1)
        approval = await house.asked(id_)
        await house.control.cancel(id_, ANA, "")
        assert (await house.ended(id_)).phase == "Cancelled"
        with pytest.raises(Conflict):
            await house.vote(approval)
        assert not await unschedulable(house, "media-1")


async def test_a_cordon_that_is_being_verified_is_taken_back(tmp_path: Path) -> None:
    async with House(tmp_path, limits=replace(LIMITS, stability_s=30, patience_s=30)) as house:
        await house.broken(3)
        id_ = await house.take(BATCH_2)
        await house.until(id_, verifying)
        assert await unschedulable(house, "batch-2")
        await house.control.cancel(id_, ANA, "")
        item = await house.ended(id_)
        assert item.imperative is not None
        assert (item.phase, item.imperative.phase) == ("Escalated", "RolledBack")
        assert not await unschedulable(house, "batch-2")


async def test_a_restart_stays_and_its_pull_request_is_closed(tmp_path: Path) -> None:
    async with House(tmp_path, limits=replace(LIMITS, stability_s=30)) as house:
        await house.broken(1)
        id_ = await house.take(CHECKOUT)
        await house.until(id_, lambda i: verifying(i) and i.gitops and i.gitops.phase == "AwaitingMerge")
        await house.control.cancel(id_, ANA, "")
        item = await house.ended(id_)
        assert item.imperative is not None
        assert item.gitops is not None
        assert (item.imperative.phase, item.gitops.phase) == ("Failed", "Cancelled")
        assert "what was done can't be undone" in item.imperative.reason
        (pull,) = await house.pulls.all()
        assert pull.state is PullRequestState.CLOSED


def verifying(item: Remediation) -> bool:
    """Whether the mitigation is done and watched."""
    return item.imperative is not None and item.imperative.phase == "Verifying"


async def test_somebody_else_takes_the_cordon_back(tmp_path: Path) -> None:
    async with House(tmp_path, limits=replace(LIMITS, stability_s=30, patience_s=30)) as house:
        await house.broken(3)
        id_ = await house.take(BATCH_2)
        await house.until(id_, verifying)
        await house.world.outside.api.patch("/api/v1/nodes/batch-2", {"spec": {"unschedulable": False}})
        item = await house.ended(id_)
        assert item.imperative is not None
        assert (item.phase, item.imperative.phase) == ("Escalated", "Failed")
        assert item.imperative.effectiveness == 0.0
        assert "somebody changed batch-2 back" in await house.said(id_)


async def test_an_alert_that_goes_away_takes_the_question_back(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.broken(11)
        id_ = await house.take(MEDIA_1)
        approval = await house.asked(id_)
        await house.take(signal("media-1", "Node", family="NodeNotReady", resolved=True))
        item = await house.ended(id_)
        assert item.phase == "Cancelled"
        assert item.signal.resolved_at is not None
        assert item.ended_at is not None
        assert (item.ended_at - item.signal.resolved_at).total_seconds() >= LIMITS.resolve_grace_s
        after = await house.store.approval(approval.id)
        assert after is not None
        assert after.phase == "Void"
        assert not await unschedulable(house, "media-1")

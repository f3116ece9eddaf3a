"""Votes of many people at once, and who may merge."""

import asyncio
from pathlib import Path

import pytest

from kubernaut.domain.approvals import Verdict
from kubernaut.domain.errors import Conflict, Refused

from .house import ANA, BEN, CHECKOUT, MEDIA_1, SIA, House

PEOPLE = {"groups": ["approver"], "min_approvers": 2}
TWO = {"approvers": {"person": PEOPLE, "senior": {"groups": ["senior"], "min_approvers": 1}}}


async def test_two_votes_at_once_both_count(tmp_path: Path) -> None:
    async with House(tmp_path, settings=TWO) as house:
        await house.broken(11)
        id_ = await house.take(MEDIA_1)
        approval = await house.asked(id_)
        assert approval.min_approvers == 2
        await asyncio.gather(house.vote(approval, ANA), house.vote(approval, BEN))
        after = await house.store.approval(approval.id)
        assert after is not None
        assert (after.phase, {vote.principal for vote in after.votes}) == ("Approved", {"ana", "ben"})
        await house.until(id_, lambda item: item.imperative.mutated_at)


async def test_one_person_twice_at_once_is_one_person(tmp_path: Path) -> None:
    async with House(tmp_path, settings=TWO) as house:
        await house.broken(11)
        approval = await house.asked(await house.take(MEDIA_1))
        answers = await asyncio.gather(*(house.vote(approval, ANA) for _ in range(4)), return_exceptions=True)
        assert sum(isinstance(answer, Refused | Conflict) for answer in answers) == 3
        after = await house.store.approval(approval.id)
        assert after is not None
        assert (after.phase, len(after.votes)) == ("Pending", 1)


async def test_a_yes_and_a_no_at_once(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.broken(11)
        id_ = await house.take(MEDIA_1)
        approval = await house.asked(id_)
        votes = (house.vote(approval, ANA), house.vote(approval, BEN, Verdict.REJECT))
        answers = await asyncio.gather(*votes, return_exceptions=True)
        assert sum(isinstance(answer, Conflict) for answer in answers) == 1
        after = await house.store.approval(approval.id)
        assert after is not None
        assert (after.phase, len(after.votes)) in (("Approved", 1), ("Rejected", 1))


async def test_only_a_senior_merges_in_production(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.broken(1)
        id_ = await house.take(CHECKOUT)
        await house.until(id_, lambda item: item.gitops and item.gitops.phase == "AwaitingMerge")
        (pull,) = await house.pulls.all()
        with pytest.raises(Refused, match="needs the role senior"):
            await house.pulls.merge(pull.repository, pull.number, ANA, pull.head_commit, "")
        with pytest.raises(Conflict, match="changed since you looked"):
            await house.pulls.merge(pull.repository, pull.number, SIA, "0" * 40, "")
        await house.pulls.merge(pull.repository, pull.number, SIA, pull.head_commit, "")
        item = await house.ended(id_)
        assert item.phase == "Completed"

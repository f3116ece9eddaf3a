"""Budgets and limits that policy keeps: disruption budgets, drains a pool, changes an hour, and the runner's own bound."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from kubernaut.sim.faults import FailingDisk

from .house import CHECKOUT, LIMITS, MEDIA_1, SIA, House, signal

MEDIA_2 = signal("media-2", "Node", family="NodeNotReady")
BUDGET = "/apis/policy/v1/namespaces/media/poddisruptionbudgets/transcoder"
APPLICATION = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/transcoder"


async def test_a_drain_waits_for_the_budget_and_goes_on(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.broken(11)
        api = house.world.outside.api
        await api.delete(APPLICATION)  # else Argo CD puts the budget back
        await api.patch(BUDGET, {"spec": {"minAvailable": 4}})
        id_ = await house.take(MEDIA_1)
        await house.vote(await house.asked(id_))
        item = await house.until(id_, lambda item: "waiting for" in item.imperative.reason)
        assert item.phase == "Executing"
        assert item.imperative is not None
        assert "disruption budget" in item.imperative.reason
        await api.patch(BUDGET, {"spec": {"minAvailable": 1}})
        assert (await house.ended(id_)).phase == "Completed"


@pytest.mark.parametrize("together", [True, False])
async def test_two_drains_of_one_pool_follow_each_other(tmp_path: Path, together: bool) -> None:
    async with House(tmp_path) as house:
        scenario = await house.broken(11)
        house.world.outside.board.inject(FailingDisk("media-2"))
        house.world.outside.kubelets.nudge()
        await house.world.until(scenario, lambda view: len([n for n in view.nodes if _lost(n)]) == 2, "lost two")
        ids = [await house.take(MEDIA_1)]
        if together:
            ids.append(await house.take(MEDIA_2))
            for approval in [await house.asked(id_) for id_ in ids]:
                await house.vote(approval)
        else:
            await house.vote(await house.asked(ids[0]))
            await house.until(ids[0], lambda item: item.imperative.mutated_at)
            ids.append(await house.take(MEDIA_2))
            await house.vote(await house.asked(ids[1]))
        both = [await house.ended(id_) for id_ in ids]
        assert [item.phase for item in both] == ["Completed", "Completed"]
        spans = [(i.imperative.mutated_at, i.imperative.ended_at) for i in both if i.imperative]
        (_, first_end), (second_begin, _) = sorted(spans, key=lambda span: str(span[0]))
        assert first_end is not None
        assert second_begin is not None
        assert first_end <= second_begin, "the second must not begin before the first is verified"


def _lost(node: dict[str, object]) -> bool:
    status = node["status"]
    assert isinstance(status, dict)
    ready = next(c["status"] for c in status["conditions"] if c["type"] == "Ready")
    return str(node["metadata"]["name"]).startswith("media") and ready != "True"  # type: ignore[index]


async def test_the_second_change_in_an_hour_is_asked_for(tmp_path: Path) -> None:
    limits = replace(LIMITS, dedup_window_s=0.0)
    async with House(tmp_path, limits=limits, settings={"changes_per_owner_per_hour": 1}) as house:
        scenario = await house.broken(1)
        first = await house.take(CHECKOUT)
        await house.until(first, lambda item: item.imperative and item.imperative.ended)
        (pull,) = await house.pulls.all()
        await house.pulls.close(pull.repository, pull.number, SIA, "later")
        assert (await house.ended(first)).imperative.phase == "Completed"  # type: ignore[union-attr]
        await house.world.until(scenario, scenario.shows, "broke again")
        second = await house.take(replace(CHECKOUT, occurrence="again"))
        assert second != first
        approval = await house.asked(second)
        assert approval.rule == "change_budget"


async def test_the_runner_keeps_to_its_bound_and_leaves_nobody_out(tmp_path: Path) -> None:
    async with House(tmp_path, running=False, max_concurrent=4) as house:
        ids = [await house.take(signal(f"gone-{n}", namespace="shop")) for n in range(40)]
        most = 0
        house.start()
        while not all(item.ended for item in await house.all()):
            most = max(most, house.runner.in_flight)
            await asyncio.sleep(0)
        assert 1 <= most <= 4
        assert {(await house.look(id_)).phase for id_ in ids} == {"Escalated"}

"""Sure enough acts, likely asks, a guess is handed over with what was seen."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from e2e.incident import restarts

from kubernaut.domain.approvals import Role
from kubernaut.domain.facts import Snapshot
from kubernaut.ports import Cluster

from .house import CHECKOUT, LIMITS, House, Sure, signal


async def _asked_of_policy(house: House, id_: str) -> list[dict[str, Any]]:
    """What the journal keeps of it, of the imperative track first."""
    entries = [e for e in await house.store.journal(0, 1000, id_) if e.kind == "policy" and "request" in e.data]
    return [dict(e.data) for e in entries if e.data["request"]["track"] == "imperative"]


async def test_above_the_gate_it_runs_alone(tmp_path: Path) -> None:
    async with House(tmp_path, analyst=Sure(0.95)) as house:
        await house.broken(1)
        id_ = await house.take(CHECKOUT)
        item = await house.until(id_, lambda item: item.imperative and item.imperative.mutated_at)
        assert item.imperative is not None
        assert item.imperative.decision.auto_approve
        assert item.imperative.approval_id == ""
        [asked] = await _asked_of_policy(house, id_)
        assert asked["decision"]["auto_approve"]
        assert asked["request"]["action"]["name"] == "restart-deployment"


async def test_what_policy_denies_is_kept_with_what_was_asked(tmp_path: Path) -> None:
    async with House(tmp_path, analyst=Sure(0.95), settings={"protected_namespaces": ["shop"]}) as house:
        await house.broken(1)
        id_ = await house.take(CHECKOUT)
        item = await house.until(id_, lambda item: item.decision)
        assert item.imperative is None
        [asked] = await _asked_of_policy(house, id_)
        assert (asked["rule"], asked["decision"]["deny"]) == ("protected_namespace", True)
        assert asked["request"]["target"]["namespace"] == "shop"


async def test_inside_the_gate_a_person_decides(tmp_path: Path) -> None:
    async with House(tmp_path, analyst=Sure(0.8)) as house:
        await house.broken(1)
        approval = await house.asked(await house.take(CHECKOUT))
        assert (approval.rule, approval.role) == ("confidence_needs_person", Role.APPROVER)


async def test_below_the_gate_it_is_handed_over_with_what_was_seen(tmp_path: Path) -> None:
    async with House(tmp_path, analyst=Sure(0.5)) as house:
        await house.broken(1)
        item = await house.ended(await house.take(CHECKOUT))
        assert (item.phase, item.tracks) == ("Escalated", ())
        assert item.analysis is not None
        assert item.analysis.best is not None
        assert "too uncertain to act on: confidence 0.50" in item.reason


async def test_nothing_found_is_looked_at_for_a_while_and_then_told(tmp_path: Path) -> None:
    async with House(tmp_path, limits=replace(LIMITS, patience_s=2.0)) as house:
        id_ = await house.take(signal("transcoder", namespace="nowhere"))
        assert "does not exist" in (await house.ended(id_)).reason
        id_ = await house.take(signal("worker-1", "Node", family="NodeClockSkewDetected"))
        item = await house.ended(id_)
        assert item.phase == "Escalated"
        assert item.ended_at is not None
        assert (item.ended_at - item.created_at).total_seconds() >= 2.0
        assert "no known cause was found" in item.reason
        last = (await house.store.journal(0, 1000, id_))[-2]
        assert last.data["seen"], "the person gets what was looked at"
        assert (await house.said(id_)).count("looking again") == 1


class Broken:
    """An analyst with a bug."""

    name = "broken"

    def __init__(self) -> None:
        self.asked = 0

    async def analyse(self, snapshot: Snapshot) -> tuple[tuple[()], tuple[()]]:
        self.asked += 1
        raise RuntimeError("a bug")


async def test_a_bug_in_a_stage_ends_with_a_person_and_not_in_a_loop(tmp_path: Path) -> None:
    analyst = Broken()
    async with House(tmp_path, analyst=analyst) as house:
        await house.broken(1)
        item = await house.ended(await house.take(CHECKOUT))
        assert item.phase == "Escalated"
        assert item.reason.startswith("internal error: RuntimeError")
    assert analyst.asked == 1


class Spoilt:
    """A cluster whose writes have a bug."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.patches = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def patch(self, *_: Any, **__: Any) -> None:
        self.patches += 1
        raise RuntimeError("a bug")


async def test_a_bug_in_a_track_ends_that_track_and_not_the_other(tmp_path: Path) -> None:
    spoilt: list[Spoilt] = []

    def spoil(cluster: Cluster) -> Any:
        spoilt.append(Spoilt(cluster))
        return spoilt[0]

    async with House(tmp_path, seen_as=spoil) as house:
        scenario = await house.broken(1)
        id_ = await house.take(CHECKOUT)
        item = await house.until(
            id_, lambda item: item.gitops and item.gitops.phase == "AwaitingMerge" and item.imperative.ended
        )
        assert item.imperative is not None
        assert item.imperative.phase == "Failed"
        assert item.imperative.reason.startswith("internal error: RuntimeError")
        assert await restarts(house.world, scenario) == []
    assert spoilt[0].patches == 1

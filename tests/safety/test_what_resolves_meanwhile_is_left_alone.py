"""An alert that resolves while it is looked into is not acted on, however the look and the signal interleave (R-SIG-7)."""

import asyncio
from datetime import timedelta

from kubernaut.domain.analysis import ActionProposal, Finding
from kubernaut.domain.facts import Snapshot
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus, fingerprint
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.domain.values import Severity
from kubernaut.ports import Intake

from . import objects
from .conftest import N1, WEB, House

_I = ImperativePhase


class Meanwhile:
    """An analyst that finds something to restart; while it looks, the alert resolves."""

    name = "meanwhile"

    def __init__(self, house: House, id_: str) -> None:
        self._house, self._id = house, id_

    async def analyse(self, snapshot: Snapshot) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        await self._house.resolve(self._id)
        finding = Finding(WEB, "PodsNotReady", "It is odd.", 0.95, immediate=ActionProposal("restart-deployment", WEB))
        return (finding,), ()


async def test_the_alert_resolves_while_its_cause_is_looked_for(house: House) -> None:
    house.cluster.put(objects.namespace())
    house.cluster.put(objects.deployment())
    now = house.clock.now()
    alert = Signal(
        "Odd", SignalSource.ALERTMANAGER, "prod", SignalStatus.FIRING, Severity.CRITICAL, WEB, "PodsNotReady", "o", now
    )
    (taken,) = await house.store.take([Intake(alert, WEB, fingerprint(WEB, "PodsNotReady"), "rr-aaaaaa", now, 300.0)])
    house.using(analyst=Meanwhile(house, taken.remediation_id))
    async with asyncio.TaskGroup() as group, asyncio.timeout(60):
        group.create_task(house.runner.run())
        async for entry in house.store.follow(0):
            if entry.kind == "mutation" or "→ Cancelled" in entry.message:
                break
        house.runner.stop()
    item = await house.get(taken.remediation_id)
    assert house.cluster.writes == []
    assert item.phase == "Cancelled"


async def test_a_question_whose_alert_resolved_while_it_was_put_is_taken_back(house: House) -> None:
    house.cluster.put(objects.node())
    house.cluster.put(objects.node("n2"))
    house.cluster.put(objects.pod("a", house.cluster.put(objects.replica_set(house.cluster.put(objects.deployment())))))
    await house.open("drain-node", N1)
    await house.until(_I.VALIDATING)
    asking = house.cluster.allowed
    resolved = house.clock.now()

    async def meanwhile(*words: str, **more: str) -> str:
        if (await house.get()).signal.resolved_at is None:
            await house.resolve()
        return await asking(*words, **more)

    house.cluster.allowed = meanwhile  # type: ignore[method-assign]
    await house.turn()
    assert (await house.track()).phase is _I.AWAITING_APPROVAL
    assert [due.part for due in await house.store.due(house.clock.now(), 10)] == ["imperative"], "it is looked at again"
    await house.until(_I.CANCELLED)
    item = await house.get()
    assert item.phase == "Cancelled"
    assert item.ended_at is not None
    assert item.ended_at - resolved <= timedelta(seconds=house.out.limits.resolve_grace_s + 1)

"""Of many failures at one moment the first are acted on while the last are still looked into; the most urgent come first."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from kubernaut.domain.analysis import ActionProposal, Finding
from kubernaut.domain.facts import Snapshot
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.domain.values import Severity
from kubernaut.pipeline.intake import IntakeDesk
from kubernaut.pipeline.runner import Runner
from kubernaut.ports import Query

from . import objects
from .conftest import WEB, House

_I = ImperativePhase


class Analyst:
    """Finds that whatever it is asked about wants a restart."""

    name = "rules"

    def __init__(self, held: Callable[[], Awaitable[object]]) -> None:
        self._held = held

    async def analyse(self, snapshot: Snapshot) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        await self._held()
        restart = ActionProposal("restart-deployment", snapshot.target)
        return (Finding(snapshot.target, "CrashLoop", "It is odd.", 0.95, immediate=restart),), ()


async def at_once() -> None:
    return None


async def storm(house: House, count: int, urgent: int = -1, usual: Severity = Severity.WARNING) -> None:
    """So many Deployments fail at one moment; one of them may be more urgent than the others."""
    house.cluster.put(objects.namespace())
    signals = []
    for number in range(count):
        house.cluster.put(objects.deployment(f"web-{number:02}"))
        target = ResourceRef("prod", "Deployment", f"web-{number:02}", "shop")
        severity = Severity.CRITICAL if number == urgent else usual
        signals.append(
            Signal(
                "Odd", SignalSource.ALERTMANAGER, "prod", SignalStatus.FIRING, severity, target, "CrashLoop",
                f"o-{number}", house.clock.now(),
            )
        )  # fmt: skip
    desk = IntakeDesk(house.store, {"prod": house.cluster}, house.clock, 300.0, lambda: None)
    for signal in signals:
        await desk.take([signal])
        house.move(0.001)  # each a little later than the one before


@asynccontextmanager
async def working(house: House, slots: int) -> AsyncIterator[Runner]:
    runner = Runner(house.out, slots)
    task = asyncio.get_running_loop().create_task(runner.run())
    yield runner
    runner.stop()
    await task


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - a state of the store
            await asyncio.sleep(0.01)


async def test_the_first_are_acted_on_before_the_last_are_looked_into(house: House) -> None:
    house.using(analyst=Analyst(at_once))
    await storm(house, 24)
    async with working(house, 8):
        await until(lambda: _written(house, 24))
    order = [
        (e.kind, e.remediation_id) for e in await house.store.journal(0, 10_000) if e.kind in ("analysis", "mutation")
    ]
    mutated = [id_ for kind, id_ in order if kind == "mutation"]
    analysed = [id_ for kind, id_ in order if kind == "analysis"]
    assert order.index(("mutation", mutated[0])) < order.index(("analysis", analysed[8]))
    assert order.index(("mutation", mutated[11])) < order.index(("analysis", analysed[-1]))


async def test_the_most_urgent_of_all_is_acted_on_first(house: House) -> None:
    house.using(analyst=Analyst(at_once))
    await storm(house, 12, urgent=11)
    async with working(house, 1):
        await until(lambda: _written(house, 12))
    assert house.cluster.writes[0] == ("patch", "shop/deployment/web-11")


async def test_whoever_waits_for_a_slow_analysis_keeps_no_place_from_others(house: House) -> None:
    """Two of eight slots take new assessments; that these two hang holds up nobody for long."""
    gate, begun = asyncio.Event(), 0

    async def held() -> None:
        nonlocal begun
        begun += 1
        if begun <= 4:
            await gate.wait()

    house.using(analyst=Analyst(held))
    await storm(house, 12)
    async with working(house, 8):
        await until(lambda: _written(house, 8))
        gate.set()
        await until(lambda: _written(house, 12))


@pytest.mark.parametrize(("late_s", "waits"), [(1.0, True), (4.0, False)])
async def test_a_look_at_what_was_done_waits_for_those_who_were_not_acted_on_but_not_long(
    house: House, late_s: float, waits: bool
) -> None:
    house.cluster.put(objects.namespace())
    house.cluster.put(objects.deployment())
    await house.open("restart-deployment", WEB)
    track = await house.until(_I.VERIFYING)
    assert track.wake_at is not None
    seen: list[bool] = []

    async def note() -> None:
        seen.append((await house.track()).version > track.version)

    house.using(analyst=Analyst(note))
    house.clock.moment = track.wake_at + timedelta(seconds=late_s)
    await storm(house, 6, usual=Severity.INFO)
    async with working(house, 1):
        await until(lambda: _written(house, 7))
        await until(lambda: _looked(house, track.version))
    assert seen == [not waits] * 6


async def _looked(house: House, version: int) -> bool:
    return (await house.track()).version > version


async def _written(house: House, count: int) -> bool:
    page = await house.store.list(Query(limit=500))
    return sum(bool(r.imperative and r.imperative.mutated_at) for r in page.items) >= count

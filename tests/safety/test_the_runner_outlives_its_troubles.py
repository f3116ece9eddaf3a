"""Nothing that the store or the clock does ends the runner, or makes it forget what it had to wake."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kubernaut.domain.errors import Temporary
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.ports import Due, Store

from . import objects
from .conftest import N1, WEB, House

_I = ImperativePhase


class Moody:
    """A store some of whose questions are not answered.

    Args:
        fails: how many of the next questions of a name are not answered.
    """

    def __init__(self, store: Store, **fails: int) -> None:
        self._store = store
        self.fails = Counter(fails)

    def __getattr__(self, name: str) -> Any:
        asked: Callable[..., Awaitable[Any]] = getattr(self._store, name)

        async def answer(*words: Any, **more: Any) -> Any:
            if self.fails[name] > 0:
                self.fails[name] -= 1
                raise Temporary("the store can't be read (disk I/O error)", 0.0)
            return await asked(*words, **more)

        return answer


async def _within(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(6000):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true within a minute")


async def test_a_store_that_can_not_tell_what_is_next_is_asked_again(house: House) -> None:
    house.cluster.put(objects.node())
    house.using(store=Moody(house.store, next_wake=3))
    async with asyncio.TaskGroup() as group:
        group.create_task(house.runner.run())
        await house.open("cordon-node", N1)
        house.runner.nudge()

        async def gone_on() -> bool:
            return (await house.track()).phase is not _I.PLANNING and house.out.store.fails.total() == 0  # type: ignore[attr-defined]

        await _within(gone_on)
        house.runner.stop()


@pytest.mark.parametrize("failures", [1, 5_000])
async def test_a_row_that_could_not_be_persisted_for_a_day_still_only_rests(house: House, failures: int) -> None:
    house.cluster.put(objects.node())
    id_ = await house.open("cordon-node", N1)
    house.using(store=Moody(house.store, remediation=1))
    key = (id_, "imperative")
    house.runner._failures[key] = failures
    work = asyncio.ensure_future(house.runner._work(Due(id_, "imperative", house.clock.now())))
    try:

        async def failed() -> bool:
            return house.runner._failures[key] > failures

        await _within(failed)
        done, _ = await asyncio.wait({work}, timeout=0.05)
        assert not done, work.exception()
    finally:
        work.cancel()


async def test_whom_a_clock_that_was_put_back_left_asleep_is_woken_however_often_the_store_fails(house: House) -> None:
    house.cluster.put(objects.node())
    await house.open("cordon-node", N1)
    await house.until(_I.VERIFYING)
    house.using(store=Moody(house.store, remediation=1))
    await house.runner._due(10)
    house.move(-3600)
    with pytest.raises(Temporary):
        await house.runner._due(10)
    assert [due.part for due in await house.runner._due(10)] == ["imperative"]


async def test_a_clock_that_was_put_back_while_the_daemon_was_down_is_noticed(house: House) -> None:
    house.cluster.put(objects.node())
    await house.open("cordon-node", N1)
    await house.until(_I.VERIFYING)
    house.move(-3600)
    house.restart()
    assert [due.part for due in await house.runner._due(10)] == ["imperative"]


async def test_what_is_damaged_is_passed_over_when_sleepers_are_woken(house: House, tmp_path: Path) -> None:
    house.cluster.put(objects.node())
    house.cluster.put(objects.deployment())
    damaged = await house.open("cordon-node", N1)
    await house.open("restart-deployment", WEB, id_="rr-bbbbbb")
    await house.runner._due(10)
    later = house.clock.now() + timedelta(seconds=30)
    file = sqlite3.connect(tmp_path / "kubernaut.db", isolation_level=None, timeout=10)
    file.execute(
        "UPDATE track SET wake_at = ?", ((later - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),)
    )
    file.execute("UPDATE document SET doc = ? WHERE remediation_id = ?", (b"{", damaged))
    file.close()
    house.move(-3600)
    assert [due.remediation_id for due in await house.runner._due(10)] == ["rr-bbbbbb"]

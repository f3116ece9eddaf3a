"""What object state says is told once, so none of it may get lost on the way to the store, however long that fails."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from kubernaut.domain.errors import BadInput, Temporary
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import Signal, SignalSource, SignalStatus
from kubernaut.domain.values import Severity
from kubernaut.pipeline.watched import WatchedSignals
from kubernaut.ports import Taken


def crash(name: str, occurrence: str = "1") -> Signal:
    return Signal(
        "CrashLoopBackOff", SignalSource.KUBERNETES, "prod", SignalStatus.FIRING, Severity.HIGH,
        ResourceRef("prod", "Pod", name, "shop"), "CrashLoop", occurrence, datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip


class Intake:
    """Takes what it is given, unless the store is told to fail.

    Args:
        poison: the name of a pod whose signal nobody can store.
    """

    def __init__(self, poison: str = "") -> None:
        self.taken: list[Signal] = []
        self.failures = 0
        self._poison = poison

    async def take(self, signals: Sequence[Signal]) -> Sequence[Taken]:
        if self.failures:
            self.failures -= 1
            raise Temporary("the store can't write", 0.0)
        if any(signal.target and signal.target.name == self._poison for signal in signals):
            raise BadInput("can't be stored")
        self.taken += signals
        return [Taken("rr-aaaaaa", "attached")] * len(signals)


async def pumped(signals: WatchedSignals, intake: Intake, expected: int) -> Counter[str]:
    """What was counted by the time that so many were taken."""
    counted: Counter[str] = Counter()

    def count(source: str, outcomes: Mapping[str, int]) -> None:
        counted.update(outcomes)

    pump = asyncio.ensure_future(signals.pump(cast(Any, intake), count))
    try:
        for _ in range(6000):
            if len(intake.taken) >= expected:
                break
            await asyncio.sleep(0.01)
    finally:
        pump.cancel()
    assert len(intake.taken) == expected
    return counted


async def test_a_storm_larger_than_any_queue_is_taken_whole() -> None:
    signals, intake = WatchedSignals([], again_s=0.01), Intake()
    intake.failures = 3
    for number in range(12_000):
        signals.put(crash(f"web-{number}"))
    assert (await pumped(signals, intake, 12_000))["attached"] == 12_000
    assert len({signal.target for signal in intake.taken}) == 12_000


async def test_of_one_trouble_the_latest_occurrence_waits() -> None:
    """A store that fails for hours must not fill the memory with the crashes of one loop."""
    signals, intake = WatchedSignals([], again_s=0.01), Intake()
    for number in range(1_000):
        signals.put(crash("web-1", str(number)))
    signals.put(replace(crash("web-1"), name="OOMKilled"))
    await pumped(signals, intake, 2)
    assert [(signal.name, signal.occurrence) for signal in intake.taken] == [
        ("CrashLoopBackOff", "999"),
        ("OOMKilled", "1"),
    ]


async def test_what_can_not_be_stored_at_all_does_not_hold_up_the_others() -> None:
    signals, intake = WatchedSignals([], again_s=0.01), Intake(poison="web-1")
    for number in range(5):
        signals.put(crash(f"web-{number}"))
    await pumped(signals, intake, 4)

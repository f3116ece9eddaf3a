"""Due rows come by priority, then by time; the next wake is the earliest of all."""

from dataclasses import replace
from datetime import timedelta

from kubernaut.domain.values import Priority
from kubernaut.ports import Change, Store

from .values import START, decided, gitops, imperative, remediation


def later(seconds: float):  # type: ignore[no-untyped-def]
    return START + timedelta(seconds=seconds)


async def test_nothing_waits_in_an_empty_store(store: Store) -> None:
    assert await store.next_wake() is None
    assert not await store.due(START, 10)


async def test_by_priority_then_by_time(store: Store) -> None:
    wanted = [("P2", 1), ("P0", 9), ("P1", 3), ("P0", 2), ("P3", 0), ("P1", 1)]
    for n, (priority, seconds) in enumerate(wanted):
        item = replace(remediation(f"rr-{n}", f"w{n}"), priority=Priority(priority), wake_at=later(seconds))
        await store.commit(Change(item))
    due = await store.due(later(10), 10)
    assert [d.remediation_id for d in due] == ["rr-3", "rr-1", "rr-5", "rr-2", "rr-0", "rr-4"]
    assert [d.remediation_id for d in await store.due(later(10), 3)] == ["rr-3", "rr-1", "rr-5"]
    assert [d.remediation_id for d in await store.due(later(1), 10)] == ["rr-5", "rr-0", "rr-4"]
    assert await store.next_wake() == later(0)


async def test_each_part_wakes_by_itself_and_an_end_never(store: Store) -> None:
    tracks = (replace(imperative(), wake_at=later(5)), replace(gitops(), wake_at=later(3)))
    change = await store.commit(Change(decided(remediation()), tracks))
    assert [(d.part, d.wake_at) for d in await store.due(later(9), 9)] == [
        ("gitops", later(3)),
        ("imperative", later(5)),
    ]
    await store.commit(Change(tracks=tuple(replace(track, wake_at=None) for track in change.tracks)))
    assert not await store.due(later(9), 9)
    assert await store.next_wake() is None


async def test_a_raised_priority_carries_its_tracks_along(store: Store) -> None:
    first = replace(decided(remediation("rr-a", "a")), priority=Priority.P3)
    change = await store.commit(Change(first, (imperative("rr-a"),)))
    await store.commit(Change(replace(decided(remediation("rr-b", "b")), priority=Priority.P1), (imperative("rr-b"),)))
    assert [d.remediation_id for d in await store.due(START, 9)] == ["rr-b", "rr-a"]
    assert change.remediation is not None
    await store.commit(Change(replace(change.remediation, priority=Priority.P0)))
    assert [d.remediation_id for d in await store.due(START, 9)] == ["rr-a", "rr-b"]

"""Due rows come by priority, what can act first, then by time; the next wake is the earliest of all."""

from dataclasses import replace
from datetime import timedelta

from kubernaut.domain.tracks import ImperativePhase
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


async def test_what_can_act_goes_before_what_is_to_be_assessed(store: Store) -> None:
    for n in range(3):
        await store.commit(Change(replace(remediation(f"rr-{n}", f"w{n}"), wake_at=later(n))))
    acting = replace(imperative("rr-act"), wake_at=later(5))
    await store.commit(Change(decided(remediation("rr-act", "act")), (acting,)))
    assert [d.remediation_id for d in await store.due(later(9), 9)] == ["rr-act", "rr-0", "rr-1", "rr-2"]
    assert [d.remediation_id for d in await store.due(later(9), 1)] == ["rr-act"]
    urgent = replace(remediation("rr-urgent", "urgent"), priority=Priority.P0, wake_at=later(6))
    await store.commit(Change(urgent))
    assert (await store.due(later(9), 1))[0].remediation_id == "rr-urgent"


async def test_a_look_at_what_was_done_stands_behind_three_seconds_of_assessments(store: Store) -> None:
    look = replace(imperative("rr-look"), phase=ImperativePhase.VERIFYING, wake_at=later(1))
    await store.commit(Change(decided(remediation("rr-look", "look")), (look,)))
    for seconds in (0, 2, 3.9, 4.1, 7):
        item = remediation(f"rr-{seconds}", f"w{seconds}", at=later(seconds))
        await store.commit(Change(item))
    due = await store.due(later(9), 9)
    assert [d.remediation_id for d in due] == ["rr-0", "rr-2", "rr-3.9", "rr-look", "rr-4.1", "rr-7"]
    assert [(d.look, d.wake_at) for d in due if d.look] == [(True, later(1))]
    assert await store.next_wake() == later(0)


async def test_a_raised_priority_carries_its_tracks_along(store: Store) -> None:
    first = replace(decided(remediation("rr-a", "a")), priority=Priority.P3)
    change = await store.commit(Change(first, (imperative("rr-a"),)))
    await store.commit(Change(replace(decided(remediation("rr-b", "b")), priority=Priority.P1), (imperative("rr-b"),)))
    assert [d.remediation_id for d in await store.due(START, 9)] == ["rr-b", "rr-a"]
    assert change.remediation is not None
    await store.commit(Change(replace(change.remediation, priority=Priority.P0)))
    assert [d.remediation_id for d in await store.due(START, 9)] == ["rr-a", "rr-b"]

"""Entries count from one without gaps, each is bound to the one before it, and a follower sees each exactly once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from kubernaut.adapters.store import SqliteStore
from kubernaut.domain.errors import Conflict
from kubernaut.domain.journal import JournalEntry, first_broken
from kubernaut.ports import Change, Store

from .values import START, note, opened, remediation


async def noise(store: Store, name: str, count: int) -> None:
    """Entries from one of many writers; every fourth transition is refused."""
    for n in range(count):
        change = Change(journal=(note(f"{name} {n}", name), note(f"{name} {n}, too", name)))
        if n % 4 == 3:
            change = replace(change, remediation=replace(remediation(), version=99))
            try:
                await store.commit(change)
            except Conflict:
                continue
            raise AssertionError("the stale version was taken")
        await store.commit(change)


async def collect(entries: AsyncIterator[JournalEntry], count: int) -> list[JournalEntry]:
    found: list[JournalEntry] = []
    async for entry in entries:
        found.append(entry)
        if len(found) == count:
            break
    return found


async def test_many_writers_and_refusals_leave_no_gap(store: Store) -> None:
    await store.commit(opened())
    await asyncio.gather(*(noise(store, f"writer-{n}", 20) for n in range(20)))
    entries = await store.journal(0, 10_000)
    assert [entry.seq for entry in entries] == list(range(1, 602))
    assert first_broken(entries) is None
    assert await store.last_seq() == 601
    for n in range(20):
        own = [entry.message for entry in entries if entry.remediation_id == f"writer-{n}"]
        assert own == [f"writer-{n} {m}{end}" for m in range(20) if m % 4 != 3 for end in ("", ", too")]


async def test_what_is_read_back_has_the_hash_that_was_written(store: Store) -> None:
    berlin = timezone(timedelta(hours=1))
    odd = {"a": (1, 2), "when": START, "none": None, "deep": {"z": 1.5, "ä": "é\u2028"}, "big": 10**30}
    odd |= {"numbers": [1e16, 1e-7, 2.0, -0.0, 2**64, -(2**63)], "keys": {2: "b", 10: "a"}}
    await store.commit(Change(journal=(replace(note(), data=odd, at=datetime(2026, 3, 1, 4, 0, 0, 7, tzinfo=berlin)),)))
    await store.commit(Change(journal=(replace(note(), data={}, message="→ 'quotes' \x00 and\nlines"),)))
    entries = await store.journal(0, 10)
    assert first_broken(entries) is None
    assert entries[0].at == datetime(2026, 3, 1, 3, 0, 0, 7, tzinfo=UTC)
    assert entries[0].data["a"] == [1, 2]


async def test_pages_and_one_remediation(store: Store) -> None:
    await store.commit(Change(journal=tuple(note(str(n), f"rr-{n % 2}") for n in range(10))))
    assert [entry.seq for entry in await store.journal(3, 4)] == [4, 5, 6, 7]
    assert [entry.seq for entry in await store.journal(3, 3, "rr-1")] == [4, 6, 8]


async def test_followers_see_each_entry_once_whenever_they_join(store: SqliteStore) -> None:
    await store.commit(opened())
    total = 1 + 10 * 15 * 2
    writers = asyncio.gather(*(noise(store, f"writer-{n}", 20) for n in range(10)))
    followers = [asyncio.create_task(collect(store.follow(0), total))]
    await collect(store.follow(0), total // 2)
    joined = await store.last_seq()
    followers.append(asyncio.create_task(collect(store.follow(joined), total - joined)))
    followers.append(asyncio.create_task(collect(store.follow(7), total - 7)))
    await writers
    for start, follower in zip((0, joined, 7), followers, strict=True):
        async with asyncio.timeout(30):
            entries = await follower
        assert [entry.seq for entry in entries] == list(range(start + 1, total + 1))


async def test_a_follower_hears_of_what_comes_later_and_ends_with_the_store(store: SqliteStore) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def listen() -> None:
        async for entry in store.follow(0):
            heard.put_nowait(entry.message)

    listener = asyncio.create_task(listen())
    for message in ("one", "two"):
        await store.commit(Change(journal=(note(message),)))
        async with asyncio.timeout(10):
            assert await heard.get() == message
    await store.close()
    async with asyncio.timeout(10):
        await listener


async def test_an_honest_journal_is_verified_page_by_page(store: SqliteStore) -> None:
    assert await store.verify_journal() is None
    await store.commit(Change(journal=tuple(note(str(n)) for n in range(5000))))
    assert await store.verify_journal() is None

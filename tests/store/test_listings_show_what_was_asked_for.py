"""Words, flags and pages of a listing; what needs a person is on top."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kubernaut.domain.analysis import Analysis, Finding
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.signals import SignalSummary
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.domain.values import Severity
from kubernaut.ports import Change, Query, Store

from .values import START, decided, imperative, owner, remediation


@pytest.fixture
async def world(store: Store) -> Store:
    """Six remediations, the newest last."""
    cause = Finding(owner("cart"), "OOMKilled", "the memory limit is too small", 0.95)
    items = {
        "rr-done": replace(remediation("rr-done", "done"), assessment=AssessmentPhase.SKIPPED, wake_at=None),
        "rr-fault": replace(remediation("rr-fault", "fault"), assessment=AssessmentPhase.ESCALATED, wake_at=None),
        "rr-loud": remediation("rr-loud", "payment"),
        "rr-old": replace(remediation("rr-old", "cart"), analysis=Analysis((cause,))),
        "rr-new": replace(remediation("rr-new", "cart-db"), target=owner("cart-db", "staging")),
        "rr-vote": decided(remediation("rr-vote", "checkout")),
    }
    for n, item in enumerate(items.values()):
        at = START + timedelta(minutes=n)
        signal: SignalSummary = replace(item.signal, first_seen=at, last_seen=at)
        if item.id == "rr-loud":
            signal = replace(signal, severity=Severity.CRITICAL)
        ended_at = at if item.wake_at is None and item.id != "rr-vote" else None
        change = Change(replace(item, created_at=at, signal=signal, ended_at=ended_at))
        if item.id == "rr-vote":
            change = replace(change, tracks=(replace(imperative(item.id), phase=ImperativePhase.AWAITING_APPROVAL),))
        await store.commit(change)
    return store


async def ids(store: Store, **query: object) -> list[str]:
    page = await store.list(Query(**query))  # type: ignore[arg-type]
    assert page.total >= len(page.items)
    return [item.id.removeprefix("rr-") for item in page.items]


async def test_what_needs_a_person_then_what_runs_then_what_is_done(world: Store) -> None:
    assert await ids(world) == ["vote", "fault", "loud", "new", "old", "done"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cart", ["new", "old"]),
        ("CART staging", ["new"]),
        ("cart !staging", ["old"]),
        ("!cart !crash", []),
        ("oomkilled", ["old"]),
        ("memory limit", ["old"]),
        ("awaiting", ["vote"]),
        ("chkout", ["vote"]),
        ("!pymnt payment", ["loud"]),
        ("rr-loud", ["loud"]),
        ("%", []),
        ("'; drop table remediation; --", []),
        ("!", ["vote", "fault", "loud", "new", "old", "done"]),
    ],
)
async def test_words(world: Store, text: str, found: list[str]) -> None:
    assert await ids(world, text=text) == found


async def test_flags(world: Store) -> None:
    assert await ids(world, needs_you=True) == ["vote", "fault"]
    assert await ids(world, faults=True) == ["fault"]
    assert await ids(world, active=False) == ["fault", "done"]
    assert await ids(world, active=True, needs_you=False) == ["loud", "new", "old"]
    assert await ids(world, cluster="staging") == ["new"]
    assert await ids(world, phases=("Skipped", "Escalated")) == ["fault", "done"]
    assert await ids(world, ids=("rr-new", "rr-nobody")) == ["new"]


async def test_pages_join_without_gaps_and_know_the_total(world: Store) -> None:
    pages = [await world.list(Query(offset=offset, limit=4)) for offset in (0, 4, 8)]
    assert [len(page.items) for page in pages] == [4, 2, 0]
    assert {page.total for page in pages} == {6}
    assert len({item.id for page in pages for item in page.items}) == 6


async def test_counts(world: Store) -> None:
    assert await world.counts() == {
        "Pending": 3, "AwaitingApproval": 1, "Escalated": 1, "Skipped": 1, "needs_you": 2, "active": 4, "total": 6,
    }  # fmt: skip


@pytest.mark.parametrize("many", [4, 12])
async def test_history_of_one_owner_newest_first(store: Store, many: int) -> None:
    for n in range(many):
        at = START + timedelta(hours=n)
        item = replace(
            remediation(f"rr-{n}", "cart", at=at), assessment=AssessmentPhase.SKIPPED, wake_at=None, ended_at=at
        )
        await store.commit(Change(item))
    await store.commit(Change(remediation("rr-x", "other")))
    since = START + timedelta(hours=1)
    newest_first = [f"rr-{n}" for n in reversed(range(1, many))]
    assert [item.id for item in await store.history(owner("cart"), since)] == newest_first
    for limit in (1, 5):
        found = await store.history(owner("cart"), since, limit=limit)
        assert [item.id for item in found] == newest_first[:limit]

"""The chain breaks at the first entry that was changed, removed, added or moved."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubernaut.domain.journal import GENESIS, JournalDraft, JournalEntry, chain, first_broken

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
drafts = st.lists(
    st.builds(
        JournalDraft,
        at=st.integers(0, 10**6).map(lambda s: START + timedelta(seconds=s)),
        kind=st.sampled_from(("signal", "phase", "mutation")),
        message=st.text(max_size=20),
        actor=st.sampled_from(("kubernaut", "ana")),
        remediation_id=st.sampled_from(("", "rr-aaaaaa")),
        track=st.sampled_from(("", "gitops")),
        data=st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=5), st.booleans())),
    ),
    min_size=1,
    max_size=12,
)


def chained(items: list[JournalDraft]) -> list[JournalEntry]:
    entries: list[JournalEntry] = []
    for draft in items:
        entries.append(chain(draft, len(entries) + 1, entries[-1].hash if entries else GENESIS))
    return entries


OTHER: dict[str, Any] = {
    "seq": 99,
    "at": START - timedelta(microseconds=1),
    "kind": "forged",
    "message": "nothing happened here, and at length",
    "actor": "mallory",
    "remediation_id": "rr-zzzzzz",
    "track": "imperative",
    "data": {"forged": True},
    "previous_hash": "1" * 64,
    "hash": "2" * 64,
}


def test_entries_of_earlier_versions_still_have_their_hash() -> None:
    data = {"b": [1, 2.5, None], "a": {"ü": True}}
    old = JournalDraft(START, "phase", 'a "quoted" line\n\tand ü', "ana", "rr-aaaaaa", "gitops", data)
    assert chain(old, 7, "ab" * 32).hash == "dbbd718619be64e221dc952f24772c29502ed765eb2a17a615ae96ef32af332f"


@given(drafts)
def test_an_honest_chain_holds(items: list[JournalDraft]) -> None:
    assert first_broken(chained(items)) is None


@settings(max_examples=30)
@given(drafts, st.data())
@pytest.mark.parametrize("field", [field.name for field in fields(JournalEntry)])
def test_changing_any_field_of_any_entry_is_found_at_its_place(
    field: str, items: list[JournalDraft], data: st.DataObject
) -> None:
    entries = chained(items)
    place = data.draw(st.integers(0, len(entries) - 1))
    entries[place] = replace(entries[place], **{field: OTHER[field]})
    assert first_broken(entries) == place + 1


@given(drafts.filter(lambda items: len(items) > 1), st.data())
def test_a_removed_entry_is_missed(items: list[JournalDraft], data: st.DataObject) -> None:
    entries = chained(items)
    place = data.draw(st.integers(0, len(entries) - 2))
    del entries[place]
    assert first_broken(entries) == place + 1


@given(drafts, st.data())
def test_an_entry_with_a_fresh_hash_still_breaks_the_one_after_it(
    items: list[JournalDraft], data: st.DataObject
) -> None:
    entries = chained([*items, JournalDraft(START, "end", "the last")])
    place = data.draw(st.integers(0, len(entries) - 2))
    forged = JournalDraft(START, "forged", "nothing happened", "mallory")
    entries[place] = chain(forged, place + 1, entries[place].previous_hash)
    assert first_broken(entries) == place + 2

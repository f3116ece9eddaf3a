"""A message is promised once, offered until it is delivered, and never promised again."""

from datetime import timedelta

import pytest

from kubernaut.domain.errors import NotFound
from kubernaut.ports import Change, OutboxDraft, Store

from .values import START, HeldClock


def draft(key: str, text: str = "hello") -> OutboxDraft:
    return OutboxDraft("notify", key, {"text": text})


async def test_the_second_draft_of_a_key_is_dropped_even_after_delivery(store: Store, clock: HeldClock) -> None:
    await store.commit(Change(outbox=(draft("a"), draft("a", "again"), OutboxDraft("desk", "a", {}))))
    first, other = await store.outbox(clock.now(), 10)
    assert (first.payload, first.attempt, other.channel) == ({"text": "hello"}, 0, "desk")
    await store.outbox_done(first.id)
    await store.outbox_done(first.id)
    await store.commit(Change(outbox=(draft("a"),)))
    assert [message.channel for message in await store.outbox(clock.now(), 10)] == ["desk"]


async def test_a_failed_one_comes_back_when_it_is_time(store: Store, clock: HeldClock) -> None:
    await store.commit(Change(outbox=(draft("a"), draft("b"))))
    a, b = await store.outbox(clock.now(), 10)
    await store.outbox_retry(a.id, START + timedelta(seconds=30), "503")
    assert [message.id for message in await store.outbox(clock.now(), 10)] == [b.id]
    again = await store.outbox(clock.move(30), 10)
    assert [(message.id, message.attempt) for message in again] == [(b.id, 0), (a.id, 1)]


async def test_a_delivered_one_is_not_tried_again(store: Store, clock: HeldClock) -> None:
    await store.commit(Change(outbox=(draft("a"),)))
    (message,) = await store.outbox(clock.now(), 10)
    await store.outbox_done(message.id)
    with pytest.raises(NotFound):
        await store.outbox_retry(message.id, START, "late")
    assert not await store.outbox(clock.now(), 10)

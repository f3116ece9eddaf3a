"""What this process remembers to bridge a moment neither outlives the moment nor grows."""

from datetime import UTC, datetime, timedelta

from kubernaut.pipeline.outside import Turns, Unsent

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POOL = ("prod", "pool")


def test_a_turn_lapses_also_when_the_clock_is_put_back() -> None:
    turns = Turns(lasts_s=30.0)
    assert turns.take(POOL, "rr-a", NOON) == "rr-a"
    assert turns.take(POOL, "rr-b", NOON + timedelta(seconds=10)) == "rr-a"
    assert turns.take(POOL, "rr-b", NOON - timedelta(hours=1)) == "rr-b"


def test_an_intent_that_was_not_persisted_is_forgotten_with_the_next() -> None:
    unsent = Unsent()
    for second in range(1000):  # the disk is full
        unsent.intended("t", "s", NOON + timedelta(seconds=second))
    assert not unsent.begin("t", "s", NOON)
    assert unsent.begin("t", "s", NOON + timedelta(seconds=999))
    assert not unsent.begin("t", "s", NOON + timedelta(seconds=999))
    assert not unsent._intents

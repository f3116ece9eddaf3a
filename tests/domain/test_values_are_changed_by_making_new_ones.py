"""`changed` gives what `dataclasses.replace` gives, and leaves the old value alone."""

from dataclasses import FrozenInstanceError, dataclass, replace

import pytest

from kubernaut.domain.values import changed


@dataclass(frozen=True, slots=True)
class Pair:
    left: int
    right: str = "r"
    third: tuple[int, ...] = ()


def test_it_is_replace() -> None:
    old = Pair(1, third=(3,))
    new = changed(old, right="other", third=())
    assert new == replace(old, right="other", third=())
    assert type(new) is Pair
    assert old == Pair(1, third=(3,))
    assert changed(old) == old
    with pytest.raises(FrozenInstanceError):
        new.left = 2  # type: ignore[misc]


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError):
        changed(Pair(1), wrong=2)

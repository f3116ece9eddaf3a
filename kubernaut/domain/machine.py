"""A state machine is one table of legal transitions; everything else is refused."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from .errors import Conflict

P = TypeVar("P", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


class IllegalTransition(Conflict):
    """The event has no meaning in this phase, so somebody acted on an old picture: read again."""


def step(table: Mapping[tuple[P, E], P], phase: P, event: E) -> P:
    """The phase after `event`.

    Raises:
        IllegalTransition: the table has no such transition.
    """
    try:
        return table[phase, event]
    except KeyError:
        raise IllegalTransition(f"{type(phase).__name__} {phase} does not take {event}") from None

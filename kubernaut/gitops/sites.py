"""A site is one place where the wanted value stands, and knows how to be rewritten."""

from collections.abc import Callable
from dataclasses import dataclass

import yaml

from kubernaut.domain.proposals import FileChange

from . import splice
from .carriers import Carrier


@dataclass(frozen=True, slots=True)
class Site:
    """One place that sets the value.

    Args:
        value: what it says now.
        path: the file.
        place: `path:line`, for people.
        write: new value → new text of the file.
    """

    value: str
    path: str
    place: str
    write: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Edit:
    """The files of a change, and what a reviewer should know about it."""

    files: tuple[FileChange, ...]
    notes: tuple[str, ...] = ()


def value_site(carrier: Carrier, node: yaml.Node, *, string: bool) -> Site:
    """The site of a scalar inside a carrier."""

    def write(value: str) -> str:
        return carrier.embed(splice.replace_value(carrier.text, node, value, string=string, place=carrier.path))

    return Site(str(node.value), carrier.path, carrier.place(node), write)


def insertion(carrier: Carrier, node: yaml.Node, keys: list[str], *, string: bool) -> Site:
    """The site of a value that is not there yet: written into `node` under `keys`."""

    def write(value: str) -> str:
        return carrier.embed(splice.insert_value(carrier.text, node, keys, value, string=string, place=carrier.path))

    return Site("", carrier.path, carrier.place(node), write)

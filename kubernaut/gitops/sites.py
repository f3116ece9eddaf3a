"""A site is one place where the wanted value stands, and knows how to be rewritten."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import yaml

from kubernaut.domain.errors import BadInput
from kubernaut.domain.proposals import FileChange

from . import marks, splice
from .carriers import Carrier

NULL = "tag:yaml.org,2002:null"


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
    """The site of a scalar inside a carrier.

    Raises:
        BadInput: nothing tells whether the carrier applies to the object.
    """
    sure(carrier, node)

    def write(value: str) -> str:
        place = carrier.place(node)
        return carrier.embed(splice.replace_value(carrier.text, node, value, string=string, place=place))

    return Site(str(node.value), carrier.path, carrier.place(node), write)


def insertion(carrier: Carrier, node: yaml.Node, keys: list[str], *, string: bool) -> Site:
    """The site of a value that is not there yet: written into `node` under `keys`. Raises as `value_site`."""
    sure(carrier, node)

    def write(value: str) -> str:
        place = carrier.place(node)
        return carrier.embed(splice.insert_value(carrier.text, node, keys, value, string=string, place=place))

    return Site("", carrier.path, carrier.place(node), write)


def sure(carrier: Carrier, node: yaml.Node) -> None:
    """Raise BadInput where it is not known whether the carrier applies to the object."""
    if carrier.doubt:
        raise BadInput(carrier.doubt, place=carrier.place(node))


def descend(carrier: Carrier, node: yaml.Node | None, keys: Sequence[str]) -> yaml.Node | None:
    """The node at a path of keys, if a manifest or a patch has it.

    Raises:
        BadInput: a strategic patch deletes or replaces what would be there, so its base's value does not count.
    """
    for at, key in enumerate(keys):
        below = marks.child(node, key)
        if carrier.role == "patch" and isinstance(node, yaml.MappingNode):
            directive = marks.child(node, "$patch")
            if directive is not None and (below is None or marks.text_at(node, "$patch") == "delete"):
                raise BadInput(
                    f"this patch takes {'.'.join(keys[at:])} away (`$patch`)", place=carrier.place(directive)
                )
            if below is not None and below.tag == NULL:
                raise BadInput(f"this patch takes {'.'.join(keys[at:])} away (null)", place=carrier.place(below))
        node = below
    return node

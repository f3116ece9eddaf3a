"""What a JSON patch (RFC 6902) does to one value, told by its operations' pointers.

An operation that sets the value is a place to edit. One that takes it away, moves it, tests it or shifts the list that it
stands in changes what an edit elsewhere would do, so there is none then.
"""

from collections.abc import Sequence

import yaml

from kubernaut.domain.errors import BadInput

from . import marks
from .carriers import Carrier
from .sites import Site, sure, value_site


def sites(carrier: Carrier, pointer: Sequence[str], *, string: bool) -> list[Site]:
    """Operations that set the value at a pointer, alone or with what holds it.

    Args:
        pointer: the value's place, as (`spec`, …, `containers`, `0`, `image`).

    Raises:
        BadInput: an operation touches the value in another way; names file and line.
    """
    found: list[Site] = []
    lost: BadInput | None = None
    for operation in marks.items(carrier.node):
        kind, path = marks.text_at(operation, "op"), _parts(operation, "path")
        if kind == "move" and _holds(_parts(operation, "from"), pointer):
            raise _refusal(carrier, operation, "moves what holds the value")
        if kind in ("add", "remove", "move", "copy") and _shifts(path, pointer, kind):
            raise _refusal(carrier, operation, "changes the positions of the list in which the value stands")
        if not _holds(path, pointer):
            continue
        if kind not in ("add", "replace"):
            words = {"remove": "takes the value away", "test": "tests the value, so the edit would break the patch"}
            raise _refusal(carrier, operation, words.get(kind, "sets the value from another place"))
        value = marks.child(operation, "value")
        for key in pointer[len(path) :]:
            value = _below(value, key)
        if not isinstance(value, yaml.ScalarNode):
            lost = _refusal(carrier, operation, "replaces what holds the value and does not have it")
            continue
        found.append(value_site(carrier, value, string=string))
        lost = None
    if lost is not None:
        raise lost
    return found


def counts(carrier: Carrier, pointer: Sequence[str]) -> bool:
    """Whether an operation speaks of an element of the list at a pointer by its position."""
    paths = (_parts(operation, key) for operation in marks.items(carrier.node) for key in ("path", "from"))
    return any(len(path) > len(pointer) and _holds(list(pointer), path) and path[len(pointer)] != "-" for path in paths)


def _refusal(carrier: Carrier, operation: yaml.Node, what: str) -> BadInput:
    sure(carrier, operation)
    return BadInput(f"this operation of a JSON patch {what}: edit it by hand", place=carrier.place(operation))


def _parts(operation: yaml.Node, key: str) -> list[str]:
    parts = marks.text_at(operation, key).split("/")[1:]
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def _holds(path: list[str], pointer: Sequence[str]) -> bool:
    return list(pointer[: len(path)]) == path


def _shifts(path: list[str], pointer: Sequence[str], kind: str) -> bool:
    """Whether an element before the value's own (or it itself) comes or goes; one at the end shifts nothing."""
    at = len(path) - 1
    if at < 0 or at >= len(pointer) or not pointer[at].isdecimal() or list(pointer[:at]) != path[:at]:
        return False
    if not path[at].isdecimal():
        return False
    if kind == "remove" and path[at] == pointer[at]:
        return False  # takes the value away: said in other words
    return int(path[at]) <= int(pointer[at])


def _below(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode):
        elements = marks.items(node)
        return elements[int(key)] if key.isdecimal() and int(key) < len(elements) else None
    return marks.child(node, key)

"""A YAML text as nodes that know where they stand, and the proof that an edit changed nothing else.

PyYAML's nodes carry the index of their first and last character, so a value can be exchanged in the text itself; nothing
is ever printed anew.
"""

import io
from collections.abc import Iterator, Sequence

import yaml

from kubernaut.domain.errors import BadInput

Key = str | int
_NODES_LIMIT = 300_000
_DEPTH_LIMIT = 5_000
_MERGE = "tag:yaml.org,2002:merge"


def documents(text: str, place: str = "") -> list[yaml.Node | None]:
    """The root node of each document; None for an empty one. Raises BadInput where the text is no YAML."""
    try:
        loader = _loader(text, place)
        try:
            found: list[yaml.Node | None] = []
            while loader.check_node():
                found.append(loader.get_node())
            return found
        finally:
            loader.dispose()
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{place}:{mark.line + 1}" if mark is not None else place
        raise BadInput(
            f"not readable as YAML ({getattr(error, 'problem', None) or 'nested too deep'})", place=where
        ) from error


class _Named(io.StringIO):
    """A text whose marks tell the file they are in."""

    name = ""


def _loader(text: str, place: str) -> yaml.SafeLoader | yaml.CSafeLoader:
    """libyaml where it is there: ten times as fast. It recurses on the stack without a limit, so deep or odd texts don't
    get to it; and it doesn't count a byte order mark."""
    is_shallow = text.count("[") + text.count("{") < _DEPTH_LIMIT and max(map(len, text.split("\n"))) < _DEPTH_LIMIT
    if yaml.__with_libyaml__ and is_shallow and not text.startswith("\ufeff"):
        stream = _Named(text)
        stream.name = place
        return yaml.CSafeLoader(stream)
    loader = yaml.SafeLoader(text)
    loader.name = place
    return loader


def where(node: yaml.Node) -> str:
    """`file:line` of a node, for people; the line alone where the file is not known."""
    name = str(node.start_mark.name or "")
    return f"{name}:{line_of(node)}" if name else f"line {line_of(node)}"


def child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value under a key of a mapping; None if there is none.

    Raises:
        BadInput: the key is there twice, or it comes through a merge key (`<<`), so there is no one place to edit.
    """
    if not isinstance(node, yaml.MappingNode):
        return None
    found = [pair for pair in node.value if isinstance(pair[0], yaml.ScalarNode) and pair[0].value == key]
    if len(found) > 1:
        raise BadInput(f"the key {key!r} is there twice", place=where(found[1][0]))
    if not found and any(key in _keys(merged) for merged in _merged(node)):
        raise BadInput(
            f"{key!r} comes through a YAML merge key (`<<`): changing it would change every user of the anchor",
            place=where(node),
        )
    return found[0][1] if found else None


def _merged(node: yaml.MappingNode) -> Iterator[yaml.MappingNode]:
    for name, value in node.value:
        if name.tag == _MERGE:
            for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if isinstance(part, yaml.MappingNode):
                    yield part
                    yield from _merged(part)


def _keys(node: yaml.MappingNode) -> set[str]:
    return {name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode)}


def text_at(node: yaml.Node | None, *keys: str) -> str:
    """The scalar at a path of keys as written; empty when it is not there or is no scalar."""
    for key in keys:
        node = child(node, key)
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def items(node: yaml.Node | None) -> list[yaml.Node]:
    """The elements of a sequence; none if it is something else."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def named(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """The element of a sequence whose `name` is this. Raises BadInput when there are several."""
    found = [item for item in items(node) if text_at(item, "name") == name]
    if len(found) > 1:
        raise BadInput(f"{name!r} is there twice", place=where(found[1]))
    return found[0] if found else None


def line_of(node: yaml.Node) -> int:
    """The node's first line, counted from 1."""
    return int(node.start_mark.line) + 1


def leaves(text: str, place: str = "") -> dict[tuple[Key, ...], tuple[str, str]]:
    """Every scalar of a text by its path (document number first): (tag, value). Empty collections count as scalars."""
    found: dict[tuple[Key, ...], tuple[str, str]] = {}
    pending: list[tuple[tuple[Key, ...], yaml.Node]] = [
        ((number,), node) for number, node in enumerate(documents(text, place)) if node is not None
    ]
    steps = 0
    while pending:
        steps += 1
        if steps > _NODES_LIMIT:
            raise BadInput("too many nodes (or an alias that holds itself)", place=place)
        path, node = pending.pop()
        if isinstance(node, yaml.ScalarNode) or not node.value:
            found[path] = (node.tag, str(node.value))
        elif isinstance(node, yaml.MappingNode):
            pending += [((*path, _key(name)), value) for name, value in node.value]
        else:
            pending += [((*path, at), value) for at, value in enumerate(node.value)]
    return found


def _key(node: yaml.Node) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else f"{node.tag}@{node.start_mark.index}"


def path_to(text: str, wanted: yaml.Node, place: str = "") -> tuple[Key, ...]:
    """The path of the node that starts where `wanted` (of another parse of the same text) starts."""
    key = (wanted.start_mark.index, wanted.end_mark.index, type(wanted))
    pending: list[tuple[tuple[Key, ...], yaml.Node]] = [
        ((number,), node) for number, node in enumerate(documents(text, place)) if node is not None
    ]
    while pending:
        path, node = pending.pop()
        if (node.start_mark.index, node.end_mark.index, type(node)) == key:
            return path
        if isinstance(node, yaml.MappingNode):
            pending += [((*path, _key(name)), value) for name, value in reversed(node.value)]
        elif isinstance(node, yaml.SequenceNode):
            pending += [((*path, at), value) for at, value in enumerate(node.value)]
    raise BadInput("the value has no place of its own", place=place)


def prove(before: str, after: str, path: Sequence[Key], value: str, *, string: bool, place: str = "") -> None:
    """Hold both texts against each other: exactly the value at `path` may differ.

    An anchor that others use, a key that appears twice, a quoting mistake: whatever would change more than was meant shows
    here, and the edit is refused.

    Raises:
        BadInput: something else would change, or the value would be read differently.
    """
    old, new = leaves(before, place), leaves(after, place)
    spot = tuple(path)
    changed = {at for at in old.keys() | new.keys() if old.get(at) != new.get(at)}
    filled = {at for at in changed if at == spot[: len(at)] and at in old and old[at][1] in ("", "[]", "null", "~")}
    others = changed - {spot} - filled
    if others:
        names = ", ".join(".".join(map(str, at[1:])) for at in sorted(others, key=str)[:3])
        raise BadInput(f"an anchor or alias ties this value to others ({names}): edit it by hand", place=place)
    tag, text = new.get(spot, ("", ""))
    if text != value or (string and tag != "tag:yaml.org,2002:str"):
        raise BadInput("the new value would not be read back as it is meant", place=place)

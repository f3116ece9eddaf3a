"""Exchange or add one value in a YAML text; every other character stays as it is."""

import re

import yaml

from kubernaut.domain.errors import BadInput

from . import marks, spelling

_BLANK = " \t\r\n"  # what YAML takes for space; Python's strip() takes much more
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]+)+")


def replace_value(text: str, node: yaml.Node, value: str, *, string: bool, place: str = "") -> str:
    """The text with one scalar replaced, in the old one's own style.

    Args:
        node: the scalar, from a parse of this very text.
        string: see `spelling.scalar`.

    Raises:
        BadInput: the node is no scalar, or others depend on it (anchors).
    """
    if not isinstance(node, yaml.ScalarNode):
        raise BadInput("expected a single value here", place=place or marks.where(node))
    if node.value == value:
        return text
    start, end = node.start_mark.index, node.end_mark.index
    properties = _PROPERTIES.match(text, start, end)
    start = properties.end() if properties else start
    if node.style in ("|", ">"):
        after = _replace_block(text, node, start, end, value)
    else:
        spelled = _spell(text, node, start, value, string)
        gap = " " if start == end and text[start - 1 : start] not in (" ", "\t") else ""
        after = text[:start] + gap + spelled + text[end:]
    marks.prove(text, after, marks.path_to(text, node, place), value, string=string, place=place)
    return after


def _spell(text: str, node: yaml.ScalarNode, start: int, value: str, string: bool) -> str:
    flow = _in_flow(text, node)
    if not node.style and "\n" in value and not flow and spelling.is_literal(value):
        line = text[text.rfind("\n", 0, start) + 1 : start]
        indent = " " * (len(re.match(r"[ ]*(?:- +)*", line)[0]) + 2)  # type: ignore[index]
        return _literal(value, indent, _line_break(text)).removesuffix(_line_break(text))
    style = '"' if _is_json(text) and not re.match(r"^-?\d+(\.\d+)?$", value) else node.style or None
    return spelling.scalar(value, style, string=string, flow=flow)


def _literal(value: str, indent: str, eol: str) -> str:
    """A literal block with its header; ends with a line break."""
    body = value.rstrip("\n")
    lines = [f"{indent}{line}" if line else "" for line in body.split("\n")]
    extra = len(value) - len(body)
    return eol.join([_header("|", value), *lines]) + eol + eol * max(extra - 1, 0)


def _header(indicator: str, value: str) -> str:
    trailing = len(value) - len(value.rstrip("\n"))
    return indicator + ("-" if trailing == 0 else "" if trailing == 1 else "+")


def _replace_block(text: str, node: yaml.ScalarNode, start: int, end: int, value: str) -> str:
    """A block scalar's body is exchanged line by line, so the diff shows the lines that differ and no others."""
    eol = _line_break(text)
    body_start = text.find("\n", start) + 1
    header, raw = text[start:body_start], text[body_start:end].splitlines(keepends=True)
    old = node.value.rstrip("\n").split("\n")
    first = next((at for at, line in enumerate(raw) if line.strip(_BLANK)), None)
    if body_start == 0 or first is None or not spelling.is_literal(value):
        kept = "".join(raw[len(raw) - _blank_tail(raw) :])
        return text[:start] + spelling.scalar(value, '"', string=True) + eol + kept + text[end:]
    indent = re.match(r" *", raw[first])[0]  # type: ignore[index]
    if node.style == ">" or re.search(r"[1-9]", header.split("#")[0]):
        keeps = _trailing(value) > 1  # then every blank line that follows belongs to the value
        tail = [] if keeps else raw[len(raw) - _blank_tail(raw) :]
        return text[:start] + _literal(value, indent, eol) + "".join(tail) + text[end:]
    new = value.rstrip("\n").split("\n")
    tail = raw[len(old) :]
    if _trailing(value) != _trailing(node.value):
        header = re.sub(r"^\|[-+]?", _header("|", value).replace("\\", ""), header)
        tail = [eol] * (_trailing(value) - 1) if _trailing(value) > 1 else tail
    lines = _merge_lines(raw[: len(old)], old, new, indent, eol)
    return text[:start] + header + "".join(lines) + "".join(tail) + text[end:]


def _merge_lines(raw: list[str], old: list[str], new: list[str], indent: str, eol: str) -> list[str]:
    """Raw lines with the differing middle replaced; the last line's missing line break stays missing."""
    same_head = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    room = min(len(old), len(new)) - same_head
    pairs = zip(reversed(old), reversed(new), strict=False)
    same_tail = min(next((i for i, (a, b) in enumerate(pairs) if a != b), room), room)
    middle = [f"{indent}{line}{eol}" if line else eol for line in new[same_head : len(new) - same_tail]]
    lines = raw[:same_head] + middle + raw[len(raw) - same_tail :] if same_tail else raw[:same_head] + middle
    if raw and not raw[-1].endswith("\n") and lines:
        lines[-1] = lines[-1].rstrip("\r\n")
    return [line if line.endswith("\n") or at == len(lines) - 1 else line + eol for at, line in enumerate(lines)]


def _trailing(value: str) -> int:
    return len(value) - len(value.rstrip("\n"))


def _blank_tail(raw: list[str]) -> int:
    return next((at for at, line in enumerate(reversed(raw)) if line.strip(_BLANK)), len(raw))


def insert_value(text: str, node: yaml.Node, keys: list[str], value: str, *, string: bool, place: str = "") -> str:
    """The text with `keys` (nested) → value added to a mapping, at its end, with the file's own indentation.

    Args:
        node: the mapping (or an empty value), from a parse of this very text; it lacks `keys[0]`.
        keys: path of keys to create below it.
    """
    path = (*marks.path_to(text, node, place), *keys)
    spelled = spelling.scalar(value, None, string=string)
    if isinstance(node, yaml.MappingNode) and node.flow_style and node.value:
        after = _insert_flow(text, node, keys, value, string)
    elif isinstance(node, yaml.MappingNode) and not node.flow_style:
        column = node.value[0][0].start_mark.column
        after = _insert_lines(text, _end(node), _nested(keys, spelled, column, _step(text, node.start_mark.index)))
    elif not node.value or node.tag == "tag:yaml.org,2002:null":
        after = _fill(text, node, keys, value, string)
    else:
        raise BadInput("expected a mapping here", place=place or marks.where(node))
    marks.prove(text, after, path, value, string=string, place=place)
    return after


def _nested(keys: list[str], spelled: str, column: int, step: int) -> list[str]:
    lines = [f"{' ' * (column + step * depth)}{_key(key)}:" for depth, key in enumerate(keys)]
    lines[-1] += f" {spelled}"
    return lines


def _key(key: str) -> str:
    return spelling.scalar(key, None, string=True)


def _insert_flow(text: str, node: yaml.MappingNode, keys: list[str], value: str, string: bool) -> str:
    """One more entry before the closing brace; on a line of its own where the others have one, as JSON is written."""
    last = _end(node.value[-1][1])
    quote = '"' if node.value[0][0].style == '"' else None
    inner = _flow_entries(keys, value, quote, string)
    if "\n" not in text[node.start_mark.index : last]:
        return f"{text[:last]}, {inner}{text[last:]}"
    line_start = text.rfind("\n", 0, node.value[-1][0].start_mark.index) + 1
    indent = text[line_start : node.value[-1][0].start_mark.index]
    indent = indent[: len(indent) - len(indent.lstrip(_BLANK))]
    return f"{text[:last]},{_line_break(text)}{indent}{inner}{text[last:]}"


def _flow_entries(keys: list[str], value: str, quote: str | None, string: bool) -> str:
    """`a: {b: value}`: everything quoted where the file is JSON."""
    inner = spelling.scalar(value, quote, string=string, flow=True)
    for depth, key in enumerate(reversed(keys)):
        spelled = spelling.scalar(key, quote, string=True, flow=True)
        inner = f"{spelled}: {{{inner}}}" if depth else f"{spelled}: {inner}"
    return inner


def _fill(text: str, node: yaml.Node, keys: list[str], value: str, string: bool) -> str:
    """An empty value (`{}`, `null`, nothing) gets its first entry: below its key, or within braces in a flow."""
    start, end = node.start_mark.index, node.end_mark.index
    line_start = text.rfind("\n", 0, start) + 1
    before = text[line_start:start]
    holder = re.match(r"^(?P<indent> *(?:- +)*)[^\s#{}\[\],]+:[ \t]*$", before)
    if holder is None or _in_flow(text, node):  # a flow may be broken into lines that look like a block's
        inner = _flow_entries(keys, value, '"' if _is_json(text) else None, string)
        return f"{text[:start]}{{{inner}}}{text[end:]}"
    step = _step(text, start)
    lines = _nested(keys, spelling.scalar(value, None, string=string), len(holder["indent"]) + step, step)
    cut = len(before) - len(before.rstrip(_BLANK))
    return _insert_lines(text[: start - cut] + text[end:], start - cut, lines)


def _insert_lines(text: str, at: int, lines: list[str]) -> str:
    """Add whole lines after the line that holds the index `at`."""
    eol = _line_break(text)
    if at and text[at - 1] == "\n":  # a block scalar ends where the next line begins
        before, after = text[:at], text[at:]
    else:
        found = text.find("\n", at)
        before, after = (text[: found + 1], text[found + 1 :]) if found >= 0 else (text, "")
    glue = "" if before.endswith("\n") or not before else eol
    tail = eol if after or not glue else ""
    return before + glue + eol.join(lines) + tail + after


def _end(node: yaml.Node) -> int:
    """Where a node's own text ends: a block collection's mark would be behind the comments that follow it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.index)


def _in_flow(text: str, node: yaml.Node) -> bool:
    """Whether a node stands inside brackets: then commas would end it."""
    at = node.start_mark.index
    return any(
        isinstance(part, yaml.CollectionNode) and part.flow_style and part.start_mark.index < at < part.end_mark.index
        for root in marks.documents(text)
        if root is not None
        for part in _collections(root)
    )


def _collections(root: yaml.Node) -> list[yaml.CollectionNode]:
    found: list[yaml.CollectionNode] = []
    pending: list[yaml.Node] = [root]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        found.append(node)
        pending += [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    return found


def _step(text: str, near: int) -> int:
    """How far the file indents a mapping within a mapping: as it does nearest to `near`; 2 where it never does."""
    steps = [
        (abs(value.start_mark.index - near), value.start_mark.column - key.start_mark.column)
        for root in marks.documents(text)
        if root is not None
        for part in _collections(root)
        if isinstance(part, yaml.MappingNode) and not part.flow_style
        for key, value in part.value
        if isinstance(value, yaml.MappingNode) and not value.flow_style and key.start_mark.line < value.start_mark.line
    ]
    return int(min(steps)[1]) if steps else 2


def _is_json(text: str) -> bool:
    """Whether the file is JSON, which YAML readers take as well: then nothing may lose its quotes."""
    return text.lstrip()[:1] in ("{", "[")


def _line_break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def append_item(text: str, node: yaml.Node, value: str, *, place: str = "") -> str:
    """The text with one string added at the end of a sequence that has elements."""
    path = marks.path_to(text, node, place)
    last = _end(node)
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise BadInput("expected a list with elements here", place=place or marks.where(node))
    if node.flow_style:
        after = f"{text[: last - 1].rstrip(_BLANK)}, {spelling.scalar(value, None, string=True, flow=True)}{text[last - 1 :]}"
    else:
        dash = " " * node.start_mark.column
        after = _insert_lines(text, last, [f"{dash}- {spelling.scalar(value, None, string=True)}"])
    marks.prove(text, after, (*path, len(node.value)), value, string=True, place=place)
    return after

"""Lines of styled text: what the screens are made of, before any terminal library sees them.

A line is a tuple of spans and knows its width in cells. Text from clusters is data: whatever could steer a terminal
is made visible or dropped here, once, for all screens.
"""

import re
from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

Span = tuple[str, str]
"""Text and style words: `dim`, `strong`, `accent`, `danger`, `cursor`, or any of them together."""
Line = tuple[Span, ...]

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""C0, C1, what has no width or an unsure one (fillers, selectors, tags), direction marks, halves of surrogate pairs."""
_PILED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})[\u0300-\u036f\u0483-\u0489"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
"""More than three combining marks on one letter: they would be drawn over the lines above and below."""


def clean(text: object) -> str:
    """One line of text that can't move the cursor, change colours, reorder what is read or spill over its neighbours."""
    plain = str(text)
    if plain.isascii() and plain.isprintable():
        return plain
    plain = plain.replace("\t", "    ")
    if _UNSAFE.search(plain):
        plain = _UNSAFE.sub(_instead, plain)
    return _PILED.sub(r"\1", plain) if not plain.isascii() else plain


def _instead(found: re.Match[str]) -> str:
    """A blank for a line break, nothing for a selector of a glyph's looks, a dot for everything else."""
    character = found[0]
    return " " if character in "\n\r" else "" if "\ufe00" <= character <= "\ufe0f" else "·"


def _cells(text: str) -> int:
    """The width in cells; most text is ASCII, for which the library's answer takes twenty times as long."""
    return len(text) if text.isascii() else cell_len(text)


def width_of(line: Line) -> int:
    """The width in cells."""
    return sum(_cells(text) for text, _ in line)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly `width` cells; cut text ends with `…`."""
    if width <= 0:
        return ""
    length = _cells(text)
    if length > width:
        text = text.rstrip()
        length = _cells(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - length) + text if right else text + " " * (width - length)


def line(*spans: Span | str) -> Line:
    """A line; plain texts have no style."""
    return tuple(span if isinstance(span, tuple) else (span, "") for span in spans)


def cut(spans: Line, width: int) -> Line:
    """The line in exactly `width` cells."""
    out: list[Span] = []
    left = width
    for text, style in spans:
        length = _cells(text)
        if length > left:
            out.append((fit(text, left), style))
            left = 0
            break
        out.append((text, style))
        left -= length
    if left > 0:
        out.append((" " * left, ""))
    return tuple(span for span in out if span[0])


def beside(left: Line, right: Line, width: int) -> Line:
    """Left-aligned and right-aligned spans in one line; the left side gives way."""
    room = max(0, width - width_of(right))
    return cut((*cut(left, room), *right), width)


def styled(spans: Line, style: str) -> Line:
    """The line with one more style word on each span."""
    return tuple((text, f"{own} {style}".strip()) for text, own in spans)


def plain(spans: Iterable[Span]) -> str:
    """The line's text."""
    return "".join(text for text, _ in spans)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """The text in lines of at most `width` cells, broken between words where there are any."""
    out: list[str] = []
    words = text.lstrip(" ").split(" ")
    current = text[: len(text) - len(text.lstrip(" "))] + words[0]
    for word in [*words[1:], None]:
        while _cells(current) > width > 0:
            head = _head(current, width)
            out.append(head)
            current = indent + current[len(head) :]
        if word is None:
            break
        if _cells(f"{current} {word}") <= width:
            current = f"{current} {word}"
        else:
            out.append(current)
            current = indent + word
    return [*out, current]


def folded(spans: Line, width: int, indent: int) -> list[Line]:
    """A styled line in lines of exactly `width` cells, broken between words; all but the first are indented."""
    indent = min(indent, width // 2)
    out: list[Line] = []
    current: list[Span] = []
    used = 0
    for text, style in spans:
        for token in _TOKENS.findall(text):
            rest = token
            while rest and used + _cells(rest) > width:
                if used > (indent if out else 0) or rest.isspace():
                    rest = "" if rest.isspace() else rest
                else:
                    head = _head(rest, width - used)
                    current.append((head, style))
                    rest = rest[len(head) :]
                out.append(cut(tuple(current), width))
                current, used = [(" " * indent, "")], indent
            if rest:
                current.append((rest, style))
                used += _cells(rest)
    return [*out, cut(tuple(current), width)]


_TOKENS = re.compile(" +|[^ ]+")


def _head(text: str, width: int) -> str:
    """As many characters as fit, at least one."""
    count = max(1, min(len(text), width))
    while count > 1 and _cells(text[:count]) > width:
        count -= 1
    return text[:count]

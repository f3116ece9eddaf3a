"""The canvas paints lines, and repaints exactly the cells that changed.

Textual's tables repaint whole widgets; over a slow link that is kilobytes for one changed word. Here each line is
compared with the one painted before, and only the span between the first and the last differing cell is sent.
"""

from collections.abc import Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from kubernaut_tui.lines import Line

_STYLES = {
    "dim": Style(dim=True),
    "strong": Style(bold=True),
    "accent": Style(color="cyan"),
    "danger": Style(color="red", bold=True),
    "cursor": Style(reverse=True),
}


@lru_cache(256)
def _style(words: str) -> Style:
    return Style.combine([_STYLES[word] for word in words.split()]) if words else Style.null()


class Canvas(Widget):
    """The whole screen, line by line."""

    can_focus = False

    def __init__(self) -> None:
        super().__init__(id="canvas")
        self._lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line]) -> bool:
        """Paint these lines; returns whether anything differs from what is painted."""
        old, self._lines = self._lines, tuple(lines)
        if len(old) != len(self._lines):
            self.refresh()
            return True
        regions = [
            Region(first, y, last - first, 1)
            for y, (a, b) in enumerate(zip(old, self._lines, strict=True))
            if a != b
            for first, last in (_changed(a, b),)
            if last > first
        ]
        if regions:
            self.refresh(*regions)
        return bool(regions)

    def render_line(self, y: int) -> Strip:
        """One line as the terminal library wants it."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width)
        return Strip([Segment(text, _style(words)) for text, words in self._lines[y]])


def _changed(old: Line, new: Line) -> tuple[int, int]:
    """The first and one past the last cell that differ."""
    a, b = _cells(old), _cells(new)
    if len(a) != len(b):
        return 0, max(len(a), len(b))
    first = next((i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y), len(a))
    last = next((i for i in range(len(a), first, -1) if a[i - 1] != b[i - 1]), first)
    return first, last


def _cells(spans: Line) -> list[tuple[str, str]]:
    """One entry a cell: a wide character has its second cell empty."""
    from rich.cells import cell_len

    return [
        cell
        for text, style in spans
        for character in text
        for cell in ((character, style), ("", style))[: cell_len(character)]
    ]

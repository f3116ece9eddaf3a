"""The canvas paints lines, and repaints exactly the cells that changed.

Textual's tables repaint whole widgets; over a slow link that is kilobytes for one changed word. Here each line is
compared with the one painted before, and only the span between the first and the last differing cell is sent. A text that
only moved is moved by the terminal itself, which costs forty bytes instead of all its lines.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from rich.cells import cell_len
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

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(id="canvas")
        self._write = write
        self._lines: Sequence[Line] = ()
        self._settled = False

    def show(self, lines: Sequence[Line]) -> None:
        """Paint these lines."""
        old, self._lines = self._lines, tuple(lines)
        if len(old) != len(self._lines):
            self._repaint()
            return
        if self._settled:
            old = self._moved(old)
        regions = [
            Region(first, y, last - first, 1)
            for y, (a, b) in enumerate(zip(old, self._lines, strict=True))
            if a != b
            for first, last in (_changed(a, b),)
            if last > first
        ]
        if regions:
            self._repaint(*regions)

    def repaint(self) -> None:
        """Paint every cell again, whatever the terminal shows."""
        self._repaint()

    def _repaint(self, *regions: Region) -> None:
        """Until the cells are on the wire nothing may be moved: what is moved must be what the terminal shows."""
        self._settled = False
        self.refresh(*regions)
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        self._settled = True

    def _moved(self, old: Sequence[Line]) -> Sequence[Line]:
        """Let the terminal move what only moved; returns what it shows then."""
        top, bottom, by = _shift(old, self._lines)
        if not by:
            return old
        edge, step = (bottom, "\n") if by > 0 else (top, "\x1bM")
        self._write(f"\x1b[{top + 1};{bottom + 1}r\x1b[{edge + 1};1H\x1b[m{step * abs(by)}\x1b[r")
        blank: list[Line] = [((" " * self.size.width, ""),)] * abs(by)
        region = list(old[top : bottom + 1])
        region = region[by:] + blank if by > 0 else blank + region[:by]
        return [*old[:top], *region, *old[bottom + 1 :]]

    def render_line(self, y: int) -> Strip:
        """One line as the terminal library wants it."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width)
        return Strip([Segment(text, _style(words)) for text, words in self._lines[y]])


_WORTH = 4
"""So many lines must be saved before the terminal is asked to move them."""


def _shift(old: Sequence[Line], new: Sequence[Line]) -> tuple[int, int, int]:
    """First and last line of the part that moved, and by how many lines it moved up (negative: down; 0: it did not)."""
    differing = [y for y, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    if len(differing) <= _WORTH:
        return 0, 0, 0
    top, bottom = differing[0], differing[-1]
    best = (0, _WORTH)
    for by in range(1, (bottom - top) // 2 + 1):
        up = sum(old[y + by] == new[y] for y in range(top, bottom - by + 1))
        down = sum(old[y] == new[y + by] for y in range(top, bottom - by + 1))
        best = max(best, (by, up), (-by, down), key=lambda each: each[1])
    still = sum(old[y] == new[y] for y in range(top, bottom + 1))
    return (top, bottom, best[0]) if best[1] - still > _WORTH else (0, 0, 0)


def _changed(old: Line, new: Line) -> tuple[int, int]:
    """The first and one past the last cell that differ."""
    a, b = _cells(old), _cells(new)
    if len(a) != len(b):
        return 0, max(len(a), len(b))
    first = next((i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y), len(a))
    last = next((i for i in range(len(a), first, -1) if a[i - 1] != b[i - 1]), first)
    return first, last


def _cells(spans: Line) -> list[tuple[str, str]]:
    """One entry a cell: a wide character has its second cell empty, a combining one belongs to the cell before it."""
    out: list[tuple[str, str]] = []
    for text, style in spans:
        if text.isascii():
            out += [(character, style) for character in text]
            continue
        for character in text:
            width = cell_len(character)
            if width:
                out += ((character, style), ("", style))[:width]
            elif out:
                before, its_style = out[-1]
                out[-1] = (before + character, its_style)
    return out

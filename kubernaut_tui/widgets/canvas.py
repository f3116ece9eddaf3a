"""The canvas paints lines, and writes exactly the cells that changed.

Textual's tables repaint whole widgets, which over a slow link is kilobytes for one changed word, and it paints at most every
sixtieth of a second, which a key would have to wait for. Here each line is compared with the one painted before; only the
span between the first and the last differing cell is written, at once. A text that only moved is moved by the terminal
itself, which costs forty bytes instead of all its lines. Textual paints the whole canvas where it has to: at the start, after
a resize, on request.
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

_LOOKS: dict[str, tuple[Style, str]] = {
    "dim": (Style(dim=True), "2"),
    "strong": (Style(bold=True), "1"),
    "accent": (Style(color="cyan"), "36"),
    "danger": (Style(color="red", bold=True), "1;31"),
    "cursor": (Style(reverse=True), "7"),
}
"""Style words: for Textual, and as parameters of SGR. Terminals that say NO_COLOR get everything but the colours."""
_COLOURLESS: dict[str, tuple[Style, str]] = {
    **_LOOKS, "accent": (Style.null(), ""), "danger": (Style(bold=True), "1"),
}  # fmt: skip


@lru_cache(256)
def _style(words: str, *, colours: bool) -> Style:
    looks = _LOOKS if colours else _COLOURLESS
    return Style.combine([looks[word][0] for word in words.split()]) if words else Style.null()


@lru_cache(256)
def _codes(words: str, *, colours: bool) -> str:
    looks = _LOOKS if colours else _COLOURLESS
    return ";".join(["0", *(looks[word][1] for word in words.split() if looks[word][1])])


class Canvas(Widget):
    """The whole screen, line by line.

    Args:
        write: takes what goes to the terminal, in order with what Textual writes there.
        colours: whether colours may be used.
    """

    can_focus = False

    def __init__(self, write: Callable[[str], None], *, colours: bool = True) -> None:
        super().__init__(id="canvas")
        self._write = write
        self._colours = colours
        self._lines: Sequence[Line] = ()
        self._settled = False

    def show(self, lines: Sequence[Line]) -> None:
        """Paint these lines."""
        old, self._lines = self._lines, tuple(lines)
        if not (self._settled and len(old) == len(self._lines) == self.size.height):
            self.repaint()
            return
        sequence, old = self._moved(old)
        for y, (before, after) in enumerate(zip(old, self._lines, strict=True)):
            if before != after:
                sequence += _painted(y, before, after, colours=self._colours)
        if sequence:
            self._write(sequence)

    def repaint(self) -> None:
        """Let Textual paint every cell, whatever the terminal shows.

        Until that is on the wire nothing is written past it: what is moved or patched must be what the terminal shows.
        """
        self._settled = False
        self.refresh()
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        self._settled = True

    def _moved(self, old: Sequence[Line]) -> tuple[str, Sequence[Line]]:
        """What lets the terminal move what only moved, and what it shows then."""
        top, bottom, by = _shift(old, self._lines)
        if not by:
            return "", old
        edge, step = (bottom, "\n") if by > 0 else (top, "\x1bM")
        blank: list[Line] = [((" " * self.size.width, ""),)] * abs(by)
        region = list(old[top : bottom + 1])
        region = region[by:] + blank if by > 0 else blank + region[:by]
        sequence = f"\x1b[{top + 1};{bottom + 1}r\x1b[{edge + 1};1H\x1b[m{step * abs(by)}\x1b[r"
        return sequence, [*old[:top], *region, *old[bottom + 1 :]]

    def render_line(self, y: int) -> Strip:
        """One line as the terminal library wants it."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width)
        return Strip([Segment(text, _style(words, colours=self._colours)) for text, words in self._lines[y]])

    def render_lines(self, crop: Region) -> list[Strip]:
        """These lines as they are now: Textual would keep those of its last painting."""
        return [self.render_line(y).crop_extend(crop.x, crop.right, None) for y in range(crop.y, crop.bottom)]


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


_Cell = tuple[str, str]


def _painted(y: int, old: Line, new: Line, *, colours: bool) -> str:
    """What makes the terminal show the new line where it shows the old one; the cursor's colours are plain afterwards."""
    cells = _cells(new)
    first, last = _differing(_cells(old), cells)
    if last <= first:
        return ""
    rest = next((x for x in range(last, first, -1) if cells[x - 1] != (" ", "")), first)
    cleared = last == len(cells) and last - rest > len("\x1b[K")
    out, style = [f"\x1b[{y + 1};{first + 1}H"], ""
    for character, words in cells[first : rest if cleared else last]:
        if words != style:
            out.append(f"\x1b[{_codes(words, colours=colours)}m")
            style = words
        out.append(character)
    if style:
        out.append("\x1b[0m")
    return "".join(out) + ("\x1b[K" if cleared else "")


def _changed(old: Line, new: Line) -> tuple[int, int]:
    """The first and one past the last cell that differ."""
    return _differing(_cells(old), _cells(new))


def _differing(a: list[_Cell], b: list[_Cell]) -> tuple[int, int]:
    if len(a) != len(b):
        return 0, max(len(a), len(b))
    first = next((i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y), len(a))
    last = next((i for i in range(len(a), first, -1) if a[i - 1] != b[i - 1]), first)
    return first, last


def _cells(spans: Line) -> list[_Cell]:
    """One entry a cell: a wide character has its second cell empty, a combining one belongs to the cell before it."""
    out: list[_Cell] = []
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

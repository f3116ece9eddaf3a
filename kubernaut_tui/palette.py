"""The palette: all commands and keys by name, narrowed by what is typed; Enter takes the first one.

It only opens things: a changing key chosen here opens the same question as the key itself, for another key to answer.
"""

from dataclasses import dataclass

from .keys import COMMANDS, for_screen
from .views import Screen

_LEFT_OUT = frozenset({"palette", "command", "interrupt", "up", "down", "page-up", "page-down"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the palette.

    Args:
        shown: how else it is reached: `:rw REASON`, or the key.
        name: what is looked for.
        key: the id in the key table; empty for a command.
    """

    shown: str
    name: str
    text: str
    key: str = ""


def entries(screen: Screen, typed: str) -> list[Entry]:
    """What matches, the best first; the letters that were typed must come in this order.

    Args:
        screen: the screen on which the palette was opened; only keys with a meaning there are offered.
    """
    word = typed.strip().lower().partition(" ")[0]
    every = [Entry(f":{name}", name.partition(" ")[0], text) for name, text in COMMANDS]
    every += [Entry(k.shown, k.label, k.tooltip, k.id) for k in for_screen(screen) if k.id not in _LEFT_OUT]
    found = [(rank, at, entry) for at, entry in enumerate(every) if (rank := _rank(entry, word)) is not None]
    return [entry for _, _, entry in sorted(found, key=lambda each: each[:2])]


def _rank(entry: Entry, word: str) -> int | None:
    """How well a word fits: 0 whole, 1 as a beginning, 2 inside, 3 with gaps, 4 in the explanation; None not at all."""
    if not word:
        return 0
    name, text = entry.name.lower(), entry.text.lower()
    if name == word:
        return 0
    if name.startswith(word):
        return 1
    if word in name:
        return 2
    letters = iter(name)
    if all(letter in letters for letter in word):
        return 3
    return 4 if word in text else None

"""The key table: one place from which bindings, the key line and the help screen are made.

Keys that change something are marked; they only ever open a question, and the key that answers it is another one.
"""

from dataclasses import dataclass

from .views import LISTS, TABS, Screen


@dataclass(frozen=True, slots=True)
class Key:
    """One command and the keys for it.

    Args:
        id: stable: the binding's id, by which Textual's keymaps remap it.
        keys: Textual's names, separated by commas.
        shown: what the key line and the help show.
        label: one or two words for the key line.
        tooltip: one sentence for the help.
        screens: where it has a meaning; empty is everywhere.
        changing: asks to change something.
        rank: place in the key line; 0 is not shown there.
    """

    id: str
    keys: str
    shown: str
    label: str
    tooltip: str
    screens: tuple[Screen, ...] = ()
    changing: bool = False
    rank: int = 0


_ABOUT = (Screen.REMEDIATIONS, *TABS)
_ONE = (*_ABOUT, Screen.APPROVALS, Screen.APPROVAL)
_OPENED = (Screen.REMEDIATIONS, Screen.APPROVALS, Screen.APPROVAL)
_TEXTS = TABS

KEYS: tuple[Key, ...] = (
    Key("open", "enter", "enter", "open", "open what the cursor is on or an approval is about", _OPENED, rank=1),
    Key("approve", "a", "a", "approve", "approve the plan, or merge the pull request, that waits", _ONE, True, 2),
    Key("reject", "x", "x", "reject", "reject the plan, or close the pull request, that waits", _ONE, True, 3),
    Key("stop", "s", "s", "stop", "stop after this step; what ran is undone if it can be", _ABOUT, True, 11),
    Key("roll-back", "b", "b", "roll back", "undo what ran where it can be undone, and stop", _ABOUT, True, 12),
    Key("escalate", "e", "e", "escalate", "take it over: open tracks end, a person owns it", _ABOUT, True, 13),
    Key("note", "i", "i", "note", "write a note into its timeline", _ABOUT, True, 14),
    Key("diff", "d", "d", "diff", "the proposed change, file by file", _ONE, rank=4),
    Key("timeline", "t", "t", "timeline", "everything that happened to it, both tracks", _ONE, rank=7),
    Key("logs", "l", "l", "logs", "log tails of the target's pods", _ONE, rank=8),
    Key("yaml", "y", "y", "yaml", "the live target as YAML", _ONE, rank=10),
    Key("tree", "o", "o", "owners", "who owns whom, from Git to the pods, and how each does", _ONE, rank=9),
    Key("tab", "tab", "tab", "next tab", "round: detail, timeline, diff, logs, yaml, owners", TABS),
    Key("tab-back", "shift+tab", "s-tab", "tab before", "the same, the other way round", TABS),
    Key("next", "n", "n", "next", "the next hunk", (Screen.DIFF,), rank=1),
    Key("previous", "N", "N", "previous", "the previous hunk", (Screen.DIFF,), rank=1),
    Key("filter", "slash", "/", "filter", "filter the list; a leading ! inverts a word", rank=5),
    Key(
        "faults",
        "z",
        "z",
        "faults only",
        "only what failed, was refused or was handed over",
        (Screen.REMEDIATIONS,),
        rank=6,
    ),
    Key("release", "full_stop", ".", "new order", "let the frozen order go", (Screen.REMEDIATIONS,)),
    Key("down", "j,down", "j", "down", "one line down"),
    Key("up", "k,up", "k", "up", "one line up"),
    Key("page-down", "space,pagedown", "space", "page", "one page down"),
    Key("page-up", "pageup,ctrl+u", "pgup", "page up", "one page up"),
    Key("top", "g,home", "g", "top", "to the first line"),
    Key("bottom", "G,end", "G", "bottom", "to the last line"),
    Key("wrap", "w", "w", "wrap", "wrap long lines or cut them", _TEXTS),
    Key("split", "percent_sign", "%", "one pane", "one pane or two, where there is room for two", LISTS),
    Key("copy", "c", "c", "copy", "copy the id or address; the text is shown, too", _ONE),
    Key("list", "1", "1", "remediations", "the list of remediations"),
    Key("approvals", "2", "2", "approvals", "what waits for a vote", rank=15),
    Key("back", "escape,q", "esc", "back", "back to where you came from"),
    Key("last", "minus", "-", "last view", "the view before this one"),
    Key("refresh", "ctrl+r", "ctrl+r", "refresh", "ask the daemon again and paint the whole screen"),
    Key("command", "colon", ":", "command", "a command: :q  :rw REASON  :ro  :filter WORDS  :help", rank=16),
    Key("palette", "ctrl+p", "ctrl+p", "palette", "the same, with all commands shown"),
    Key("help", "question_mark,f1", "?", "help", "this help", rank=99),
    Key("interrupt", "ctrl+c", "ctrl+c", "leave", "leave a question; it never quits"),
)
BY_ID = {key.id: key for key in KEYS}

COMMANDS: tuple[tuple[str, str], ...] = (
    ("q", "quit"),
    ("rw REASON", "production read-write for 15 minutes, in the journal with your reason"),
    ("ro", "read-only again"),
    ("filter WORDS", "filter the list; without words: all of it"),
    ("remediations", "the list"),
    ("approvals", "what waits for a vote"),
    ("help", "the keys"),
)
"""Commands of the command line and what they do."""


def for_screen(screen: Screen) -> tuple[Key, ...]:
    """The keys that have a meaning on a screen."""
    return tuple(key for key in KEYS if not key.screens or screen in key.screens)

"""The list of remediations: what needs a human first, each with its story."""

import re

from kubernaut_tui.lines import Line, clean, cut, fit, line, styled, wrapped
from kubernaut_tui.loading import shown, visible
from kubernaut_tui.state import Document, State, Word

from .words import age, glyph, severity, track_words, workload

NARROW = 70
"""Below this many columns, beside a detail, the story gets the room of severity and tracks."""


def columns(state: State, width: int) -> tuple[int, int, int, int, int]:
    """Widths of cluster (0 when there is only one), workload, story, Git and age column, spaces between included."""
    clusters = (state.status or {}).get("clusters", ())
    cluster = 9 if len(clusters) > 1 else 0
    git, age_width = (13, 5) if width >= 90 else (6, 0) if width >= NARROW else (0, 0)
    rest = width - 3 - 10 - (12 if width >= NARROW else 0) - cluster - git - age_width
    target = max(13, min(31, rest * 7 // 20))
    return cluster, target, max(8, rest - target), git, age_width


def remediations(state: State, width: int) -> list[Line]:
    """Header and rows."""
    cluster, target, story, git, age_width = columns(state, width)
    head = "   " + fit("ID", 10) + fit("SEV", 5 if width >= NARROW else 0) + fit("CLUSTER", cluster)
    head += fit("WORKLOAD", target) + fit("STORY", story) + fit("K8S", 7 if git else 0) + fit("GIT", git)
    head += fit("AGE", age_width, right=True)
    lines = [cut(line((head, "dim")), width)]
    rows = state.rows
    for place, row in enumerate(shown(state, rows), start=rows.top):
        lines.append(_row(state, row, width, selected=place == rows.index))
    if not rows.items:
        lines += _empty(state, width)
    return lines[: visible(state) + 1]


def _row(state: State, row: Document, width: int, *, selected: bool) -> Line:
    cluster, target, story, git, age_width = columns(state, width)
    imperative, _ = track_words(row, "imperative")
    fix, number = track_words(row, "gitops")
    told = "UNKNOWN: " + state.uncertain[row["id"]] if row["id"] in state.uncertain else clean(row["story"])
    told = "… " + told if row["id"] in state.sending else told
    mark, mark_style = glyph(row)
    ended = "dim" if row["ended"] and not row["needs_you"] else ""
    loud = "strong" if row["needs_you"] else ended
    spans = [
        (" ", ""), (mark, mark_style), (" ", ""),
        (_cell(row["id"], 10) + _cell(severity(row["severity"]), 5 if width >= NARROW else 0), ended),
        (_cell(row["cluster"], cluster) + _cell(workload(row["target"]), target), ended),
        (_cell(shorten(told, story - 1), story), loud),
        (_cell(imperative, 7 if git else 0) + _cell(_fix(fix, number, git), git), ended),
        (fit(age(row["created"], state.wall), age_width, right=True), "dim"),
    ]  # fmt: skip
    out = cut(tuple(s for s in spans if s[0]), width)
    return styled(out, "cursor") if selected else out


_WAITS = re.compile("(^|(?<=, ))waits: ")
_WAIT = 16
"""So much of a wait says what is waited for."""


def shorten(story: str, width: int) -> str:
    """A story in little room: what it waits for comes last and is kept, the middle goes first, then the beginning.

    Of a track that waits for the outside (`waits: prod-eu does not answer: …`) the first words tell it, not the last ones.
    """
    if len(story) <= width:
        return story
    what, _, rest = story.partition("; ")
    if waits := _WAITS.search(rest):
        return f"{fit(what, min(len(what), max(8, width - _WAIT))).rstrip()}; {rest[waits.start() :]}"
    last = rest.rpartition(", ")[2]
    if last and len(last) + 8 <= width:
        between = "; … " if last != rest and len(what) + len(last) + 4 <= width else "; "
        return fit(what, width - len(last) - len(between)).rstrip() + between + last
    return story


def _cell(text: str, width: int) -> str:
    """Text and a space after it."""
    return fit(clean(text), width - 1) + " " if width else ""


_MARKS = {"ask": "?", "done": "+", "failed": "x", "closed": "x", "late": "!", "stop": "-"}


def _fix(word: str, number: str, width: int) -> str:
    """`#81 ask` where there is room, else `#81?`; without a pull request only the word."""
    if not number:
        return word
    return f"{number} {word}" if width >= 8 else number + _MARKS.get(word, ">")


def _empty(state: State, width: int) -> list[Line]:
    if state.word is Word.DOWN:
        texts = [
            "No connection to a daemon.", "", *wrapped(clean(state.reason), width - 6), "",
            "This console connects by itself as soon as there is one.",
        ]  # fmt: skip
    elif not state.rows.known:
        problem = state.problems.get(("page", ""))
        told = f"The list can't be read: {clean(problem)}" if problem else "Asking the daemon …"
        texts = wrapped(told, width - 6)
    elif state.filter or state.faults:
        texts = ["Nothing matches.", "esc clears the filter."]
    else:
        texts = ["Nothing is wrong that kubernaut knows of.", "An alert, or `kubernaut signal`, opens a remediation."]
    return [cut(line(""), width), *(cut(line(("   " + text, "")), width) for text in texts)]

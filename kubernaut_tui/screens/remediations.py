"""The list of remediations: what needs a human first, each with its story."""

from kubernaut_tui.lines import Line, clean, cut, fit, line, styled, wrapped
from kubernaut_tui.loading import shown, visible
from kubernaut_tui.state import Document, State, Word

from .words import age, glyph, severity, track_words, workload


def columns(state: State, width: int) -> tuple[int, int, int, int]:
    """Widths of cluster (0 when there is only one), workload, story and Git column."""
    clusters = (state.status or {}).get("clusters", ())
    cluster = 8 if len(clusters) > 1 else 0
    rest = width - 2 - 2 - 10 - 5 - (cluster + 1 if cluster else 0) - 8 - 5
    git = 12 if width >= 90 else 5
    target = max(12, min(30, (rest - git) * 2 // 5))
    return cluster, target, max(8, rest - git - target - 2), git


def remediations(state: State, width: int) -> list[Line]:
    """Header and rows."""
    cluster, target, story, git = columns(state, width)
    head = "   " + fit("ID", 10) + fit("SEV", 5) + (fit("CLUSTER", cluster + 1) if cluster else "")
    head += (
        fit("WORKLOAD", target + 1)
        + fit("STORY", story + 1)
        + fit("K8S", 8)
        + fit("GIT", git)
        + fit("AGE", 5, right=True)
    )
    lines = [cut(line((head, "dim")), width)]
    rows = state.rows
    for place, row in enumerate(shown(state, rows), start=rows.top):
        lines.append(_row(state, row, width, selected=place == rows.index))
    if not rows.items:
        lines += _empty(state, width)
    return lines[: visible(state) + 1]


def _row(state: State, row: Document, width: int, *, selected: bool) -> Line:
    cluster, target, story, git = columns(state, width)
    imperative, _ = track_words(row, "imperative")
    fix, number = track_words(row, "gitops")
    told = "UNKNOWN: " + state.uncertain[row["id"]] if row["id"] in state.uncertain else clean(row["story"])
    told = "… " + told if row["id"] in state.sending else told
    mark, mark_style = glyph(row)
    ended = "dim" if row["ended"] and not row["needs_you"] else ""
    loud = "strong" if row["needs_you"] else ended
    spans = [
        (" ", ""), (mark, mark_style), (" ", ""),
        (fit(row["id"], 9) + " " + fit(severity(row["severity"]), 4) + " ", ended),
        (fit(clean(row["cluster"]), cluster) + " " if cluster else "", ended),
        (fit(workload(row["target"]), target) + " ", ended),
        (fit(told, story) + " ", loud),
        (fit(imperative, 7) + " ", ended),
        (fit(_fix(fix, number, git), git), ended),
        (fit(age(row["created"], state.wall), 5, right=True), "dim"),
    ]  # fmt: skip
    out = cut(tuple(s for s in spans if s[0]), width)
    return styled(out, "cursor") if selected else out


_MARKS = {"ask": "?", "done": "+", "failed": "x", "closed": "x", "late": "!", "stopped": "-"}


def _fix(word: str, number: str, width: int) -> str:
    """`#81 ask` where there is room, else `#81?`; without a pull request only the word."""
    if not number:
        return word
    return f"{number} {word}" if width >= 8 else number + _MARKS.get(word, ">")


def _empty(state: State, width: int) -> list[Line]:
    if state.word is Word.DOWN and not state.ever:
        texts = [
            "No daemon answers.", "", *wrapped(clean(state.reason), width - 6), "",
            "This console connects by itself as soon as there is one.",
        ]  # fmt: skip
    elif not state.rows.known:
        problem = state.problems.get(("page", ""))
        texts = [f"The list can't be read: {clean(problem)}" if problem else "Asking the daemon …"]
    elif state.filter or state.faults:
        texts = ["Nothing matches.", "esc clears the filter."]
    else:
        texts = ["Nothing is wrong that kubernaut knows of.", "An alert, or `kubernaut signal`, opens a remediation."]
    return [cut(line(""), width), *(cut(line(("   " + text, "")), width) for text in texts)]

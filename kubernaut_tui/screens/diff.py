"""The proposed change: unified in a narrow terminal, side by side in a wide one; signs carry what colours repeat."""

import difflib
from functools import lru_cache

from kubernaut_tui.lines import Line, clean, cut, fit, folded, line
from kubernaut_tui.state import Document

from .words import clock

_CONTEXT = 3
SIDE_BY_SIDE = 120
"""From this many columns the two versions stand beside each other."""
_LARGEST = 20_000
"""Longer files are not compared here: difflib would hold the screen up."""


def diff(document: Document, width: int, *, wrap: bool) -> list[Line]:
    """File list, link, and every hunk."""
    return _drawn(document, width, wrap=wrap)[0]


def hunk_lines(document: Document, width: int, *, wrap: bool) -> list[int]:
    """Where hunks begin."""
    return _drawn(document, width, wrap=wrap)[1]


def _drawn(document: Document, width: int, *, wrap: bool) -> tuple[list[Line], list[int]]:
    pull = document["pull_request"]
    lines: list[Line] = []
    if pull:
        lines.append(cut(line((f" #{pull['number']} {clean(pull['title'])}", "strong")), width))
        told = f" {pull['state']}, {clean(pull['branch'])} -> {clean(pull['base'])}"
        role = (
            f", merge needs {clean(pull['required_role'])}"
            if pull.get("required_role") and pull["state"] == "open"
            else ""
        )
        lines.append(cut(line((told + role, "")), width))
        lines += [cut(line((f" {label:<9}", "dim"), text), width) for label, text in _said(pull)]
        lines.append(cut(line((f" {clean(pull['url'])}", "dim")), width))
    files = document["files"]
    if not files:
        return [*lines, line(""), line("   no change is proposed (yet)")], []
    for file in files:
        added, removed = _counts(file["before"], file["after"])
        lines.append(cut(line((f"   {clean(file['path'])}", ""), (f"  +{added} -{removed}", "dim")), width))
    places: list[int] = []
    for file in files:
        lines.append(((" " + "─" * (width - 2) + " ", "dim"),))
        lines.append(cut(line((f" {clean(file['path'])}", "accent strong")), width))
        hunks = _side_by_side(file, width) if width >= SIDE_BY_SIDE else _unified(file, width, wrap=wrap)
        for hunk in hunks:
            places.append(len(lines))
            lines += hunk
    return lines, places


def _said(pull: Document) -> list[tuple[str, str]]:
    """Checks, people's words, and why the caller may not merge; nothing where there is nothing to say."""
    checks = ", ".join(f"{clean(name)} {clean(word)}" for name, word in pull["checks"].items())
    words = [
        f"{clean(r['reviewer'])} {'approved' if r['verdict'] == 'approve' else 'rejected'} {clock(r['time'])}"
        + ("" if r["current"] else " (an older commit)")
        for r in pull.get("reviews", ())
    ]
    out = [("checks", checks)] if checks else []
    out += [("reviews", ", ".join(words))] if words else []
    if pull["state"] == "open" and not pull.get("may_merge", True):
        out.append(("not yet", clean(pull["why_not"])))
    return out


@lru_cache(16)
def _groups(before: str, after: str) -> tuple[tuple[tuple[str, int, int, int, int], ...], ...]:
    a, b = before.splitlines(), after.splitlines()
    if max(len(a), len(b)) > _LARGEST:
        return ()
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    return tuple(tuple(group) for group in matcher.get_grouped_opcodes(_CONTEXT))


def _counts(before: str, after: str) -> tuple[int, int]:
    added = removed = 0
    for group in _groups(before, after):
        for tag, i1, i2, j1, j2 in group:
            if tag != "equal":
                removed, added = removed + i2 - i1, added + j2 - j1
    return added, removed


def _header(group: tuple[tuple[str, int, int, int, int], ...]) -> Line:
    i1, i2, j1, j2 = group[0][1], group[-1][2], group[0][3], group[-1][4]
    return line((f" @@ -{i1 + 1},{i2 - i1} +{j1 + 1},{j2 - j1} @@", "dim"))


def _unified(file: Document, width: int, *, wrap: bool) -> list[list[Line]]:
    a, b = file["before"].splitlines(), file["after"].splitlines()
    out = []
    for group in _groups(file["before"], file["after"]):
        lines = [cut(_header(group), width)]
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                changes = [(i + 1, " ", a[i], "") for i in range(i1, i2)]
            else:
                changes = [(i + 1, "-", a[i], "danger") for i in range(i1, i2)]
                changes += [(j + 1, "+", b[j], "accent strong") for j in range(j1, j2)]
            for number, sign, text, style in changes:
                whole = _spans(number, sign, text, style)
                lines += folded(whole, width, _SIGNED) if wrap else [cut(whole, width)]
        out.append(lines)
    return out


_SIGNED = 8
"""Where the text of a line begins, behind number and sign."""


def _spans(number: int, sign: str, text: str, style: str) -> Line:
    return line((f"{number:>5} ", "dim"), (f"{sign} {clean(text)}", style))


def _line(number: int, sign: str, text: str, style: str, width: int) -> Line:
    return cut(_spans(number, sign, text, style), width)


def _side_by_side(file: Document, width: int) -> list[list[Line]]:
    a, b = file["before"].splitlines(), file["after"].splitlines()
    half = (width - 1) // 2
    out = []
    for group in _groups(file["before"], file["after"]):
        lines = [cut(_header(group), width)]
        for tag, i1, i2, j1, j2 in group:
            for at in range(max(i2 - i1, j2 - j1)):
                i, j = i1 + at, j1 + at
                same = tag == "equal"
                left = (
                    _line(i + 1, " " if same else "-", a[i], "" if same else "danger", half) if i < i2 else _blank(half)
                )
                right = (
                    _line(j + 1, " " if same else "+", b[j], "" if same else "accent strong", half)
                    if j < j2
                    else _blank(half)
                )
                lines.append(cut((*left, ("│", "dim"), *right), width))
        out.append(lines)
    return out


def _blank(width: int) -> Line:
    return ((fit("", width), ""),)

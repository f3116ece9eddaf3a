"""Timeline, logs and YAML: text to scroll."""

from functools import lru_cache

from kubernaut_tui.lines import Line, Span, clean, cut, folded, line, width_of, wrapped
from kubernaut_tui.state import Document

from .words import clock

_TRACKS = {"imperative": "now ", "gitops": "perm", "": "    "}


def entry_line(entry: Document) -> Line:
    """One entry of the timeline."""
    named = entry["actor"] == "kubernaut" or str(entry["message"]).startswith(f"{entry['actor']} ")
    who = "" if named else f"  ({clean(entry['actor'])})"
    return line(
        (f" {clock(entry['time'])} ", "dim"), (_TRACKS.get(entry["track"], "    ") + " ", "accent"),
        (clean(entry["message"]), ""), (who, "dim"),
    )  # fmt: skip


def timeline(item: Document, width: int, *, wrap: bool) -> list[Line]:
    """Both tracks in one, oldest first."""
    out: list[Line] = []
    for entry in item["timeline"]:
        (head, _), (track, _), (message, _), (who, _) = spans = entry_line(entry)
        if not wrap:
            out.append(cut(spans, width))
            continue
        texts = wrapped(message + who, max(10, width - len(head) - len(track) - 1))
        out.append(cut((*spans[:2], (texts[0], "")), width))
        out += [cut(line((" " * len(head + track) + text, "")), width) for text in texts[1:]]
    return out or [line("   nothing yet")]


def logs(document: Document, width: int, *, wrap: bool) -> list[Line]:
    """Log tails, the previous container's first."""
    out: list[Line] = []
    for tail in document["logs"]:
        which = "the container before" if tail["previous"] else "now"
        out.append(cut(line((f" {clean(tail['pod'])} {clean(tail['container'])} ({which})", "accent strong")), width))
        out += _texts(tail["text"], width, wrap=wrap)
        out.append(line(""))
    return out or [line(""), line("   no pod of the target has logs")]


def yaml(document: Document, width: int, *, wrap: bool) -> list[Line]:
    """The live object."""
    return list(_texts(document["yaml"], width, wrap=wrap))


_WELL: dict[bool | None, Span] = {True: ("ok", ""), False: ("x ", "danger"), None: ("  ", "")}


def tree(document: Document, width: int, *, wrap: bool) -> list[Line]:
    """Who owns whom, each below its owner with what it says of itself."""
    rows = document["objects"]
    names = [_named(row, rows[at - 1] if at else None) for at, row in enumerate(rows)]
    column = min(max((width_of(name) for name in names), default=0) + 2, max(20, width * 3 // 5))
    out: list[Line] = []
    for row, name in zip(rows, names, strict=True):
        mark, style = _WELL[row["well"]]
        told = (clean(row["state"]), "strong" if row["well"] is False else "")
        here = ("  < this one", "accent") if row["target"] else ("", "")
        if wrap:
            out += folded((*name, ("  ", ""), told, here), width, 8)
        else:
            out.append(cut(((f" {mark} ", style), *cut(name, column), told, here), width))
    out += [cut(line(("    not read: ", "strong"), clean(each)), width) for each in document["missing"]]
    return out


def _named(row: Document, before: Document | None) -> Line:
    """Kind and name below its owner; the namespace where it is another than the line above."""
    namespace = row["namespace"] if before is None or before["namespace"] != row["namespace"] else ""
    name = clean(f"{namespace}/{row['name']}" if namespace else row["name"])
    return line(("  " * int(row["depth"]), ""), (f"{clean(row['kind'])} ", "dim"), (name, ""))


@lru_cache(64)
def _texts(text: str, width: int, *, wrap: bool) -> tuple[Line, ...]:
    """Lines of a text; kept, because a megabyte takes a tenth of a second and is painted again with every key."""
    return tuple(each for one in text.splitlines() for each in _text(one, width, wrap=wrap))


def _text(text: str, width: int, *, wrap: bool) -> list[Line]:
    plain = clean(text)
    if not wrap:
        return [cut(line((" " + plain, "")), width)]
    lead = len(plain) - len(plain.lstrip(" "))
    indent = " " * (lead if lead < width // 2 else 0)
    return [cut(line((" " + part, "")), width) for part in wrapped(plain, max(10, width - 2), indent)]

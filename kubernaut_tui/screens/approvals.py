"""Approvals: the list of what waits for a vote, and one of them with everything that a vote should rest on."""

from kubernaut_tui.acting import place
from kubernaut_tui.lines import Line, beside, clean, cut, fit, line, styled, wrapped
from kubernaut_tui.loading import shown, visible
from kubernaut_tui.state import Document, State, Word

from .words import clock, countdown, workload

_LABEL = 11


def approvals(state: State, width: int) -> list[Line]:
    """Header and rows."""
    place_, name, rule = columns(width)
    head = "   " + fit("ACTION", 19) + fit("TARGET", name) + fit("WHERE", place_) + fit("VOTES", 6) + fit("RULE", rule)
    lines = [cut(line((head + fit("LEFT", 6, right=True), "dim")), width)]
    rows = state.asked
    for at, item in enumerate(shown(state, rows), start=rows.top):
        lines.append(_row(state, item, width, selected=at == rows.index))
    if not rows.items:
        down = f"No connection to a daemon: {state.reason}" if state.word is Word.DOWN else ""
        told = clean(down or state.problems.get(("approvals", ""), ""))
        told = told or ("Nothing waits for a vote." if rows.known else "Asking the daemon …")
        lines += [line(""), *(cut(line("   " + text), width) for text in wrapped(told, width - 6))]
    return lines[: visible(state) + 1]


def columns(width: int) -> tuple[int, int, int]:
    """Widths of place, target and rule, blanks between included; how long one may still vote is never given up for them."""
    place_ = 15 if width >= _NARROW else 0
    rest = width - 3 - 19 - place_ - 6 - 6
    rule = rest - max(15, rest // 2) if rest >= 24 else 0
    return place_, max(1, rest - rule), rule


_NARROW = 56


def _row(state: State, item: Document, width: int, *, selected: bool) -> Line:
    place_, name, rule = columns(width)
    votes = sum(v["verdict"] == "approve" for v in item["votes"])
    production = item["environment"] in ("production", "unknown")
    where = ("PROD " if production else "") + clean(item["cluster"])
    mark = ("!", "accent strong") if item["may_vote"] else ("-", "dim")
    spans = (
        (" ", ""), mark, (" ", ""), (fit(clean(item["action"]), 18) + " ", "strong"),
        (_cell(workload(item["target"]), name), ""), (_cell(where, place_), "danger" if production else ""),
        (_cell(f"{votes}/{item['min_approvers']}", 6), ""), (_cell(clean(item["rule"]), rule), "dim"),
        (fit(countdown(item["expires"], state.wall) or "over", 6, right=True), ""),
    )  # fmt: skip
    out = cut(tuple(span for span in spans if span[0]), width)
    return styled(out, "cursor") if selected else out


def _cell(text: str, width: int) -> str:
    """Text and a space after it."""
    return fit(text, width - 1) + " " if width else ""


def approval(state: State, item: Document, width: int) -> list[Line]:
    """One approval: what, why, who, how to undo."""
    target = clean(item["target"]["name"])
    where = place(item["environment"], item["cluster"])
    style = "danger" if where.startswith("PRODUCTION") else "strong"
    left = countdown(item["expires"], state.wall)
    told = f"expires in {left} " if left and item["phase"] == "Pending" else f"{item['phase'].lower()} "
    title = f" {clean(item['action'])} {target} in "
    roomy = len(title) + len(where) + len(told) < width
    lines = [beside(line((title, "strong"), (where, style)), line((told if roomy else "", "")), width), line("")]
    lines += [] if roomy else _field("vote", told, width)
    lines += _field("touches", _blast(item["blast_radius"]), width)
    lines += _field("because", clean(item["because"]), width)
    lines += _field("asks", _asks(item), width)
    lines += _field("undo", clean(item["rollback"]) or "none", width)
    for at, text in enumerate(item["dry_run"]):
        lines += _field("dry run" if at == 0 else "", clean(text), width)
    for at, vote in enumerate(item["votes"]):
        said = f"{clean(vote['principal'])} {vote['verdict']}d {clock(vote['time'])} {clean(vote['reason'])}".replace(
            "rejectd", "rejected"
        )
        lines += _field("votes" if at == 0 else "", said, width)
    lines += _field("you", _you(item), width)
    lines += _field("about", f"{item['remediation_id']}, plan {clean(item['plan_hash'])[:12]}", width)
    return lines


def _you(item: Document) -> str:
    """Whether the caller may vote; the daemon's word on that is about who votes, not about whether it is decided already."""
    if item["phase"] != "Pending":
        return f"nothing to vote on any more: it is {clean(item['phase']).lower()}"
    return "may vote: a approves, x rejects" if item["may_vote"] else clean(item["why_not"])


def _field(label: str, text: str, width: int) -> list[Line]:
    parts = wrapped(text, width - _LABEL - 2) or [""]
    first = line((f"   {fit(label, _LABEL - 3)} ", "dim"), (parts[0], ""))
    return [cut(first, width), *(cut(line((" " * (_LABEL + 1) + part, "")), width) for part in parts[1:])]


def _blast(radius: Document) -> str:
    names = {"nodes": "node", "pods": "pod", "workloads": "workload"}
    parts = [f"{radius[k]} {one}{'' if radius[k] == 1 else 's'}" for k, one in names.items() if radius.get(k)]
    share = radius.get("percent_of_workload")
    if share:
        parts.append(f"{share}% of the workload")
    return ", ".join(parts) or "nothing that is counted"


def _asks(item: Document) -> str:
    votes = sum(v["verdict"] == "approve" for v in item["votes"])
    by = " or ".join(clean(g) for g in item["groups"]) or f"role {clean(item['role'])}"
    eyes = ", not by who asked" if item["four_eyes"] else ""
    reason = f". {clean(item['reason'])}" if item["reason"] else ""
    return f"rule {clean(item['rule'])}: {votes} of {item['min_approvers']} votes by {by}{eyes}{reason}"

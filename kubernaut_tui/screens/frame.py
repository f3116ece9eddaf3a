"""The whole screen: status, crumbs, body, foot."""

from datetime import UTC, datetime

from kubernaut_tui.acting import about, place
from kubernaut_tui.lines import Line, Span, beside, clean, cut, fit, line, width_of
from kubernaut_tui.palette import entries
from kubernaut_tui.state import Prompt, State, Word
from kubernaut_tui.views import LISTS, Screen, View

from .approvals import approval
from .body import body, body_of, what
from .foot import above, keys_line, prompt_line
from .words import when, workload


def present(state: State) -> list[Line]:
    """Exactly `height` lines of exactly `width` cells."""
    width = state.width
    text = [] if state.view.screen in LISTS or _palette_is_open(state) else body(state)
    lines = [_status(state), _crumbs(state, len(text)), *_middle(state, text), prompt_line(state), keys_line(state)]
    over = above(state)
    lines[-2 - len(over) : -2] = over
    lines = lines[-state.height :] if state.prompt else lines[: state.height]  # what is asked is seen in any terminal
    return [cut(_harmless(each), width) for each in lines]


def _harmless(spans: Line) -> Line:
    """The line as it may go to a terminal: each screen cleans what it shows, and this is what makes sure of it."""
    return (
        spans
        if all(text.isascii() and text.isprintable() for text, _ in spans)
        else tuple((clean(t), s) for t, s in spans)
    )


def _palette_is_open(state: State) -> bool:
    return state.prompt is not None and state.prompt.purpose == "palette"


def _middle(state: State, text: list[Line]) -> list[Line]:
    height = state.body_height
    if state.prompt and _palette_is_open(state):
        lines = _palette(state, state.prompt)
    elif state.view.screen in LISTS:
        if state.beside:
            return _two_panes(state)
        lines = body(state)
    else:
        lines = text[_first(state, len(text)) :]
    lines = lines[:height]
    return lines + [line("")] * (height - len(lines))


def _first(state: State, count: int) -> int:
    """The first visible line of a text."""
    return min(state.scrolls.get(state.view, 0), max(0, count - state.body_height))


def _palette(state: State, prompt: Prompt) -> list[Line]:
    """What matches what is typed; Enter takes the first line."""
    found = entries(state.view.screen, prompt.typed)
    if not found:
        return [line(""), line("   nothing is called so")]
    return [
        line(
            (" > " if at == 0 else "   ", "accent strong"),
            (fit(entry.name if entry.key else entry.shown, 18), "strong"),
            (fit(entry.shown if entry.key else "", 8), "accent"),
            (entry.text, ""),
        )
        for at, entry in enumerate(found)
    ]


def _two_panes(state: State) -> list[Line]:
    """The list, and beside it what the cursor is on."""
    left = min(80, state.width * 3 // 5)
    right = state.width - left - 3
    item = state.asked.current
    lines = body_of(state, state.view, left)
    if state.view.screen is Screen.APPROVALS:
        other = approval(state, item, right) if item else []
    else:
        other = body_of(state, View(Screen.DETAIL, state.rows.cursor), right) if state.rows.cursor else []
    out = []
    for at in range(state.body_height):
        here = lines[at] if at < len(lines) else line("")
        there = other[at] if at < len(other) else line("")
        out.append((*cut(here, left), (" │ ", "dim"), *cut(there, right)))
    return out


def _freshness(state: State) -> Span:
    word = state.word
    if word is Word.STALE:
        return f"STALE {state.stale_s:.0f}s", "danger"
    if word is not Word.LIVE:
        return word.value, "danger" if word is Word.DOWN else "dim"
    bad = [c for c in (state.status or {}).get("clusters", ()) if c["state"] != "LIVE"]
    if bad:
        worst = min(bad, key=lambda c: str(c["state"]))
        more = f" +{len(bad) - 1}" if len(bad) > 1 else ""
        return f"{clean(worst['name'])} {worst['state']}{more}", "danger"
    return "LIVE", "strong"


def _status(state: State) -> Line:
    status, name = state.status, ""
    left: list[Span] = [(" kubernaut", "strong")]
    right: list[Span] = []
    if status:
        clusters = status["clusters"]
        name = clean(clusters[0]["name"]) if len(clusters) == 1 else f"all clusters ({len(clusters)})"
        left += [(f"  {name}  {clean(status['me']['name'])}  ", ""), _mode(state)]
        waiting = status["counts"]["needs_you"]
        style = "accent strong" if waiting else "dim"
        right = [(f"{waiting} need{'s' if waiting == 1 else ''} you", style), ("  ", "")]
    right = [_freshness(state), ("  ", ""), *right]
    minutes = int(state.wall // 60)
    right.append((f"{minutes // 60 % 24:02d}:{minutes % 60:02d}Z ", ""))
    for shorter in (f"  {name}  ", "  ") if status else ():  # whether changes are taken is worth more than by whom
        if width_of(tuple(left)) + width_of(tuple(right)) >= state.width:
            left[1] = (shorter, "")
    return beside(tuple(left), tuple(right), state.width)


def _mode(state: State) -> Span:
    role = state.status["me"]["role"] if state.status else None
    if state.read_only or role in (None, "viewer"):
        return "READ-ONLY (viewer)" if not state.read_only else "READ-ONLY", "dim"
    if not state.armed or state.status is None:
        return "READ-ONLY", ""
    until = when(state.status["mode"]["until"])
    left = int(until.timestamp() - state.wall) // 60 + 1 if until else 0
    return f"READ-WRITE {max(0, left)}m", "danger"


_NAMES = {
    Screen.DIFF: "diff", Screen.TIMELINE: "timeline", Screen.LOGS: "logs", Screen.YAML: "yaml",
    Screen.TREE: "owners", Screen.HELP: "help",
}  # fmt: skip


def _crumbs(state: State, count: int) -> Line:
    """Where one is.

    Args:
        count: how many lines the text has that is shown; of one that is longer than the screen the part is named.
    """
    view = state.view
    right: list[Span] = []
    left: list[Span] = []
    if view.screen is Screen.REMEDIATIONS:
        rows = state.rows
        at = f"{rows.offset + rows.index + 1} of {rows.total}" if rows.items else f"{rows.total}"
        left.append((f" Remediations  {at}", "accent"))
        if state.filter:
            left.append((f"  /{clean(state.filter)}", "strong"))
        if state.faults:
            left.append(("  faults only", "strong"))
        if state.frozen and rows.unseen:
            right.append((f"{rows.unseen} new, press . ", "accent"))
        return beside(tuple(left), tuple(right), state.width)
    if view.screen is Screen.APPROVALS:
        return cut(line((f" Approvals  {state.asked.total} pending, soonest to expire first", "accent")), state.width)
    target = state.mentioned()
    item = about(state)
    left.append((f" {target}" if target else " kubernaut", "accent"))
    if item:
        left.append((f"  {workload(item['target'])}", "strong"))
        style = "danger" if item["environment"] in ("production", "unknown") else ""
        right.append((place(item["environment"], item["cluster"]) + " ", style))
    if view.screen in _NAMES:
        left.append((f"  > {_NAMES[view.screen]}", "accent"))
    if view.screen in (Screen.LOGS, Screen.YAML) and (document := state.document(*what(view))):
        left.append((f" of {datetime.fromtimestamp(document['read_wall'], UTC):%H:%M:%S}", "dim"))
    if count > state.body_height:
        first = _first(state, count)
        left.append((f"  {first + 1}-{first + state.body_height}/{count}", "dim"))
    return beside(tuple(left), tuple(right), state.width)

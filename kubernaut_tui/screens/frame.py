"""The whole screen: status, crumbs, body, prompt, keys."""

from datetime import UTC, datetime

from kubernaut_tui.acting import PRODUCTION, about, moot, obstacle, open_pull, place
from kubernaut_tui.keys import BY_ID, KEYS, Key, for_screen
from kubernaut_tui.lines import Line, Span, beside, clean, cut, fit, line, width_of, wrapped
from kubernaut_tui.palette import entries
from kubernaut_tui.state import Answer, Document, Prompt, State, Word
from kubernaut_tui.views import Screen, View

from .approvals import approval
from .body import body, body_of, what
from .words import when, workload


def present(state: State) -> list[Line]:
    """Exactly `height` lines of exactly `width` cells."""
    width = state.width
    text = [] if _is_list(state) or _palette_is_open(state) else body(state)
    lines = [_status(state), _crumbs(state, len(text)), *_middle(state, text), _prompt(state), _keys(state)]
    above = _above(state)
    lines[-2 - len(above) : -2] = above
    lines = lines[-state.height :] if state.prompt else lines[: state.height]  # what is asked is seen in any terminal
    return [cut(_harmless(each), width) for each in lines]


def _above(state: State) -> list[Line]:
    """What is asked or told beyond its own lines lies over the end of the body: neither is ever cut."""
    told, look = _told(state)
    parts, look = (_question(state)[:-1], _loudness(state)) if state.prompt else (told[:-2], look)
    return [cut(line((f" {part}", look)), state.width) for part in parts[-state.body_height :]]


def _harmless(spans: Line) -> Line:
    """The line as it may go to a terminal: each screen cleans what it shows, and this is what makes sure of it."""
    return (
        spans
        if all(text.isascii() and text.isprintable() for text, _ in spans)
        else tuple((clean(t), s) for t, s in spans)
    )


def _is_list(state: State) -> bool:
    return state.view.screen in (Screen.REMEDIATIONS, Screen.APPROVALS)


def _palette_is_open(state: State) -> bool:
    return state.prompt is not None and state.prompt.purpose == "palette"


def _middle(state: State, text: list[Line]) -> list[Line]:
    height = state.body_height
    if state.prompt and _palette_is_open(state):
        lines = _palette(state, state.prompt)
    elif _is_list(state):
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


def _prompt(state: State) -> Line:
    width = state.width
    prompt = state.prompt
    if prompt is None:
        told, look = _told(state)
        if told:
            return cut(line((f" {told[-2:][0]}", look)), width)
        if hint := _hint(state):
            return cut(line((" ", ""), (hint, "accent")), width)
        return ((" " + "─" * (width - 2) + " ", "dim"),)
    if prompt.answer is Answer.TEXT:
        return cut(
            line(
                (f" {prompt.question}", "strong"),
                (_tail(prompt.typed, width - len(prompt.question) - 3), ""),
                ("_", "accent"),
            ),
            width,
        )
    last = line((f" {_question(state)[-1]}", _loudness(state)))
    return cut(last, width) if _in_two_lines(state, prompt) else beside(last, line((_answer(prompt), "strong")), width)


def _question(state: State) -> list[str]:
    """The open question in lines, never cut: the last one is the prompt line, those before it lie over the body."""
    prompt = state.prompt
    if prompt is None or prompt.answer is Answer.TEXT:
        return []
    return wrapped(clean(prompt.question), state.width - 2) if _in_two_lines(state, prompt) else [prompt.question]


def _loudness(state: State) -> str:
    return "danger" if state.prompt and "PRODUCTION" in state.prompt.question else "strong"


def _hint(state: State) -> str:
    """What the remediation waits for and what to press; empty when it waits for nobody."""
    item = about(state)
    if (
        item is None
        or obstacle(state)
        or not item["needs_you"]
        or state.view.screen in (Screen.APPROVALS, Screen.APPROVAL, Screen.HELP)
    ):
        return ""
    if item["ended"]:
        return _in_your_hands(item)
    pull = open_pull(item)
    asks = any(t["phase"] == "AwaitingApproval" for t in item["tracks"])
    shows = "" if state.view.screen is Screen.DIFF else ", d shows it"
    if asks and pull:
        told = f"the plan and #{pull['number']} wait for you: a asks which"
    elif pull and (others := _for_others(state, item["id"])):
        told = f"#{pull['number']} {others}"
    elif pull:
        told = f"#{pull['number']} waits for you: a merges it, x closes it{shows}"
    elif asks:
        told = "waits for your vote: a and x show what it would do, and ask"
    else:
        return ""
    if item["environment"] in PRODUCTION and not state.armed:
        told += "; first :rw REASON"
    return told


def _in_your_hands(item: Document) -> str:
    """What is left to a person when kubernaut has ended its work."""
    for track in item["tracks"]:
        pull = track["proposal"]["pull_request"] if track["kind"] == "gitops" else None
        if pull and pull["state"] == "open":
            merge = f"kubernaut pr merge {clean(pull['repository'])}/{pull['number']}"
            return f"it is in your hands; #{pull['number']} is still open: {merge}"
    return "it is in your hands: enter, l and o show what was seen, i notes what you do"


def _for_others(state: State, remediation_id: str) -> str:
    """What a pull request waits for besides this person's merge, where that is known; else empty."""
    known = (state.document("diff", remediation_id) or {}).get("pull_request")
    if not known or known.get("may_merge", True):
        return ""
    me = (state.status or {}).get("me", {}).get("name", "")
    if known["may_review"] and me not in known["quorum"]["approved_by"]:
        return f"needs {known['quorum']['needed']} people: a gives your yes, x closes it"
    return f"waits for others: {clean(known['why_not'])}"


def _answer(prompt: Prompt) -> str:
    """What is to be typed, and what was."""
    if prompt.answer is Answer.WORD:
        return f" Type {clean(prompt.expects[0][0])}: {clean(prompt.typed)}_ "
    return f" {'/'.join(letter for letter, _ in prompt.expects)}/N_ "


def _in_two_lines(state: State, prompt: Prompt) -> bool:
    """A question that leaves no room for its answer has it on the line of the keys; it is never cut for that."""
    room = max(len(word) for word, _ in prompt.expects) if prompt.answer is Answer.WORD else 0
    return len(prompt.question) + len(_answer(prompt)) + room + 1 > state.width


def _told(state: State) -> tuple[list[str], str]:
    """What there is to tell, in lines, and how it looks; the last one of several takes the place of the keys."""
    if state.notice:
        return wrapped(clean(state.notice), state.width - 2), state.notice_style
    if state.wish:
        return ["reading what it is about …"], "dim"
    why = _old(state) if state.ever else ""
    return (wrapped(clean(why), state.width - 2), "strong") if why else ([], "")


def _old(state: State) -> str:
    """Why what is shown may be old; the text stands still while it holds."""
    if state.word is Word.STALE:
        return "STALE: nothing is heard from the daemon; changing keys wait until it is LIVE"
    if state.word is Word.DOWN:
        minutes = int(state.lost_wall // 60)
        return f"DOWN since {minutes // 60 % 24:02d}:{minutes % 60:02d}Z: {state.reason}"
    kind, target = what(state.view)
    shown = kind in ("page", "approvals") or state.document(kind, target) is not None
    problem = state.problems.get((kind, target), "") if shown else ""
    return f"what you see is old, it can't be read anew: {problem}" if problem else ""


def _tail(text: str, width: int) -> str:
    return text if len(text) <= width else "…" + text[-(width - 1) :]


def _keys(state: State) -> Line:
    if state.prompt is not None:
        return _prompt_keys(state)
    told, look = _told(state)
    if len(told) > 1:
        return cut(line((f" {told[-1]}", look)), state.width)
    idle, nothing = _idle(state)
    spans: list[Span] = [(" ", "")]
    keys = sorted((k for k in _offered(state) if k.id not in nothing), key=lambda k: k.rank)
    room = state.width - 2 - len("? help") - (len("esc back  ") if len(state.views) > 1 else 0)
    for key in keys:
        label = _label(key)
        if len(label) > room:
            break
        room -= len(label)
        spans += [
            (key.shown, "dim" if key.id in idle else "strong"),
            (f" {key.label}  ", "dim" if key.id in idle else ""),
        ]
    if len(state.views) > 1:
        spans += [("esc", "strong"), (" back  ", "")]
    spans += [("?", "strong"), (" help", "")]
    return cut(tuple(spans), state.width)


def _offered(state: State) -> list[Key]:
    """The keys worth a place in the line: the list is filtered where it is seen, hunks are gone through where there are any."""
    screen = state.view.screen
    without = {screen.value} if screen is Screen.REMEDIATIONS else {screen.value, "filter"}
    if not (state.document("diff", state.view.target) or {}).get("files"):
        without |= {"next", "previous"}
    if _is_list(state) and not state.mentioned():
        without |= {key.id for key in KEYS if screen in key.screens and key.id != "faults"}
    return [key for key in for_screen(screen) if 0 < key.rank < _HELP_RANK and key.id not in without]


_HELP_RANK = BY_ID["help"].rank


def _idle(state: State) -> tuple[frozenset[str], frozenset[str]]:
    """Changing keys that can't be used now (dim, and they say why), and those that the item leaves nothing to do for."""
    changing = frozenset(key.id for key in KEYS if key.changing)
    idle = changing if obstacle(state) else frozenset()
    asked = state.document("approval", state.view.target) if state.view.screen is Screen.APPROVAL else None
    if asked and asked["phase"] != "Pending":
        return idle, changing
    item = about(state)
    if item is None:
        return idle, frozenset()
    without = frozenset() if any(t["kind"] == "gitops" for t in item["tracks"]) else frozenset({"diff"})
    if item["ended"]:
        return idle, (changing - {"note"}) | without
    waits = any(t["phase"] in ("AwaitingApproval", "AwaitingMerge", "Overdue") for t in item["tracks"])
    ran = any(t.get("mutated") for t in item["tracks"])
    nothing = (set() if waits else {"approve", "reject"}) | (set() if ran else {"roll-back"})
    return idle, frozenset(nothing) | without


def _label(key: Key) -> str:
    return f"{key.shown} {key.label}  "


def _prompt_keys(state: State) -> Line:
    prompt = state.prompt
    if prompt is None or prompt.answer is Answer.TEXT:
        filters = " enter filters; ! in front of a word inverts it; without words all is shown; esc leaves"
        told = filters if prompt and prompt.purpose == "filter" else " enter takes it, esc leaves"
        return cut(line((told, "dim")), state.width)
    if why := moot(state):
        return cut(line((f" {why}: any key leaves, nothing is sent", "strong")), state.width)
    two = _in_two_lines(state, prompt)
    end = _answer(prompt) if two else ""
    if prompt.answer is Answer.WORD:
        word = prompt.expects[0][0]
        told = (
            " enter never confirms, esc leaves"
            if two
            else f" typing {clean(word)} confirms; enter never does, esc leaves"
        )
        if not word.startswith(prompt.typed):
            told = (
                " does not fit: backspace, or esc leaves"
                if two
                else f" that is not {clean(word)}: backspace, or esc leaves"
            )
        return cut(line((end, "strong"), (told, "dim" if word.startswith(prompt.typed) else "strong")), state.width)
    letters = " or ".join(letter for letter, _ in prompt.expects)
    return cut(
        line((end, "strong"), (f" {letters} confirms; any other key leaves, nothing is changed", "dim")), state.width
    )

"""The foot of the screen: what is asked or told, and the keys; what has no room there lies over the end of the body."""

from kubernaut_tui.acting import PRODUCTION, about, moot, obstacle, open_pull
from kubernaut_tui.keys import BY_ID, KEYS, Key, for_screen
from kubernaut_tui.lines import Line, Span, beside, clean, cut, line, wrapped
from kubernaut_tui.state import Answer, Document, Prompt, State, Word
from kubernaut_tui.views import LISTS, Screen

from .body import what


def above(state: State) -> list[Line]:
    """What is asked or told beyond its own lines lies over the end of the body: neither is ever cut."""
    told, look = _told(state)
    parts, look = (_question(state)[:-1], _loudness(state)) if state.prompt else (told[:-2], look)
    return [cut(line((f" {part}", look)), state.width) for part in parts[-state.body_height :]]


def prompt_line(state: State) -> Line:
    """What is asked, told or waited for; a rule when there is nothing of that."""
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


def keys_line(state: State) -> Line:
    """The keys that can be used now, or how a question is answered."""
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
    if screen in LISTS and not state.mentioned():
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
        filters = " enter filters; !word leaves out what has it; empty shows all; esc leaves"
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

"""Keys while a question is open, and torn escape sequences while none is."""

from dataclasses import replace

from .acting import decide, moot, obstacle
from .effects import Effect, Press, Quit, Send
from .events import Pasted, Pressed
from .keys import COMMANDS
from .lines import clean
from .loading import begin, page
from .palette import entries
from .state import SETTLE_S, Answer, Prompt, Rows, State
from .views import START, Screen, View

_NOTHING_CHANGED = "left: nothing was changed"
_LIMIT = 500


def swallows(state: State, event: Pressed) -> bool:
    """Whether a key belongs to the open question or to a torn escape sequence, so that it is no command."""
    return state.prompt is not None or bool(_sequence(state.escape, event)[1])


def _sequence(escape: str, event: Pressed) -> tuple[str, bool]:
    """The torn sequence after a key, and whether the key was part of it.

    A link that pauses inside `ESC [ A` makes three keys of it, and some terminals end sequences in small letters.
    Whatever follows an escape as CSI or SS3 is dropped up to its final byte, however long that takes.
    """
    character = event.character
    if escape == "esc" and character in ("[", "O"):
        return ("csi" if character == "[" else "ss3"), True
    if escape == "ss3":
        return "", True
    if escape == "csi":
        return ("csi" if len(character) == 1 and " " <= character <= "?" else ""), True
    return ("esc" if event.key == "escape" else ""), False


def pressed(state: State, event: Pressed) -> tuple[State, tuple[Effect, ...]]:
    """The state after a raw key."""
    escape, torn = _sequence(state.escape, event)
    escape_at = event.at if torn or event.key == "escape" else state.escape_at
    state = replace(state, escape=escape, escape_at=escape_at)
    prompt = state.prompt
    if torn or prompt is None:
        return state, ()
    if prompt.answer is Answer.TEXT:
        return _text(state, prompt, event)
    if event.key in ("escape", "ctrl+c"):
        return replace(state, prompt=None).say(_NOTHING_CHANGED, "dim", 4.0), ()
    if prompt.painted_at is None or event.at < prompt.painted_at + SETTLE_S:
        return state, ()
    if why := obstacle(state) or moot(state):
        return replace(state, prompt=None).say(f"left, nothing was sent: {why}", "strong"), ()
    return _letter(state, prompt, event) if prompt.answer is Answer.LETTER else _word(state, prompt, event)


def _letter(state: State, prompt: Prompt, event: Pressed) -> tuple[State, tuple[Effect, ...]]:
    state = replace(state, prompt=None)
    if event.character and event.character in dict(prompt.expects):
        if prompt.purpose.startswith("which-"):
            item = state.document("wish", prompt.remediation)
            asked = state.document("approvals-of", prompt.remediation)
            if item and asked:
                return decide(state, prompt.purpose.removeprefix("which-"), item, asked, event.character), ()
        return send(state, dict(prompt.expects)[event.character])
    return state.say(_NOTHING_CHANGED, "dim", 4.0), ()


def _word(state: State, prompt: Prompt, event: Pressed) -> tuple[State, tuple[Effect, ...]]:
    if event.key == "enter":
        return state, ()
    typed = _edited(prompt.typed, event)
    word, effect = prompt.expects[0]
    if typed == word:
        return send(replace(state, prompt=None), effect)
    return replace(state, prompt=replace(prompt, typed=typed)), ()


def _edited(typed: str, event: Pressed) -> str:
    if event.key in ("backspace", "ctrl+h"):
        return typed[:-1]
    if event.key == "ctrl+u":
        return ""
    return (typed + event.character)[:_LIMIT] if event.character.isprintable() else typed


def pasted(state: State, event: Pasted) -> State:
    """Pasted text goes into texts only; it never answers a question."""
    prompt = state.prompt
    if prompt is None or prompt.answer is not Answer.TEXT:
        return state.say("pasted text was dropped: it never answers a question", "dim")
    return replace(state, prompt=replace(prompt, typed=(prompt.typed + clean(event.text.strip()))[:_LIMIT]))


def send(state: State, effect: Send) -> tuple[State, tuple[Effect, ...]]:
    """Send a change once; what is on its way is said."""
    if effect.remediation:
        state = replace(state, sending=state.sending | {effect.remediation})
    return state.say(f"sent: {effect.what} …", "accent", 60.0), (effect,)


def _text(state: State, prompt: Prompt, event: Pressed) -> tuple[State, tuple[Effect, ...]]:
    if event.key in ("escape", "ctrl+c") or (event.key == "backspace" and not prompt.typed):
        return replace(state, prompt=None), ()
    if event.key != "enter":
        return replace(state, prompt=replace(prompt, typed=_edited(prompt.typed, event))), ()
    state = replace(state, prompt=None)
    text = prompt.typed.strip()
    if prompt.purpose == "filter":
        return filtered(state, text)
    if prompt.purpose == "note":
        if not text:
            return state.say("an empty note was not written", "dim"), ()
        path = f"/v1/remediations/{prompt.remediation}/note"
        return send(state, Send(f"note on {prompt.remediation}", path, {"text": text}, remediation=prompt.remediation))
    if text and prompt.purpose == "palette" and text.partition(" ")[0] not in _WORDS:
        found = entries(state.view.screen, text)
        if found and found[0].key:
            return state, (Press(found[0].key),)
        text = found[0].name if found else text
    return command(state, text)


_WORDS = frozenset({name.partition(" ")[0] for name, _ in COMMANDS} | {"quit", "q!", "f", "h", "rr"})


def filtered(state: State, text: str, *, faults: bool | None = None) -> tuple[State, tuple[Effect, ...]]:
    """The list with another filter, from its top; the daemon filters, so without it what is there is kept."""
    if not state.connected:
        return state.say(f"the daemon filters, and it is {state.word}: the list stays as it is", "strong"), ()
    faults = state.faults if faults is None else faults
    views = state.views if state.view.screen is Screen.REMEDIATIONS else (START,)
    state = replace(state, filter=text, faults=faults, rows=Rows(), acted_at=-1e9, views=views)
    return begin(state, (page(state),))


def command(state: State, text: str) -> tuple[State, tuple[Effect, ...]]:
    """A line of the command line."""
    word, _, rest = text.partition(" ")
    rest = rest.strip()
    match word:
        case "":
            return state, ()
        case "q" | "quit" if state.sending:
            return state.say(
                "a change is on its way and its outcome not known yet: :q! leaves all the same", "strong"
            ), ()
        case "q" | "quit" | "q!":
            return state, (Quit(),)
        case "rw":
            if state.read_only:
                return state.say("this console was started with --read-only", "strong"), ()
            if not rest:
                return state.say("say why, it goes into the journal: :rw REASON", "strong"), ()
            return send(state, Send("read-write for production", "/v1/arm", {"reason": rest}))
        case "ro":
            return send(state, Send("read-only for production", "/v1/arm", method="DELETE"))
        case "filter" | "f":
            return filtered(state, rest)
        case "help" | "h":
            return replace(state, views=(*state.views, View(Screen.HELP)), before=state.view), ()
        case "remediations" | "rr":
            return replace(state, views=(START,), before=state.view, dirty=state.dirty | {"view"}), ()
        case "approvals":
            view = View(Screen.APPROVALS)
            return replace(state, views=(START, view), before=state.view, dirty=state.dirty | {"view"}), ()
        case "breakglass" | "audit" | "policies" | "clusters":
            return state.say(f":{word} is not built yet", "strong"), ()
        case _:
            return state.say(f"there is no :{clean(word)}; ? shows what there is", "strong"), ()

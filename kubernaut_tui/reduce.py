"""`reduce` makes the next state and says what the outside is to do. It is pure: no clock, no network, no terminal."""

from dataclasses import replace

from . import acting, loading, moving, prompts
from .effects import Copy, Effect, Load, Repaint, Send
from .events import (
    Commanded,
    Connected,
    Copied,
    Done,
    Event,
    Loaded,
    LoadFailed,
    Lost,
    NotDone,
    Painted,
    Pasted,
    Pressed,
    Pulse,
    Resized,
    Stumbled,
)  # fmt: skip
from .keys import BY_ID
from .screens.body import copyable
from .state import WIDE, Answer, Document, Prompt, Rows, State
from .views import START, TABS, Screen, View

Next = tuple[State, tuple[Effect, ...]]
_STATUS_S = 5.0
_WISH_S = 10.0
_OPENS = {screen.value: screen for screen in TABS[1:]}
_MOVES = frozenset({"down", "up", "page-down", "page-up", "top", "bottom"})


def reduce(state: State, event: Event) -> Next:
    """The state after an event, and its effects."""
    match event:
        case Pressed():
            return _settled(prompts.pressed(state, event))
        case Commanded():
            return _settled(_commanded(replace(state, at=max(state.at, event.at)), event))
        case Painted():
            prompt = state.prompt
            if prompt is None or prompt.painted_at is not None:
                return state, ()
            return replace(state, prompt=replace(prompt, painted_at=event.at)), ()
        case Pulse():
            return _pulse(state, event)
        case Loaded():
            return _settled(_loaded(state, event))
        case LoadFailed():
            return _load_failed(state, event), ()
        case Done():
            return _done(state, event)
        case NotDone():
            return _not_done(state, event)
        case Pasted():
            return prompts.pasted(state, event), ()
        case Resized():
            return _shown(replace(state, width=event.width, height=event.height))
        case Connected():
            return _connected(state, event)
        case Lost():
            return _lost(state, event), ()
        case Stumbled():
            return _stumbled(state, event), ()
        case Copied():
            return state.say(f"offered to the terminal's clipboard: {event.text}", "", 15.0), ()


def _settled(result: Next) -> Next:
    """A view that a command opened gets its loads."""
    state, effects = result
    if "view" not in state.dirty:
        return result
    state, loads = _shown(replace(state, dirty=state.dirty - {"view"}))
    return state, (*effects, *loads)


def _shown(state: State) -> Next:
    """Load what the view lives from; forget what no view needs."""
    needed = {view.target for view in state.views} | {state.rows.cursor, ""}
    needed |= {state.before.target} if state.before else set()
    needed |= {state.wish.remediation} if state.wish else set()
    needed |= {state.prompt.remediation} if state.prompt else set()
    state = replace(
        state,
        documents={k: v for k, v in state.documents.items() if k[1] in needed},
        problems={k: v for k, v in state.problems.items() if k[1] in needed},
        scrolls={view: at for view, at in state.scrolls.items() if view.target in needed},
    )
    return loading.begin(state, loading.wanted(state, state.view)) if state.connected else (state, ())


def _pulse(state: State, event: Pulse) -> Next:
    before = state.word
    state = replace(
        state,
        at=event.at,
        wall=event.wall,
        last_line=max(state.last_line, event.last_line),
        heard=state.heard | event.heard,
    )
    dirty = {"page", "status"} if event.heard else set()
    dirty |= {"approvals"} if event.approvals else set()
    if event.at - state.status_at >= _STATUS_S:
        dirty |= {"status", "page", "approvals", "problems"} if state.problems else {"status"}
        state = replace(state, status_at=event.at)
    state = replace(state, dirty=state.dirty | dirty)
    if state.notice and event.at >= state.notice_until:
        state = replace(state, notice="")
    if state.word is not before:
        state = _without_old_excuse(state)
    if state.wish and event.at - state.wish.at > _WISH_S:
        state = replace(state, wish=None).say("the daemon did not answer in time: nothing was sent", "strong")
    return loading.due(state)


def _connected(state: State, event: Connected) -> Next:
    state = replace(state, connected=True, ever=True, reason="", status=event.status, last_line=event.at, at=event.at)
    state = loading.forgotten(_without_old_excuse(state), state.documents, asked=True)
    state, loads = _shown(state)
    uncertain = tuple(loading.remediation(target, "readback") for target in state.uncertain)
    state, more = loading.begin(state, uncertain)
    return state, (*loads, *more)


def _stumbled(state: State, event: Stumbled) -> State:
    """As before, with a word about it; when not even that can be shown, without anything that may be to blame."""
    state = replace(state, at=max(state.at, event.at), wall=event.wall)
    if event.again:
        state = replace(
            state, views=(START,), before=None, rows=Rows(), asked=Rows(), documents={}, status=None, prompt=None,
            wish=None, dirty=frozenset({"page", "status"}),
        )  # fmt: skip
    return state.say(f"that can't be shown ({event.what}): console and daemon differ in version?", "strong")


def _lost(state: State, event: Lost) -> State:
    since = state.wall if state.connected or not state.reason else state.lost_wall
    lost = replace(state, connected=False, reason=event.reason, loading=frozenset(), lost_wall=since)
    return _without_old_excuse(lost) if state.connected else lost


def _without_old_excuse(state: State) -> State:
    """The link is another than it was: why a key could change nothing is not why it can't now."""
    return replace(state, notice="") if state.notice.startswith(acting.NOT_NOW) else state


def _commanded(state: State, event: Commanded) -> Next:
    command, screen = event.id, state.view.screen
    key = BY_ID[command]
    state = replace(state, wish=None, notice="" if state.notice_style == "dim" else state.notice)
    if key.screens and screen not in key.screens:
        return state.say(f"{key.shown} ({key.label}) has no meaning here; ? shows what has", "dim", 3.0), ()
    if key.changing:
        return acting.wish(replace(state, acted_at=event.at), command, event.at)
    if command in _MOVES:
        return moving.move(state, command)
    if command in _OPENS:
        target = state.mentioned()
        return _open(state, View(_OPENS[command], target)) if target else (state.say("nothing is selected", "dim"), ())
    match command:
        case "open":
            return _enter(state)
        case "next" | "previous":
            return moving.to_hunk(state, 1 if command == "next" else -1), ()
        case "list":
            return _open(replace(state, views=()), START, before=state.view)
        case "approvals":
            return _open(replace(state, views=(START,)), View(Screen.APPROVALS), before=state.view)
        case "help":
            return _open(state, View(Screen.HELP)) if screen is not Screen.HELP else _back(state)
        case "back":
            return _back(state)
        case "last":
            return _open(state, state.before) if state.before else (state, ())
        case "filter":
            return replace(state, prompt=Prompt("/", Answer.TEXT, purpose="filter", typed=state.filter)), ()
        case "command" | "palette":
            return replace(state, prompt=Prompt(":", Answer.TEXT, purpose=command)), ()
        case "faults":
            return prompts.filtered(state, state.filter, faults=not state.faults)
        case "release":
            state = replace(state, acted_at=-1e9)
            return loading.begin(state, (loading.page(state),))
        case "wrap":
            state = replace(state, rewrapped=state.rewrapped ^ {screen})
            return state.say("long lines are " + ("wrapped" if state.wraps(screen) else "cut"), "dim", 3.0), ()
        case "tab" | "tab-back":
            tabs = TABS if command == "tab" else TABS[::-1]
            behind = tabs[(tabs.index(screen) + 1) % len(tabs)]
            return _open(replace(state, views=state.views[:-1]), View(behind, state.view.target), before=state.view)
        case "split":
            return _split(state)
        case "copy":
            text = copyable(state)
            return (state, (Copy(text),)) if text else (state.say("nothing to copy here", "dim"), ())
        case "refresh":
            state, loads = _shown(state)
            return state, (Repaint(), *loads)
        case _:
            return state.say(":q quits", "dim"), ()


def _open(state: State, view: View, before: View | None = None) -> Next:
    before = before or state.view
    cut = state.views.index(view) if view in state.views else len(state.views)
    views = (*state.views[:cut], view)
    return _shown(replace(state, views=views, before=before if before != view else state.before))


def _split(state: State) -> Next:
    if state.width < WIDE:
        return state.say(f"two panes need {WIDE} columns, this terminal has {state.width}", "dim", 3.0), ()
    return _shown(replace(state, single=not state.single))


def _enter(state: State) -> Next:
    if state.view.screen is Screen.APPROVALS:
        item = state.asked.current
        if item is None:
            return state, ()
        documents = {**state.documents, ("approval", str(item["id"])): item}
        return _open(replace(state, documents=documents), View(Screen.APPROVAL, str(item["id"])))
    target = state.mentioned()
    return _open(state, View(Screen.DETAIL, target)) if target else (state, ())


def _back(state: State) -> Next:
    if len(state.views) > 1:
        return _shown(replace(state, views=state.views[:-1], before=state.view))
    if state.filter or state.faults:
        return prompts.filtered(state, "", faults=False)
    return state.say(":q quits", "dim", 3.0), ()


def _loaded(state: State, event: Loaded) -> Next:
    load, document = event.load, event.document
    problems = {k: v for k, v in state.problems.items() if k != (load.kind, load.target)}
    state = replace(state, loading=state.loading - {load}, problems=problems)
    match load.kind:
        case "page":
            before = state.rows.cursor
            state = loading.take_page(state, load, document)
            if state.beside and state.rows.cursor not in ("", before):
                return loading.begin(state, (loading.remediation(state.rows.cursor),))
            return state, ()
        case "rows":
            return loading.take_rows(state, document), ()
        case "status":
            return replace(state, status=document), ()
        case "approvals":
            items = tuple(document["items"])[:500]
            total = int(document.get("total", len(items)))
            return replace(state, asked=loading.placed(state, state.asked, items, 0, total, "id")), ()
        case "readback":
            return _read_back(state, load, document)
    if not _cared_for(state, load):
        return state, ()
    document = {**document, "read_wall": state.wall}
    state = replace(state, documents={**state.documents, (load.kind, load.target): document})
    return acting.ready(state), ()


def _cared_for(state: State, load: Load) -> bool:
    """Whether anything on the screen still is about the reply's target."""
    targets = {view.target for view in state.views} | {state.rows.cursor}
    targets |= {state.wish.remediation} if state.wish else set()
    if load.kind in ("wish", "wish-diff"):
        return state.wish is not None and state.wish.remediation == load.target
    return load.target in targets


def _load_failed(state: State, event: LoadFailed) -> State:
    load = event.load
    state = replace(state, loading=state.loading - {load})
    if state.wish and load.target == state.wish.remediation and load.kind in ("wish", "wish-diff", "approvals-of"):
        state = replace(state, wish=None)
        return state.say(f"nothing was sent: {event.message}", "strong")
    return replace(state, problems={**state.problems, (load.kind, load.target): event.message})


def _done(state: State, event: Done) -> Next:
    send, document = event.send, event.document
    state = replace(state, sending=state.sending - {send.remediation})
    if send.path == "/v1/arm":
        mode = {"armed": document["armed"], "until": document["until"], "reason": document["reason"]}
        state = replace(state, status={**(state.status or {}), "mode": mode})
        word = f"READ-WRITE until {str(document['until'])[11:16]}Z" if document["armed"] else "READ-ONLY again"
        return state.say(f"production is {word}", "strong"), ()
    state = state.say(f"done: {send.what}{_votes(document)}", "strong")
    state = replace(
        state, views=_after(state, send), heard=state.heard | {send.remediation}, dirty=state.dirty | {"page"}
    )
    return _shown(state)


def _after(state: State, send: Send) -> tuple[View, ...]:
    """Where one sees what becomes of it: a vote leaves its approval, a merge its diff, which shows no progress."""
    views = state.views
    if "/vote" in send.path:
        views = tuple(view for view in views if view.screen is not Screen.APPROVAL)
    elif send.path.endswith("/merge") and views[-1] == View(Screen.DIFF, send.remediation):
        detail = View(Screen.DETAIL, send.remediation)
        views = (*(view for view in views[:-1] if view != detail), detail)
    return views or (START,)


def _votes(document: object) -> str:
    if not isinstance(document, dict) or "votes" not in document or document["phase"] != "Pending":
        return ""
    given = sum(vote["verdict"] == "approve" for vote in document["votes"])
    return f" ({given} of {document['min_approvers']} votes)"


def _not_done(state: State, event: NotDone) -> Next:
    send = event.send
    state = replace(state, sending=state.sending - {send.remediation})
    if not event.unknown:
        return state.say(f"not done: {send.what}: {event.message}", "danger", 20.0), ()
    state = state.say(
        f"UNKNOWN whether {send.what} happened: {event.message}. It is read back, never repeated", "danger", 60.0
    )
    if not send.remediation:
        return loading.begin(state, (loading.STATUS,))
    state = replace(state, uncertain={**state.uncertain, send.remediation: send.what})
    return loading.begin(state, (loading.remediation(send.remediation, "readback"),))


def _read_back(state: State, load: Load, document: Document) -> Next:
    what = state.uncertain.get(load.target, "")
    uncertain = {k: v for k, v in state.uncertain.items() if k != load.target}
    state = replace(state, uncertain=uncertain, heard=state.heard | {load.target}, dirty=state.dirty | {"page"})
    story = f"{document['phase']}: {document['story']}"
    state = state.say(f"{what}: the reply was lost; read back, it is now {story}", "strong", 30.0)
    return _shown(state)

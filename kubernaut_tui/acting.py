"""Keys that change something: from the key to the question to what is sent.

The key captures what it was pressed on. The facts that the question needs are then read fresh, and the question is about
exactly those: plan hash, head commit and version go with the answer, and the daemon refuses if they changed meanwhile.
"""

from dataclasses import replace

from .effects import Load, Send
from .keys import BY_ID
from .lines import clean
from .loading import approvals_of, begin, diff_of, remediation
from .state import Answer, Document, Prompt, State, Wish, Word
from .views import Screen, View

PRODUCTION = frozenset({"production", "unknown"})
NOT_NOW = "not now: "
"""How every notice begins that tells why a changing key can change nothing at the moment."""
_AFTER_ESC_S = 1.0
_FACTS = ("wish", "wish-diff", "approvals-of")
"""What a question is made of: read when its key was pressed, never what happened to be there."""


def place(environment: str, cluster: str) -> str:
    """Where it would happen; production in capitals."""
    word = "PRODUCTION" if environment in PRODUCTION else clean(environment)
    note = " (environment unknown)" if environment == "unknown" else ""
    return f"{word} {clean(cluster)}{note}"


def obstacle(state: State) -> str:
    """Why no key can change anything now; empty when one can."""
    if state.read_only:
        return "this console was started with --read-only"
    if state.word is Word.STALE:
        return f"the screen is STALE, nothing heard for {state.stale_s:.0f}s: changing keys wait until it is LIVE"
    if state.word is not Word.LIVE:
        return f"the daemon is {state.word}: changing keys wait until it is LIVE"
    role = state.status["me"]["role"] if state.status else None
    if role in (None, "viewer"):
        return "your role is viewer: changes need the role approver"
    return ""


def moot(state: State) -> str:
    """Why the open question has no object any more, because somebody else was faster; empty while it has one."""
    prompt = state.prompt
    send = prompt.expects[0][1] if prompt and prompt.expects else None
    if prompt is None or send is None or not send.path:
        return ""
    _, _, kind, name, *_ = send.path.split("/")
    approval = state.document("approval", name) if kind == "approvals" else None
    if approval and approval["phase"] != "Pending":
        return f"it is {clean(approval['phase']).lower()} meanwhile"
    pull = (state.document("diff", prompt.remediation) or {}).get("pull_request") if kind == "pulls" else None
    if pull and pull["state"] != "open":
        return f"#{pull['number']} is {clean(pull['state'])} meanwhile"
    item = state.document("remediation", prompt.remediation)
    return f"{item['id']} has ended meanwhile ({clean(item['phase'])})" if item and item["ended"] else ""


def about(state: State) -> Document | None:
    """The row or document of the remediation that the view is about."""
    target = state.mentioned()
    found = state.document("remediation", target)
    if found is None:
        found = next((row for row in state.rows.items if row["id"] == target), None)
    return found


def wish(state: State, command: str, at: float) -> tuple[State, tuple[Load, ...]]:
    """A changing key was pressed."""
    if at - state.escape_at < _AFTER_ESC_S:
        return state.say(f"{BY_ID[command].shown} came with an escape sequence and was dropped: press it again"), ()
    if why := obstacle(state):
        return state.say(f"{NOT_NOW}{why}", "strong"), ()
    target = state.mentioned()
    if not target:
        return state.say("nothing is selected", "dim"), ()
    if target in state.uncertain:
        return state.say(f"UNKNOWN whether {state.uncertain[target]} happened: being read back", "strong"), ()
    if command == "note":
        return replace(state, prompt=Prompt(f"note on {target}: ", Answer.TEXT, purpose="note", remediation=target)), ()
    known = about(state)
    cluster = str(known["cluster"]) if known else ""
    if known and known["environment"] in PRODUCTION and not state.armed:
        return state.say("production is READ-ONLY: type :rw and a reason to arm it for 15 min", "strong"), ()
    if known and known["ended"]:
        return state.say(f"{target} has ended ({clean(known['phase'])}): nothing to {BY_ID[command].label}"), ()
    state = replace(state, wish=Wish(command, target, cluster, at), notice="")
    documents = {k: v for k, v in state.documents.items() if k[1] != target or k[0] not in _FACTS}
    loads = (remediation(target, "wish"), approvals_of(target), diff_of(target, "wish-diff"))
    return begin(replace(state, documents=documents), loads)


def ready(state: State) -> State:
    """When the facts for a wish are there: the question."""
    wish = state.wish
    if wish is None:
        return state
    item = state.document("wish", wish.remediation)
    asked = state.document("approvals-of", wish.remediation)
    if item is None or asked is None or state.document("wish-diff", wish.remediation) is None:
        return state
    state = replace(state, wish=None)
    if item["environment"] in PRODUCTION and not state.armed:
        return state.say("production is READ-ONLY: type :rw and a reason to arm it for 15 min", "strong")
    if wish.command in ("approve", "reject"):
        return decide(state, wish.command, item, asked)
    return _stopping(state, wish.command, item)


def pending(asked: Document) -> Document | None:
    """The approval that waits for a vote."""
    return next((a for a in asked["items"] if a["phase"] == "Pending"), None)


def open_pull(item: Document) -> Document | None:
    """The pull request that waits for its merge."""
    for track in item["tracks"]:
        pull = track["proposal"]["pull_request"] if track["kind"] == "gitops" else None
        if pull and pull["state"] == "open" and track["phase"] in ("AwaitingMerge", "Overdue"):
            return dict(pull)
    return None


def decide(state: State, command: str, item: Document, asked: Document, which: str = "") -> State:
    """The question of a vote or a merge; when both wait, which of them."""
    approval, pull = pending(asked), open_pull(item)
    known = (state.document("wish-diff", item["id"]) or {}).get("pull_request")
    if pull and known and known["number"] == pull["number"]:
        pull = {**pull, **known}
    if approval and pull and not which:
        question = f"{command}: p the plan ({clean(approval['action'])}), m the pull request #{pull['number']}?"
        return _ask(
            state, Prompt(question, Answer.LETTER, (("p", _NOTHING), ("m", _NOTHING)), f"which-{command}", item["id"])
        )
    if approval and which != "m":
        return _vote(state, command, approval)
    if pull:
        return _merge(state, command, item, pull)
    return state.say(f"{item['id']} waits for nobody: {clean(item['story'])}")


_NOTHING = Send("", "")


def _down(state: State, cluster: str) -> str:
    for known in (state.status or {}).get("clusters", ()):
        if known["name"] == cluster and known["state"] != "LIVE":
            return f"cluster {clean(cluster)} is {known['state']}: approve when it is back (x and s still work)"
    return ""


def _vote(state: State, command: str, approval: Document) -> State:
    if not approval["may_vote"]:
        return state.say(f"not you: {clean(approval['why_not'])}", "strong")
    if command == "approve" and (why := _down(state, approval["cluster"])):
        return state.say(f"{NOT_NOW}{why}", "strong")
    target = approval["target"]
    verdict = "approve" if command == "approve" else "reject"
    where = place(approval["environment"], approval["cluster"])
    what = f"{clean(approval['action'])} {clean(target['name'])}"
    body = {"verdict": verdict, "plan_hash": approval["plan_hash"], "reason": "", "confirm": ""}
    send = Send(
        f"{verdict} {what}", f"/v1/approvals/{approval['id']}/vote", body, remediation=approval["remediation_id"]
    )
    view = View(Screen.APPROVAL, approval["id"])
    documents = {**state.documents, ("approval", approval["id"]): approval}
    views = state.views if state.view == view else (*state.views, view)
    state = replace(state, documents=documents, views=views, before=state.view)
    if verdict == "reject":
        return _ask(state, _letter(f"Reject {what} in {where}?", send))
    if approval["confirm"] == "y":
        send = replace(send, body={**body, "confirm": "y"})
        return _ask(state, _letter(f"{what} in {where}?", send))
    word = str(approval["confirm"])
    send = replace(send, body={**body, "confirm": word})
    return _ask(state, _word(f"{what} in {where}?", word, send))


def _merge(state: State, command: str, item: Document, pull: Document) -> State:
    where = place(item["environment"], item["cluster"])
    number = f"#{pull['number']}"
    path = f"/v1/pulls/{pull['repository']}/{pull['number']}"
    if state.view.screen in (Screen.REMEDIATIONS, Screen.APPROVALS, Screen.APPROVAL):
        view = View(Screen.DIFF, item["id"])
        state = replace(state, views=(*state.views, view), before=state.view, dirty=state.dirty | {"view"})
    if command == "reject":
        send = Send(f"close {number}", f"{path}/close", {"reason": ""}, remediation=item["id"])
        return _ask(state, _letter(f"Close pull request {number} unmerged ({where})?", send))
    if why := _down(state, item["cluster"]):
        return state.say(f"{NOT_NOW}{why}", "strong")
    if not pull.get("may_merge", True):
        return _review(state, pull, path, number, where)
    send = Send(
        f"merge {number}", f"{path}/merge", {"expected_head": pull["head_commit"], "reason": ""}, remediation=item["id"]
    )
    question = f"Merge pull request {number} into {where}?"
    if item["environment"] in PRODUCTION:
        return _ask(state, _word(question, str(item["target"]["name"]), send))
    return _ask(state, _letter(question, send))


def _review(state: State, pull: Document, path: str, number: str, where: str) -> State:
    """A yes to the commit that was seen, where the merge needs more people than this one."""
    quorum, me = pull["quorum"], (state.status or {}).get("me", {}).get("name", "")
    given = list(quorum["approved_by"])
    if not pull["may_review"]:
        return state.say(f"not you: {clean(pull['why_no_review'])}", "strong")
    if me in given:
        return state.say(f"you said yes already: {clean(pull['why_not'])}", "strong")
    body = {"verdict": "approve", "expected_head": pull["head_commit"], "reason": ""}
    send = Send(f"approve {number}", f"{path}/review", body, remediation=str(pull["remediation_id"]))
    return _ask(
        state, _letter(f"Approve pull request {number} for {where}? {len(given)} of {quorum['needed']} said yes", send)
    )


_VERBS = {"stop": ("cancel", "Stop"), "roll-back": ("cancel", "Roll back"), "escalate": ("escalate", "Take over")}


def _stopping(state: State, command: str, item: Document) -> State:
    """Stop and roll back are one: what ran is undone where it can be, an open pull request is closed. Who takes it over
    finds both as they are."""
    if item["ended"]:
        return state.say(f"{item['id']} has ended ({clean(item['phase'])}): nothing to {BY_ID[command].label}")
    mutated = any(t["kind"] == "imperative" and t["mutated"] for t in item["tracks"])
    if command == "roll-back" and not mutated:
        return state.say("nothing ran yet, so there is nothing to roll back: s stops it")
    pull = open_pull(item)
    path, verb = _VERBS[command]
    kept = command == "escalate"
    ends = ["what ran" if kept else "undoes what ran"] if mutated else []
    ends += [f"#{pull['number']}" if kept else f"closes #{pull['number']}"] if pull else []
    body = {"reason": "", "version": item["version"]}
    send = Send(f"{command} {item['id']}", f"/v1/remediations/{item['id']}/{path}", body, remediation=item["id"])
    told = f"? It {'leaves ' if kept else ''}{' and '.join(ends)}{' as it is' if kept else ''}" if ends else "?"
    text = f"{verb} {item['id']} in {place(item['environment'], item['cluster'])}{told}"
    if mutated and not kept and item["environment"] in PRODUCTION:
        return _ask(state, _word(text, str(item["target"]["name"]), send))
    return _ask(state, _letter(text, send))


def _ask(state: State, prompt: Prompt) -> State:
    return replace(state, prompt=prompt, notice="")


def _letter(question: str, send: Send) -> Prompt:
    return Prompt(question, Answer.LETTER, (("y", send),), remediation=send.remediation)


def _word(question: str, word: str, send: Send) -> Prompt:
    return Prompt(question, Answer.WORD, ((word, send),), remediation=send.remediation)

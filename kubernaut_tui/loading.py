"""What is to be loaded for what is shown, and what becomes of the replies."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from .effects import Load
from .state import PAGE, Document, Rows, State
from .views import Screen, View


def page(state: State) -> Load:
    """The window of the list that is wanted now."""
    params = [("offset", str(state.rows.wanted)), ("limit", str(PAGE))]
    if state.filter:
        params.append(("text", state.filter))
    if state.faults:
        params.append(("faults", "true"))
    return Load("page", "", "/v1/remediations", tuple(params))


def remediation(target: str, kind: str = "remediation") -> Load:
    """One remediation, whole."""
    return Load(kind, target, f"/v1/remediations/{target}")


def approvals_of(target: str) -> Load:
    """The approvals of one remediation."""
    return Load("approvals-of", target, "/v1/approvals", (("remediation", target),))


def diff_of(target: str, kind: str = "diff") -> Load:
    """The proposed change, its pull request, and what the caller may do with it."""
    return Load(kind, target, f"/v1/remediations/{target}/diff")


def wanted(state: State, view: View) -> tuple[Load, ...]:
    """The loads that a view lives from."""
    target = view.target
    match view.screen:
        case Screen.REMEDIATIONS:
            beside = (remediation(state.rows.cursor),) if state.beside and state.rows.cursor else ()
            return (page(state), *beside)
        case Screen.DETAIL:
            return (remediation(target), approvals_of(target), diff_of(target))
        case Screen.TIMELINE:
            return (remediation(target), approvals_of(target))
        case Screen.DIFF:
            return (diff_of(target), remediation(target))
        case Screen.LOGS | Screen.YAML | Screen.TREE:
            return (Load(view.screen.value, target, f"/v1/remediations/{target}/{view.screen.value}"),)
        case Screen.APPROVALS:
            return (Load("approvals", "", "/v1/approvals", (("pending", "true"), ("limit", "500"))),)
        case Screen.APPROVAL:
            return (Load("approval", target, f"/v1/approvals/{target}"),)
        case _:
            return ()


STATUS = Load("status", "", "/v1/status")


def begin(state: State, loads: Iterable[Load]) -> tuple[State, tuple[Load, ...]]:
    """Those loads that are not in flight yet, and the state that knows of them."""
    fresh = tuple(dict.fromkeys(load for load in loads if load not in state.loading))
    return replace(state, loading=state.loading | set(fresh)), fresh


def due(state: State) -> tuple[State, tuple[Load, ...]]:
    """At a pulse: what changed since it was loaded and is looked at; nothing while the daemon is away."""
    if not state.connected:
        return state, ()
    loads: list[Load] = []
    about = {state.view.target, state.rows.cursor if state.beside else ""} - {""}
    for load in wanted(state, state.view):
        changed = {
            "page": "page" in state.dirty,
            "remediation": load.target in state.heard and load.target in about,
            "approvals-of": "approvals" in state.dirty or load.target in state.heard,
            "approvals": "approvals" in state.dirty,
            "approval": "approvals" in state.dirty,
            "diff": load.target in state.heard,
            "tree": load.target in state.heard or "status" in state.dirty,
        }.get(load.kind, False)
        if changed or ("problems" in state.dirty and (load.kind, load.target) in state.problems):
            loads.append(load)
    if "status" in state.dirty:
        readbacks = (remediation(target, "readback") for target in state.uncertain)
        loads += [load for load in readbacks if load not in state.loading]
        loads.append(STATUS)
    if state.frozen and "page" in state.dirty and state.view.screen is Screen.REMEDIATIONS and state.rows.items:
        ids = ",".join(str(row["id"]) for row in shown(state, state.rows))
        loads.append(Load("rows", "", "/v1/remediations", (("ids", ids), ("limit", "500"))))
    busy = any(load in state.loading for load in loads)
    state, fresh = begin(state, loads)
    if busy:
        return state, fresh
    kinds = {load.kind for load in fresh} | {"problems"}
    kinds |= {"approvals"} if state.view.screen is not Screen.APPROVALS else set()
    asked = "approvals" in state.dirty
    old = {key for key in state.documents if key[1] in state.heard or (asked and "approval" in key[0])}
    return replace(forgotten(state, old, asked=asked), dirty=state.dirty - kinds, heard=frozenset()), fresh


def forgotten(state: State, old: Collection[tuple[str, str]], *, asked: bool) -> State:
    """Without what has changed and nobody looks at: seen later, it would pass for what is so now.

    Args:
        asked: whether the list of approvals has changed, too.
    """
    acted_on = {state.wish.remediation if state.wish else "", state.prompt.remediation if state.prompt else ""}
    kept = {(load.kind, load.target) for load in wanted(state, state.view)}
    documents = {
        key: document for key, document in state.documents.items()
        if key not in old or key in kept or key[1] in acted_on
    }  # fmt: skip
    if asked and state.view.screen is not Screen.APPROVALS:
        state = replace(state, asked=replace(state.asked, items=(), known=False))
    return replace(state, documents=documents)


def shown(state: State, rows: Rows) -> tuple[Document, ...]:
    """The rows that fit on the screen."""
    return rows.items[rows.top : rows.top + visible(state)]


def visible(state: State) -> int:
    """How many rows of a list fit below its header."""
    return max(1, state.body_height - 1)


def take_page(state: State, load: Load, document: Document) -> State:
    """A window arrived: in the order of the daemon, or, while the order is frozen, into the rows that are shown."""
    params = dict(load.params)
    asked = dict(page(state).params)
    if any(params.get(name) != asked.get(name) for name in ("text", "faults", "offset")):
        return state
    items, offset = tuple(document["items"]), int(params["offset"])
    rows = state.rows
    total = int(document["total"])
    if not items and total and offset:
        rows = replace(rows, wanted=max(0, total - PAGE), total=total)
        return replace(state, rows=rows, dirty=state.dirty | {"page"})
    if state.frozen and rows.items and offset == rows.offset:
        by_id = {row["id"]: row for row in items}
        kept = tuple(by_id.pop(row["id"], row) for row in rows.items)
        return replace(state, rows=replace(rows, items=kept, total=total, unseen=len(by_id)))
    return replace(state, rows=placed(state, replace(rows, unseen=0), items, offset, total, "id"))


def take_rows(state: State, document: Document) -> State:
    """New contents of rows that are shown; the order stays."""
    by_id = {row["id"]: row for row in document["items"]}
    items = tuple(by_id.get(row["id"], row) for row in state.rows.items)
    return replace(state, rows=replace(state.rows, items=items))


def placed(state: State, rows: Rows, items: tuple[Document, ...], offset: int, total: int, key: str) -> Rows:
    """Rows with new contents: the cursor stays on its id, or where it was when that is gone."""
    ids = [str(item[key]) for item in items]
    absolute = rows.offset + rows.index
    near = min(max(0, absolute - offset), max(0, len(items) - 1))
    index = ids.index(rows.cursor) if rows.cursor in ids else near
    drift = (rows.top - rows.index) if rows.known else 0
    top = min(max(0, index + drift), max(0, len(items) - visible(state)))
    moved = replace(rows, items=items, offset=offset, total=total, index=index, top=top, known=True)
    moved = replace(moved, cursor=ids[index] if ids else "")
    return scrolled(moved, visible(state))


def scrolled(rows: Rows, height: int) -> Rows:
    """Rows with the cursor on the screen."""
    top = min(rows.top, rows.index)
    top = max(top, rows.index - height + 1)
    return replace(rows, top=max(0, top))

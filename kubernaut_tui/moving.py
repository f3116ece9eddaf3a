"""Moving: cursors in lists, scrolling in texts, hunks in a diff."""

from dataclasses import replace

from .effects import Load
from .loading import begin, page, remediation, scrolled, visible
from .screens.body import body, hunks
from .state import PAGE, Rows, State
from .views import Screen

_EDGE = 45
"""So near to the end of the window the next one is asked for: two pages, so that no key has to wait for it."""


def move(state: State, command: str) -> tuple[State, tuple[Load, ...]]:
    """The state after one of the moving commands."""
    screen = state.view.screen
    if screen is Screen.REMEDIATIONS:
        return _in_list(state, command)
    if screen is Screen.APPROVALS:
        rows = state.asked
        index = _target(command, rows.index, len(rows.items), visible(state))
        return replace(state, asked=_at(state, rows, index, "id")), ()
    return _in_text(state, command), ()


def _target(command: str, index: int, count: int, height: int) -> int:
    wanted = {
        "down": index + 1, "up": index - 1, "page-down": index + height, "page-up": index - height,
        "top": 0, "bottom": count - 1,
    }[command]  # fmt: skip
    return min(max(0, wanted), max(0, count - 1))


def _at(state: State, rows: Rows, index: int, key: str) -> Rows:
    if not rows.items:
        return rows
    return scrolled(replace(rows, index=index, cursor=str(rows.items[index][key])), visible(state))


def _in_list(state: State, command: str) -> tuple[State, tuple[Load, ...]]:
    rows = state.rows
    last = max(0, rows.total - 1)
    if command == "bottom" and state.connected and rows.offset + len(rows.items) <= last:
        start = max(0, rows.total - PAGE)
        rows = replace(rows, offset=start, wanted=start, index=last - start, cursor="", items=(), known=True)
        state = replace(state, rows=rows)
        return begin(state, (page(state),))
    if command == "top" and state.connected and rows.offset:
        state = replace(state, rows=Rows(total=rows.total), acted_at=-1e9)
        return begin(state, (page(state),))
    index = _target(command, rows.index, len(rows.items), visible(state))
    state = replace(state, rows=_at(state, rows, index, "id"), acted_at=state.at)
    wanted = _next_window(state.rows)
    loads: list[Load] = []
    if wanted != state.rows.wanted:
        state = replace(state, rows=replace(state.rows, wanted=wanted))
        loads.append(page(state))
    if state.beside and state.rows.cursor != rows.cursor:
        loads.append(remediation(state.rows.cursor))
    return begin(state, loads)


def _next_window(rows: Rows) -> int:
    """The offset of the window that the cursor needs: another one when it comes near an end of this one."""
    below = rows.offset + len(rows.items) < rows.total and len(rows.items) - rows.index < _EDGE
    above = rows.offset > 0 and rows.index < _EDGE
    if rows.wanted != rows.offset or not (below or above):
        return rows.wanted
    return max(0, rows.offset + rows.index - PAGE // 2)


def _in_text(state: State, command: str) -> State:
    count = len(body(state))
    height = state.body_height
    at = state.scrolls.get(state.view, 0)
    lines = {"down": at + 1, "up": at - 1, "page-down": at + height - 1, "page-up": at - height + 1, "top": 0}
    return scroll_to(state, lines.get(command, count), count)


def scroll_to(state: State, first: int, count: int) -> State:
    """The state with a text scrolled as far as it goes."""
    first = min(max(0, first), max(0, count - state.body_height))
    return replace(state, scrolls={**state.scrolls, state.view: first})


def to_hunk(state: State, step: int) -> State:
    """The next or the previous hunk of a diff."""
    places = hunks(state)
    at = state.scrolls.get(state.view, 0)
    ahead = [p for p in places if p > at] if step > 0 else [p for p in reversed(places) if p < at]
    found = ahead[0] if ahead else None
    if found is None:
        return state.say("no further hunk", "dim", 2.0)
    return scroll_to(state, found, len(body(state)))

"""The body of each view: which function draws what, and what copying means there."""

from kubernaut_tui.lines import Line, clean, cut, line, wrapped
from kubernaut_tui.state import State
from kubernaut_tui.views import Screen, View

from .approvals import approval, approvals
from .detail import detail
from .diff import diff, hunk_lines
from .help import help_lines
from .remediations import remediations
from .texts import logs, timeline, tree, yaml


def body(state: State) -> list[Line]:
    """All lines of the view that is shown, scrolled off ones included."""
    return body_of(state, state.view, state.width)


def body_of(state: State, view: View, width: int) -> list[Line]:
    """All lines of a view."""
    match view.screen:
        case Screen.REMEDIATIONS:
            return remediations(state, width)
        case Screen.APPROVALS:
            return approvals(state, width)
        case Screen.HELP:
            return help_lines(state, width)
        case _:
            pass
    kind, target = what(view)
    document = state.document(kind, target)
    if document is None:
        return [line(""), *_missing(state, state.problems.get((kind, target), ""), width)]
    match view.screen:
        case Screen.DETAIL:
            return detail(state, document, width)
        case Screen.TIMELINE:
            return timeline(document, width, wrap=state.wraps(view.screen))
        case Screen.DIFF:
            return diff(document, width, wrap=state.wraps(Screen.DIFF))
        case Screen.LOGS:
            return logs(document, width, wrap=state.wraps(view.screen))
        case Screen.YAML:
            return yaml(document, width, wrap=state.wraps(view.screen))
        case Screen.TREE:
            return tree(document, width, wrap=state.wraps(view.screen))
        case _:
            return approval(state, document, width)


def what(view: View) -> tuple[str, str]:
    """Kind and target of what a view mostly lives from."""
    kinds = {
        Screen.REMEDIATIONS: "page", Screen.DETAIL: "remediation", Screen.TIMELINE: "remediation",
    }  # fmt: skip
    return kinds.get(view.screen, view.screen.value), view.target


def _missing(state: State, problem: str, width: int) -> list[Line]:
    """Why there is nothing to show."""
    if not problem and state.connected:
        return [line(("   reading …", "dim"))]
    told = problem or f"The daemon is {state.word}: this is read as soon as it answers."
    return [cut(line((f"   {text}", "strong")), width) for text in wrapped(clean(told), width - 6)]


def hunks(state: State) -> list[int]:
    """Line numbers at which the hunks of the diff on the screen begin."""
    document = state.document("diff", state.view.target)
    return hunk_lines(document, state.width, wrap=state.wraps(Screen.DIFF)) if document else []


def copyable(state: State) -> str:
    """What `c` copies: the pull request's address in a diff, else the id that the view is about."""
    view = state.view
    document = state.document("diff", view.target)
    if view.screen is Screen.DIFF and document and document["pull_request"]:
        return clean(document["pull_request"]["url"])
    return view.target if view.screen is Screen.APPROVAL else state.mentioned()

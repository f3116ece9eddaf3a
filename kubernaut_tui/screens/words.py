"""Words and glyphs for states; each state has both, so that no colour and no symbol carries it alone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubernaut_tui.lines import Span, clean

_IMPERATIVE = {
    "Planning": "plan", "Validating": "check", "AwaitingApproval": "ask", "Executing": "run", "Verifying": "verify",
    "RollingBack": "undo", "Completed": "done", "RolledBack": "undone", "PartiallyRolledBack": "partly", "Failed": "failed",
    "Rejected": "no", "TimedOut": "late", "Cancelled": "stop",
}  # fmt: skip
_GITOPS = {
    "Proposing": "write", "AwaitingMerge": "ask", "Overdue": "late", "Syncing": "sync", "Verifying": "verify",
    "Completed": "done", "Closed": "closed", "Failed": "failed", "Cancelled": "stop",
}  # fmt: skip
_SEVERITY = {"critical": "crit", "high": "high", "warning": "warn", "info": "info", "none": "-"}
_BAD_ENDS = frozenset({"Failed", "Escalated", "TimedOut", "Rejected"})
ENDS = _BAD_ENDS | {"Completed", "Cancelled", "Skipped"}


def glyph(row: Mapping[str, Any]) -> Span:
    """`!` needs you, `x` handed over, `>` running, `-` set aside, `.` done."""
    if row["phase"] in _BAD_ENDS:
        return "x", "danger"
    if row["needs_you"]:
        return "!", "accent strong"
    if row["phase"] not in ENDS:
        return ">", "accent"
    return (".", "dim") if row["phase"] == "Completed" else ("-", "dim")


def severity(word: str) -> str:
    """Four letters."""
    return _SEVERITY.get(word, clean(word)[:4])


def track_words(row: Mapping[str, Any], kind: str) -> tuple[str, str]:
    """The state of one track in a word, and its pull request's number or nothing; `-` when there is no such track."""
    for track in row["tracks"]:
        if track["kind"] != kind:
            continue
        if kind == "imperative":
            return _IMPERATIVE.get(track["phase"], clean(track["phase"])), ""
        pull = track["proposal"]["pull_request"]
        word = _GITOPS.get(track["phase"], clean(track["phase"]))
        return word, f"#{pull['number']}" if pull else ""
    return "-", ""


def workload(target: Mapping[str, Any]) -> str:
    """namespace/name, or kind/name for what has no namespace."""
    return clean(f"{target['namespace'] or target['kind'].lower()}/{target['name']}")


def when(text: str | None) -> datetime | None:
    """A time of the API."""
    return datetime.fromisoformat(text) if text else None


def clock(text: str | None) -> str:
    """Hours, minutes and seconds, UTC."""
    moment = when(text)
    return f"{moment:%H:%M:%S}" if moment else "        "


def age(text: str | None, wall: float) -> str:
    """How long ago, in at most four characters."""
    moment = when(text)
    if moment is None:
        return ""
    seconds = max(0.0, wall - moment.timestamp())
    return "<1m" if seconds < 60 else span(seconds)


def span(seconds: float) -> str:
    """A length of time in at most four characters."""
    if seconds < 60:
        return f"{seconds:.0f}s"
    if seconds < 3600:
        return f"{seconds // 60:.0f}m"
    return f"{seconds // 3600:.0f}h" if seconds < 172_800 else f"{seconds // 86_400:.0f}d"


_TICKING_S = 300
"""Below this a countdown shows seconds; above they would only be motion."""


def countdown(text: str | None, wall: float) -> str:
    """How long until then: minutes, in the last five also seconds; empty when it has passed."""
    moment = when(text)
    left = int(moment.timestamp() - wall) if moment else 0
    if left >= _TICKING_S:
        return span(left)
    return f"{left // 60}:{left % 60:02d}" if left > 0 else ""

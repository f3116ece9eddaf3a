"""One remediation: the cause and what it rests on, the two tracks side by side, policy's word, and what happened last."""

from collections import Counter
from typing import Any

from kubernaut_tui.lines import Line, Span, beside, clean, cut, fit, folded, line, wrapped
from kubernaut_tui.state import Document, State
from kubernaut_tui.views import Screen

from .texts import entry_line
from .words import clock, countdown, span, when

_IMPERATIVE_ORDER = ("Planning", "Validating", "AwaitingApproval", "Executing", "Verifying", "Completed")
_NARROW = 60
_GITOPS_ORDER = ("Proposing", "AwaitingMerge", "Syncing", "Verifying", "Completed")


_ASIDE = frozenset({"intent", "phase"})
"""What only repeats in other words what the tracks and the other entries say; the timeline has it."""
_UNCUT = 2000
"""Wide enough for anything; what is drawn so is folded afterwards."""


def detail(state: State, item: Document, width: int) -> list[Line]:
    """All of it; the newest of the timeline comes last. Wrapped, the tracks stand below each other and nothing is cut."""
    if not state.wraps(Screen.DETAIL):
        return _drawn(state, item, width, stacked=width < _NARROW)
    lines = _drawn(state, item, _UNCUT, stacked=True)
    return [part for each in lines for part in folded(_stripped(each), width, 12)]


def _stripped(spans: Line) -> Line:
    """Without the blanks that fill a line."""
    text, style = spans[-1]
    return (*spans[:-1], (text.rstrip(), style))


def _drawn(state: State, item: Document, width: int, *, stacked: bool) -> list[Line]:
    lines = _cause(state, item, width, stacked=stacked) + _evidence(item, width)
    lines += _tracks(state, item, width, stacked=stacked) if item["tracks"] else _no_tracks(item, width)
    lines += _waits(item, width) + _policy(item, width)
    room = max(3, state.body_height - len(lines))
    entries = [e for e in item["timeline"] if e["kind"] not in _ASIDE][-room:]
    return lines + [cut(entry_line(e), width) for e in entries]


def _cause(state: State, item: Document, width: int, *, stacked: bool) -> list[Line]:
    analysis = item["analysis"]
    if item["id"] in state.uncertain:
        told = f"UNKNOWN whether {state.uncertain[item['id']]} happened; it is being read back and never repeated."
        return [cut(line((f" {told}", "danger")), width)]
    if analysis and analysis["cause"]:
        right = f"confidence {analysis['confidence']:.2f} ".replace("0.", ".")
        text = wrapped(clean(analysis["cause"]), width - 2)
        if stacked:
            text = wrapped(clean(f"{analysis['cause']} ({right.strip()})"), width - 2)
            return [cut(line((" " + part, "strong")), width) for part in text[:4]]
        first = beside(line((" " + text[0], "strong")), line((right, "")), width)
        if len(text) == 1 and len(text[0]) + len(right) + 2 <= width:
            return [first]
        text = wrapped(clean(analysis["cause"]), width - len(right) - 2)
        lines = [beside(line((" " + text[0], "strong")), line((right, "")), width)]
        more = text[1:2] + ([" ".join(text[2:])] if text[2:] else [])
        return lines + [cut(line((fit(" " + part, width - 1) if part else "", "strong")), width) for part in more]
    return [cut(line((f" {clean(item['story'])}", "strong")), width)]


def _evidence(item: Document, width: int) -> list[Line]:
    analysis = item["analysis"] or {}
    lines = []
    facts = Counter((_field(f["field"]), f["value"]) for f in analysis.get("evidence", []))
    first = {(_field(f["field"]), f["value"]): f["object"] for f in reversed(analysis.get("evidence", []))}
    for (field, value), times in list(facts.items())[: None if width == _UNCUT else 3]:
        where = clean(first[field, value]) + (f" and {times - 1} more" if times > 1 else "")
        what = clean(f"{field}: {value}" if value else field)
        lines.append(cut(line(("   seen     ", "dim"), (f"{what}  ", ""), (where, "dim")), width))
    if not lines:
        for seen in analysis.get("seen", [])[: None if width == _UNCUT else 6]:
            lines.append(cut(line(("   looked   ", "dim"), clean(seen)), width))
    signal = item["signal"]
    count = f" x{signal['count']}" if signal["count"] > 1 else ""
    state = ", resolved" if signal["resolved_at"] else ""
    last = f", last {clock(signal['last_seen'])}" if signal["last_seen"] != signal["first_seen"] else ""
    told = f"{clean(signal['source'])} {clean(signal['name'])}{count}, first {clock(signal['first_seen'])}{last}{state}"
    lines.append(cut(line(("   signal   ", "dim"), told), width))
    return lines


def _field(path: str) -> str:
    """The telling end of a field path."""
    return ".".join(path.split(".")[-3:]) if path.startswith(("status.", "spec.")) else path


def _no_tracks(item: Document, width: int) -> list[Line]:
    reason = clean(item["reason"]) or "not decided yet"
    lines = wrapped(f"{clean(item['phase'])}: {reason}", width - 2)
    return [line(""), *(cut(line((" " + text, "")), width) for text in lines), line("")]


def _tracks(state: State, item: Document, width: int, *, stacked: bool) -> list[Line]:
    by_kind = {track["kind"]: track for track in item["tracks"]}
    if stacked or len(by_kind) == 1:
        return [each for track in item["tracks"] for each in _track(state, item, track, width)]
    half = width // 2
    left = _track(state, item, by_kind["imperative"], half - 1)
    right = _track(state, item, by_kind["gitops"], width - half)
    rows = max(len(left), len(right))
    left += [line("")] * (rows - len(left))
    right += [line("")] * (rows - len(right))
    return [cut((*cut(a, half - 1), (" ", ""), *b), width) for a, b in zip(left, right, strict=True)]


def _track(state: State, item: Document, track: Document, width: int) -> list[Line]:
    return (
        _imperative(state, item["id"], track, width)
        if track["kind"] == "imperative"
        else _gitops(state, item["id"], track, width)
    )


_BAD = frozenset({"Failed", "Rejected", "TimedOut", "Cancelled", "Closed", "RolledBack", "PartiallyRolledBack"})


def _stage(mark: str, name: str, told: str) -> Line:
    style = {"ok": "", ">>": "accent strong", "x ": "danger"}.get(mark, "dim")
    return line(
        (f"  {mark} ", style),
        (fit(name, 10), style),
        (" " + clean(told) if told else "", "" if mark.strip() else "dim"),
    )


def _marks(order: tuple[str, ...], phase: str, reached: int) -> list[str]:
    if phase == order[-1]:
        return ["ok"] * len(order)
    if phase in order:
        here = order.index(phase)
        return ["ok"] * here + [">>"] + ["  "] * (len(order) - here - 1)
    return ["ok"] * reached + ["x "] + ["  "] * (len(order) - reached - 1)


def _imperative(state: State, remediation_id: str, track: Document, width: int) -> list[Line]:
    steps = track["plan"]["steps"]
    names = ", ".join(clean(s["action"]) for s in steps)
    lines = [line((" NOW  ", "accent strong"), (names, "strong"))]
    reached = 4 if track["mutated"] else 1
    marks = _marks(_IMPERATIVE_ORDER, track["phase"], reached)
    asks = bool(track["approval_id"]) or track["phase"] == "AwaitingApproval"
    reason = track["reason"]
    ended = track["phase"] in _BAD
    validated = "RBAC, policy, dry run" if marks[1] == "ok" else reason if marks[1] == ">>" else ""
    lines.append(_stage(marks[1] if marks[0] == "ok" else marks[0], "validated", validated))
    if asks:
        lines.append(_stage(marks[2], "approved", _asking(state, remediation_id, track, marks[2])))
    for step in steps[:3]:
        done = step["phase"] == "Applied" or (step["phase"] == "Undone")
        mark = "ok" if done else "x " if step["phase"] in ("Failed", "UndoFailed") else marks[3]
        told = f"{clock(step['ended'])} {clean(step['outcome'])}".strip() if done else reason if mark == ">>" else ""
        lines.append(_stage(mark, clean(step["action"]).partition("-")[0], told))
    if ended:
        lines.append(_stage("x ", clean(track["phase"]).lower()[:10], reason))
    else:
        lines.append(
            _stage(marks[4], "verifying" if marks[4] == ">>" else "verified", _verifying(state, track, marks[4]))
        )
        lines.append(_stage(marks[5], "done", clock(track["ended"]) if marks[5] == "ok" else ""))
    undo = clean(steps[0]["rollback"]) if steps else ""
    lines.append(line(("  undo: ", "dim"), (undo or "none", "dim")))
    return [cut(each, width) for each in lines]


_SAID = {"approve": "said yes", "reject": "said no"}


def _asking(state: State, remediation_id: str, track: Document, mark: str) -> str:
    """Who voted, and how long one still may."""
    asked = state.document("approvals-of", remediation_id) or {}
    approval = next((a for a in asked.get("items", ()) if a["id"] == track["approval_id"]), None)
    if approval is None:
        return (str(track["reason"]) or "waits for a vote") if mark == ">>" else ""
    said = ", ".join(f"{v['principal']} {_SAID.get(v['verdict'], v['verdict'])}" for v in approval["votes"])
    if mark != ">>":
        return said
    votes = sum(v["verdict"] == "approve" for v in approval["votes"])
    left = countdown(approval["expires"], state.wall)
    return f"{votes} of {approval['min_approvers']} votes, " + (f"expires in {left}" if left else "expired")


def _verifying(state: State, track: Document, mark: str) -> str:
    if mark != ">>":
        return ""
    since = when(track.get("steady_since"))
    steady = f", steady {span(max(0.0, state.wall - since.timestamp()))}" if since else ""
    return f"{track['reason']}{steady}"


def _gitops(state: State, remediation_id: str, track: Document, width: int) -> list[Line]:
    proposal = track["proposal"]
    pull = proposal["pull_request"]
    name = f"pull request #{pull['number']}" if pull else "pull request"
    lines = [line((" PERMANENT  ", "accent strong"), (name, "strong"))]
    phase = "AwaitingMerge" if track["phase"] == "Overdue" else track["phase"]
    reached = 2 if pull and pull["state"] == "merged" else 1 if pull else 0
    marks = _marks(_GITOPS_ORDER, phase, reached)
    place = proposal["files"][0] if proposal["files"] else None
    where = (
        _tail(f"{place['path']}:{place['line']}", width - 16) if place else track["reason"] if marks[0] == ">>" else ""
    )
    lines.append(_stage(marks[0], "located" if place else "locate", where))
    lines.append(_stage("ok" if pull else "  ", "edited" if pull else "edit", _change(proposal)))
    lines += _checks(pull)
    quorum = ((state.document("diff", remediation_id) or {}).get("pull_request") or {}).get("quorum")
    lines.append(_stage(marks[1], "review", _review(track, pull, quorum)))
    if track["phase"] in _BAD:
        lines.append(_stage("x ", clean(track["phase"]).lower()[:10], track["reason"]))
    else:
        owner = proposal["ownership"]
        controller = {"argocd": "Argo CD", "flux": "Flux"}.get(owner["controller"], owner["controller"])
        told = track["reason"] if marks[2] == ">>" and track["reason"] else f"{controller} {owner['application']}"
        lines.append(_stage(marks[2], "sync", told))
        mark = marks[3] if marks[4] != "ok" else "ok"
        lines.append(_stage(mark, "verified" if mark == "ok" else "verify", _verifying(state, track, mark)))
    undo = f"revert of #{pull['number']}" if pull and pull["state"] != "closed" else "nothing was changed"
    lines.append(line((f"  undo: {undo}", "dim")))
    return [cut(each, width) for each in lines]


def _tail(text: str, width: int) -> str:
    return text if len(text) <= width else "…" + text[-max(1, width - 1) :]


def _change(proposal: Document) -> str:
    """What was and what would be, without the beginning that both share."""
    given = proposal["parameters"]
    if given.get("from") is None or given.get("to") is None:
        return str(proposal["action"])
    old, new = str(given["from"]), str(given["to"])
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    at = max(old.rfind("/", 0, same), old.rfind(":", 0, same)) + 1
    return f"{old[at:]} -> {new[at:]}"


def _checks(pull: Any) -> list[Line]:
    """What was found out about the commit: the names when all is well, else what is not."""
    checks = dict(pull["checks"]) if pull and pull["state"] == "open" else {}
    if not checks:
        return []
    bad = {name: word for name, word in checks.items() if word != "success"}
    mark = "x " if "failure" in bad.values() else ">>" if bad else "ok"
    told = ", ".join(f"{name} {word}" for name, word in bad.items()) or ", ".join(checks)
    return [_stage(mark, "checks" if bad else "checked", told)]


def _review(track: Document, pull: Any, quorum: Any) -> str:
    """Who said yes or no, and whose yes the merge still needs."""
    if not pull:
        return ""
    if pull["state"] == "merged":
        return f"merged by {pull['merged_by'] or 'somebody'}"
    if pull["state"] == "closed":
        return "closed unmerged"
    overdue = "OVERDUE, " if track["phase"] == "Overdue" else ""
    against = [r["reviewer"] for r in pull.get("reviews", ()) if r["current"] and r["verdict"] == "reject"]
    if against:
        return f"{overdue}rejected by {', '.join(against)}"
    by = ", ".join(pull["approvals"])
    if quorum and (quorum["needed"] > 1 or by):
        return f"{overdue}{len(quorum['approved_by'])} of {quorum['needed']}" + (f" ({by} approved)" if by else "")
    if quorum:
        return f"{overdue}{'an' if quorum['role'][:1] in 'aeiou' else 'a'} {quorum['role']} merges it"
    return overdue + (f"approved by {by}" if by else "waits for its merge")


def _waits(item: Document, width: int) -> list[Line]:
    """Why a track does not get on, in full: its column has no room for it."""
    reasons = dict.fromkeys(t["reason"] for t in item["tracks"] if t["reason"].startswith("waits: ") and not t["ended"])
    lines = []
    for reason in reasons:
        first, *more = wrapped(clean(reason.removeprefix("waits: ")), width - 12)
        lines.append(cut(line((" waits    ", "strong"), first), width))
        lines += [cut(line((" " * 10 + part, "")), width) for part in more]
    return lines


def _policy(item: Document, width: int) -> list[Line]:
    decision = item["decision"]
    if not decision:
        return []
    spans: list[Span] = [(" policy   ", "dim"), (clean(decision["reason"]), "")]
    if decision.get("rule"):
        spans.append((f" (rule {clean(decision['rule'])})", "dim"))
    return [cut(tuple(spans), width)]

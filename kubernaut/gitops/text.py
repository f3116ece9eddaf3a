"""A pull request says by itself why it is there: cause, evidence, risk, way back (R-GIT-3, R-GIT-5).

The reader may be woken by it, may not know kubernaut, and decides in a minute. Everything that came from a cluster is
escaped: see `markdown`.
"""

import difflib
import re
from collections.abc import Iterable, Sequence

from kubernaut.domain.proposals import ChangeProposal, FileChange
from kubernaut.domain.remediation import Remediation

from .markdown import code, line, prose, table

_BRANCH = "kubernaut/"
_ID = re.compile(r"^rr-[a-z2-7]{6}$")
_TITLE_LIMIT = 100
_EVIDENCE_LIMIT = 20
_NO_NEWLINE = "\\ No newline at end of file\n"
_RISK = {
    "update-resources": (
        "Low",
        "The pods are replaced one after the other. Nodes must have room for the new request or limit; a pod that finds "
        "none stays Pending while the old ones serve.",
    ),
    "update-image": (
        "Medium",
        "Another version of the program runs afterwards. A rollout that does not get ready stops and leaves the old pods.",
    ),
    "update-configmap": (
        "Medium",
        "Everything that reads this ConfigMap sees the new value, some of it only after a restart.",
    ),
}


def branch_name(remediation_id: str) -> str:
    """The one branch of a remediation, as `kubernaut/rr-2a3b4c`: asking twice can't make two."""
    return f"{_BRANCH}{remediation_id}"


def remediation_of(branch: str) -> str:
    """The remediation that a branch belongs to; empty for other people's branches."""
    found = branch.removeprefix(_BRANCH)
    return found if branch.startswith(_BRANCH) and _ID.match(found) else ""


def pull_request_text(
    remediation: Remediation, proposal: ChangeProposal, changes: Sequence[FileChange] = (), notes: Iterable[str] = ()
) -> tuple[str, str]:
    """Title and Markdown body of a remediation's pull request.

    Args:
        changes: the edited files; those of the proposal if left out.
        notes: what a reviewer should know besides, as `Edit.notes`.
    """
    files = tuple(changes) or proposal.files
    parts = [
        _summary(remediation, proposal),
        _cause(remediation),
        _change(files, (*notes, *filter(None, [proposal.ownership.obstacle]))),
        _risk(proposal),
        _request(remediation, proposal),
        [f"Opened by kubernaut for {remediation.id}. `kubernaut describe rr {remediation.id}` shows the whole story."],
    ]
    return title(proposal), "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def title(proposal: ChangeProposal) -> str:
    """One line that names the object and the change."""
    old, new = proposal.parameters.get("from"), proposal.parameters.get("to")
    where = proposal.target.short
    if proposal.action == "update-resources":
        field = " ".join(reversed(str(proposal.parameters.get("field", "")).split(".", 1))).removesuffix("s")
        change = f"from {old} to {new}" if old else f"to {new}"
        text = f"Set {field} of {where} ({proposal.parameters.get('container')}) {change}"
    elif proposal.action == "update-image":
        text = f"Set image of {where} ({proposal.parameters.get('container')}) to {new}"
    elif proposal.action == "update-configmap":
        text = f"Fix key {proposal.parameters.get('key')} of ConfigMap {where}"
    else:
        text = f"{proposal.action} {where}"
    return ("Urgent: " if proposal.urgent else "") + line(text, _TITLE_LIMIT).replace("@", "@\u200b")


def unified(files: Iterable[FileChange], context: int = 3) -> str:
    """The change as `git diff` would print it: for people, and for `git apply`."""
    return "".join("".join(_unified(change, context)) for change in files)


def _unified(change: FileChange, context: int) -> list[str]:
    if change.before == change.after:
        return []
    old, new = f"a/{change.path}", f"b/{change.path}"
    lines = difflib.unified_diff(
        _lines(change.before), _lines(change.after), old if change.before else "/dev/null",
        new if change.after else "/dev/null", n=context,
    )  # fmt: skip
    head = [f"diff --git {old} {new}\n"]
    return head + [text if text.endswith("\n") else f"{text}\n{_NO_NEWLINE}" for text in lines]


def _lines(text: str) -> list[str]:
    """Lines as git counts them: only `\\n` ends one."""
    parts = text.split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _summary(remediation: Remediation, proposal: ChangeProposal) -> list[str]:
    urgent = ["**Users are hurt until this is merged: nothing else can help.**", ""] if proposal.urgent else []
    return [
        *urgent,
        f"{code(remediation.signal.name)} fired for {code(remediation.target.short)} in cluster "
        f"{code(remediation.cluster)} ({remediation.environment}, {remediation.signal.severity}, {remediation.priority}).",
    ]


def _cause(remediation: Remediation) -> list[str]:
    best = remediation.analysis.best if remediation.analysis else None
    if best is None:
        return []
    told = [f"## Cause: {prose(best.failure_class, 80)}", "", prose(best.cause)]
    told += (
        ["", f"Confidence {best.confidence:.0%}, found by {prose(remediation.analysis.analyst, 40)}."]
        if remediation.analysis
        else []
    )
    if best.evidence:
        rows = [(code(e.object, 120), code(e.field, 160), code(e.value)) for e in best.evidence[:_EVIDENCE_LIMIT]]
        told += ["", "## Evidence", "", *table(("object", "field", "value"), rows)]
    if best.alternatives:
        told += ["", "Also considered:", *(f"- {prose(text)}" for text in best.alternatives)]
    return told


def _change(files: Sequence[FileChange], notes: Iterable[str]) -> list[str]:
    told = ["## Change", "", *(f"- {code(f'{change.path}:{change.line}')}" for change in files)]
    return told + [f"- Note: {prose(note)}" for note in notes]


def _risk(proposal: ChangeProposal) -> list[str]:
    level, why = _RISK.get(proposal.action, ("Medium", "Not assessed for this kind of change."))
    return [
        "## Risk", "", f"**{level}.** {why}", "", "## Rollback", "",
        "Revert the merge commit (`git revert -m 1 COMMIT`); "
        f"{_controller(proposal)} brings the old value back by itself.",
    ]  # fmt: skip


def _controller(proposal: ChangeProposal) -> str:
    return {"argocd": "Argo CD", "flux": "Flux"}.get(proposal.ownership.controller, proposal.ownership.controller)


def _request(remediation: Remediation, proposal: ChangeProposal) -> list[str]:
    affected = dict.fromkeys((remediation.target.short, proposal.target.short))
    decision = remediation.gitops.decision if remediation.gitops else remediation.decision
    level = _RISK.get(proposal.action, ("Medium", ""))[0].lower()
    best = remediation.analysis.best if remediation.analysis else None
    rows = [
        ("Incident", code(remediation.id)),
        ("Justification", prose(best.cause if best else remediation.signal.name)),
        ("Risk assessment", f"{level}, see above"),
        ("Rollback plan", "revert the merge, see above"),
        ("Affected services", ", ".join(code(name) for name in affected)),
        ("Maintenance window", "now: urgent" if proposal.urgent else "none needed, pods are replaced one by one"),
        ("Applied by", f"{_controller(proposal)} {code(proposal.ownership.application.short)}"),
    ]
    rows += [("Policy", f"{prose(decision.approval_type)}: {prose(decision.reason)}")] if decision else []
    return ["## Change request", "", *table(("field", "value"), rows)]

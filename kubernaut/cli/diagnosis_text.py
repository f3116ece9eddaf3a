"""A diagnosis as text for eighty columns and as JSON for programs."""

import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding
from kubernaut.domain.facts import Snapshot
from kubernaut.domain.resources import ResourceRef

WIDTH = 80


def as_document(snapshot: Snapshot, findings: Sequence[Finding], seen: Sequence[str]) -> str:
    """The diagnosis as one JSON object."""
    document = {
        "cluster": snapshot.target.cluster,
        "target": _reference(snapshot.target),
        "taken_at": _time(snapshot.taken_at),
        "findings": [finding_document(finding) for finding in findings],
        "seen": list(seen),
        "missing": list(snapshot.missing),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as plain values."""
    return {
        "target": _reference(finding.target),
        "failure_class": finding.failure_class,
        "cause": finding.cause,
        "confidence": finding.confidence,
        "evidence": [_evidence(evidence) for evidence in finding.evidence],
        "immediate": _proposal(finding.immediate),
        "permanent": _proposal(finding.permanent),
        "urgent": finding.urgent,
        "alternatives": list(finding.alternatives),
    }


def as_text(snapshot: Snapshot, findings: Sequence[Finding], seen: Sequence[str]) -> str:
    """The diagnosis for a person at a terminal of eighty columns."""
    head = f"{snapshot.target}".ljust(WIDTH - 18)
    lines = [f"{head[: WIDTH - 18]} {snapshot.taken_at:%Y-%m-%d %H:%MZ}"]
    if not findings:
        lines += ["", "Nothing wrong was found. Looked at:", *_bullets(seen, "  ")]
        return _printable(lines)
    for i, finding in enumerate(findings, 1):
        lines += ["", *_finding(finding, i if len(findings) > 1 else 0, snapshot.target)]
    if snapshot.missing:
        lines += ["", "Not read:", *_bullets(snapshot.missing, "  ")]
    return _printable(lines)


def _printable(lines: Iterable[str]) -> str:
    """Names in a dump are anybody's: nothing that steers a terminal passes."""
    return "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines)


def _finding(finding: Finding, number: int, asked: ResourceRef) -> list[str]:
    count = f"{number}. " if number else ""
    sure = f"  confidence {f'{finding.confidence:.2f}'.lstrip('0')}"
    first, *rest = textwrap.wrap(f"{count}{finding.cause}", WIDTH - len(sure)) or [count]
    lines = [f"{first.ljust(WIDTH - len(sure))}{sure}", *rest]
    if finding.target != asked:
        lines += _field("at fault", str(finding.target))
    lines += _field("failure", finding.failure_class)
    seen = [evidence for evidence in finding.evidence if not _is_change(evidence)]
    for label, group in (("seen", seen), ("changed", [e for e in finding.evidence if _is_change(e)])):
        for i, evidence in enumerate(group):
            at = f" ({evidence.time:%d %b %H:%M:%SZ})" if evidence.time else ""
            lines += _field("" if i else label, f"{evidence.object} {evidence.field}: {evidence.value}{at}")
    lines += _offer("NOW", finding.immediate, "nothing that helps at once")
    lines += _offer("PERMANENT", finding.permanent, "no change that is known to help")
    if finding.urgent:
        lines += _field("", "urgent: users are hurt until it is merged")
    for i, alternative in enumerate(finding.alternatives):
        lines += _field("or" if i == 0 else "", alternative)
    return lines


def _is_change(evidence: Evidence) -> bool:
    """Whether it tells what changed rather than what was seen."""
    return (
        evidence.field == "metadata.managedFields" or evidence.object.startswith("commit/") or " -> " in evidence.value
    )


def _offer(label: str, proposal: ActionProposal | None, nothing: str) -> list[str]:
    if proposal is None:
        return [f"  {label:<10} {nothing}"]
    said = ", ".join(f"{key} {'none' if value is None else value}" for key, value in proposal.parameters.items())
    lines = _field(label, f"{proposal.action} {proposal.target}")
    return [
        *lines,
        *(_field("", said) if said else ()),
        *(_field("", proposal.rationale) if proposal.rationale else ()),
    ]


def _field(label: str, text: str) -> list[str]:
    first, *rest = textwrap.wrap(text, WIDTH - 13, break_on_hyphens=False) or [""]
    return [f"  {label:<10} {first}", *(f"{'':13}{line}" for line in rest)]


def _bullets(lines: Iterable[str], indent: str) -> list[str]:
    return [
        w for line in lines for w in textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent=indent * 2)
    ]


def _reference(ref: ResourceRef) -> dict[str, str]:
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "object": evidence.object,
        "field": evidence.field,
        "value": evidence.value,
        "time": _time(evidence.time) if evidence.time else None,
    }


def _proposal(proposal: ActionProposal | None) -> dict[str, Any] | None:
    if proposal is None:
        return None
    return {
        "action": proposal.action,
        "target": _reference(proposal.target),
        "parameters": proposal.parameters,
        "rationale": proposal.rationale,
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

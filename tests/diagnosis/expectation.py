"""What a right answer to an incident is, and how an answer is held against it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubernaut.domain.analysis import Finding

from .world import World

CERTAIN, LIKELY, SYMPTOM, LIKELY_OR_CERTAIN, UNSURE = (
    (0.901, 0.99),
    (0.70, 0.90),
    (0.05, 0.6999),
    (0.70, 0.99),
    (0.05, 0.90),
)


@dataclass(frozen=True)
class Incident:
    """One incident: how to build it and what the first finding has to say.

    Args:
        ask: kind, name and namespace of what alerted.
        at: kind and name of the root-cause target; several where more than one is right.
        says: words that the cause has to hold, in any case.
        now: the immediate action; empty for none, None where it does not matter.
        fix: the permanent action and the parameters that it has to have at least; None for none.
        empty: no finding at all is the right answer.
        lenient: no finding is a right answer, too.
        no_fix: parameters do not matter, but a permanent fix would be a guess.
    """

    name: str
    build: Callable[[World], None]
    ask: tuple[str, str, str]
    at: Sequence[tuple[str, str]] = ()
    classes: Sequence[str] = ()
    sure: tuple[float, float] = CERTAIN
    says: Sequence[str] = ()
    now: str | None = ""
    fix: tuple[str, dict[str, Any]] | None = None
    empty: bool = False
    lenient: bool = False
    leave_out: Sequence[str] = field(default_factory=tuple)


def wrong(it: Incident, findings: Sequence[Finding]) -> list[str]:
    """What is wrong with an answer, one line each; empty when it is right."""
    if it.empty or (it.lenient and not findings):
        return [f"found {f.failure_class} {f.target} {f.confidence}: {f.cause}" for f in findings]
    if not findings:
        return ["nothing was found"]
    best = findings[0]
    told = f"{best.failure_class} at {best.target} {best.confidence}: {best.cause}"
    found = []
    if it.at and not {(best.target.kind, best.target.name), (best.target.kind, "*")} & set(it.at):
        found.append(f"wrong target, not {it.at}: {told}")
    if it.classes and best.failure_class not in it.classes:
        found.append(f"wrong class, not {it.classes}: {told}")
    if not it.sure[0] <= best.confidence <= it.sure[1]:
        found.append(f"confidence {best.confidence} not within {it.sure}: {told}")
    found += [f"cause does not say {word!r}: {told}" for word in it.says if word.lower() not in best.cause.lower()]
    now = best.immediate.action if best.immediate else ""
    if it.now is not None and now != it.now:
        found.append(f"immediate {now!r}, not {it.now!r}: {told}")
    fix = best.permanent
    if it.fix is None:
        found += [f"permanent {fix.action} {fix.parameters} is a guess: {told}"] if fix else []
    elif fix is None or fix.action != it.fix[0]:
        found.append(f"permanent {fix.action if fix else 'none'}, not {it.fix[0]}: {told}")
    else:
        found += [
            f"parameter {key} is {fix.parameters.get(key)!r}, not {value!r}"
            for key, value in it.fix[1].items()
            if fix.parameters.get(key) != value
        ]
    if not best.evidence or not all(e.object and e.field for e in best.evidence):
        found.append(f"no evidence: {told}")
    return found

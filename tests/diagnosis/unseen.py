"""What a right answer to an unseen incident is, and the four ways in which an answer can be judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kubernaut.domain.analysis import Finding

from .foreign import Foreign

ACTS = 0.9
"""Above it a finding may be acted on without a person."""


@dataclass(frozen=True)
class Unseen:
    """One incident.

    Args:
        ask: kind, name and namespace of what alerted; an empty name is the first of the kind.
        at: kind and name of every object that may rightly be blamed; none: nothing is wrong, or none of our business.
        says: words of which the cause has to hold each.
        now: immediate actions of which any is right; "" is none.
        fix: permanent actions of which any is right; "" is none. With a colon: also the value it has to write.
        sure: the confidence that is right.
        silent: to find nothing is right, too.
    """

    name: str
    build: Callable[[Foreign], object]
    ask: tuple[str, str, str]
    at: Sequence[tuple[str, str]] = ()
    says: Sequence[str] = ()
    now: Sequence[str] = ("",)
    fix: Sequence[str] = ("",)
    sure: tuple[float, float] = (0.05, 0.9)
    silent: bool = False


def verdict(it: Unseen, findings: Sequence[Finding]) -> str:
    """`right`, or what is wrong: `nothing …`, `partly …` (right object), `wrong …` or `WRONG …` (and it would act)."""
    if not findings:
        return "right" if it.silent or not it.at else "nothing was found"
    best = findings[0]
    now = best.immediate.action if best.immediate else ""
    fix = best.permanent.action if best.permanent else ""
    value = str(best.permanent.parameters.get("to")) if best.permanent else ""
    told = f"{best.failure_class} at {best.target} {best.confidence} now={now or '-'} fix={fix or '-'} {value}: {best.cause}"
    acts = best.confidence > ACTS and bool(now or fix)
    bad_act = now not in it.now or (fix not in it.fix and f"{fix}:{value}" not in it.fix)
    if (best.target.kind, best.target.name) not in it.at:
        return f"{'WRONG' if best.confidence > ACTS else 'wrong'} object: {told}"
    if bad_act:
        return f"{'WRONG' if acts else 'wrong'} action: {told}"
    missing = [word for word in it.says if word.lower() not in best.cause.lower()]
    if missing:
        return f"partly: the cause does not say {missing}: {told}"
    if not it.sure[0] <= best.confidence <= it.sure[1]:
        return f"partly: confidence not within {it.sure}: {told}"
    return "right"

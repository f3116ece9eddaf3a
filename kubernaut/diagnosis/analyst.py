"""The rules analyst asks every rule and puts the findings in order; it needs no model and no cluster (R-ANA-1)."""

from collections.abc import Callable, Sequence

from kubernaut.domain.analysis import Finding
from kubernaut.domain.facts import Snapshot

from .case import Case
from .memory import out_of_memory
from .seen import looked_at

Rule = Callable[[Case], list[Finding]]

RULES: tuple[Rule, ...] = (out_of_memory,)
"""Every rule, one for each failure family; a rule never raises for odd facts and never looks at another's findings."""


class RulesAnalyst:
    """Implements `ports.Analyst` with deterministic rules.

    Args:
        steady_s: how long pods have to be unready before that is called a state and not a blip, in seconds.
        recent_s: how far back an incident may lie to be the present one, in seconds.
        rules: which rules to ask.
    """

    name = "rules"

    def __init__(self, *, steady_s: float = 30.0, recent_s: float = 3600.0, rules: Sequence[Rule] = RULES) -> None:
        self._steady_s = steady_s
        self._recent_s = recent_s
        self._rules = tuple(rules)

    async def analyse(self, snapshot: Snapshot) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        """Findings, best first, and one line for each thing that was looked at. Empty when nothing is wrong."""
        return self.judge(snapshot)

    def judge(self, snapshot: Snapshot) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        """The same without an event loop: a pure function of the facts."""
        case = Case(snapshot, self._steady_s, self._recent_s)
        findings = [finding for rule in self._rules for finding in rule(case)]
        return ranked(findings), looked_at(case)


def ranked(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Best first: the surer, then the one that can be mended, then by name so that the order never jumps."""
    return tuple(
        sorted(
            findings,
            key=lambda f: (-f.confidence, f.immediate is None and f.permanent is None, str(f.target), f.failure_class),
        )
    )

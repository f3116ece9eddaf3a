"""The rules analyst asks every rule and puts the findings in order; it needs no model and no cluster (R-ANA-1)."""

from collections.abc import Sequence
from typing import Protocol

from kubernaut.domain.analysis import Finding
from kubernaut.domain.facts import Snapshot

from .case import Case
from .commands import bad_command
from .crashes import unexplained_crash
from .images import image_not_pulled
from .memory import out_of_memory
from .missing import missing_configuration
from .nodes import sick_node
from .readiness import stale_pods, wedged_pod
from .seen import looked_at
from .stuck import not_created, not_started, unschedulable
from .values import wrong_value
from .words import plain


class Rule(Protocol):
    """One rule: findings from a case."""

    __name__: str

    def __call__(self, case: Case, /) -> list[Finding]:
        """What it finds; empty when its failure is not there."""
        ...


WORKLOAD_RULES: tuple[Rule, ...] = (
    out_of_memory,
    image_not_pulled,
    missing_configuration,
    wrong_value,
    bad_command,
    unexplained_crash,
    unschedulable,
    not_created,
    not_started,
    stale_pods,
    wedged_pod,
)
RULES: tuple[Rule, ...] = (sick_node, *WORKLOAD_RULES)
"""Every rule, one for each failure family; no rule looks at another's findings."""

_ODD = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What a rule meets when facts do not have the shape that the API promises: a cut dump, a foreign API server."""


class RulesAnalyst:
    """Implements `ports.Analyst` with deterministic rules.

    Args:
        steady_s: how long pods have to be unready before that is called a state and not a blip, in seconds.
        recent_s: how far back an incident may lie to be the present one, in seconds.
        rules: which rules to ask.
    """

    name = "rules"

    def __init__(self, *, steady_s: float = 15.0, recent_s: float = 3600.0, rules: Sequence[Rule] = RULES) -> None:
        self._steady_s = steady_s
        self._recent_s = recent_s
        self._rules = tuple(rules)

    async def analyse(self, snapshot: Snapshot) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        """Findings, best first, and one line for each thing that was looked at. Empty when nothing is wrong."""
        return self.judge(snapshot)

    def judge(self, snapshot: Snapshot) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        """The same without an event loop: a pure function of the facts."""
        case = Case(snapshot, self._steady_s, self._recent_s)
        findings: list[Finding] = []
        odd: list[str] = []
        for rule in self._rules:
            if snapshot.target.kind == "Node" and rule in WORKLOAD_RULES:
                continue
            try:
                findings += rule(case)
            except _ODD as e:
                odd.append(f"rule {rule.__name__} could not use the facts: {type(e).__name__}: {plain(e, 80)}")
        try:
            seen = looked_at(case)
        except _ODD as e:
            seen = (f"{snapshot.target}: its facts do not have the shape of the API ({type(e).__name__})",)
        return ranked(findings), (*seen, *odd)


def ranked(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Best first: the surer, then the one that can be mended, then by name so that the order never jumps."""
    return tuple(
        sorted(
            findings,
            key=lambda f: (-f.confidence, f.immediate is None and f.permanent is None, str(f.target), f.failure_class),
        )
    )

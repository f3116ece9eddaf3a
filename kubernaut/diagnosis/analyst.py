"""The rules analyst asks every rule and puts the findings in order; it needs no model and no cluster (R-ANA-1)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from kubernaut.domain.analysis import Finding
from kubernaut.domain.facts import Snapshot, ref_of
from kubernaut.domain.resources import ResourceRef

from .case import Case
from .commands import bad_command
from .crashes import unexplained_crash
from .dependencies import blamed, broken_dependencies, down
from .images import image_not_pulled
from .jobs import failed_job, jobs_to_look_at
from .memory import out_of_memory
from .missing import missing_configuration
from .nodes import sick_node
from .probes import never_ready
from .readiness import stale_pods, wedged_pod
from .seen import looked_at
from .shortage import short_node
from .stuck import kept_back, not_created, not_started, unschedulable, waits_for_init
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
    kept_back,
    waits_for_init,
    never_ready,
    failed_job,
    stale_pods,
    wedged_pod,
)
RULES: tuple[Rule, ...] = (sick_node, short_node, *WORKLOAD_RULES)
"""Every rule, one for each failure family; no rule looks at another's findings."""

_DEEPEST = 3
_EXPLAINS = 0.7
_EFFECTS = ("CrashLoopBackOff", "PodsNotReady", "PodNotReady", "ReadinessProbeFailed", "PodInitializing")
_EFFECT = 0.7
"""What is left of the confidence in a workload's own fault when something that it needs is down."""
ODD = (AttributeError, IndexError, KeyError, TypeError, ValueError)
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
        findings, odd = self._asked(case, ())
        try:
            seen = looked_at(case)
        except ODD as e:
            seen = (f"{snapshot.target}: its facts do not have the shape of the API ({type(e).__name__})",)
        return ranked(findings), (*seen, *odd)

    def _asked(self, case: Case, on_the_way: tuple[ResourceRef, ...]) -> tuple[list[Finding], list[str]]:
        """What every rule says about a case and about what it depends on, and the rules that could not use the facts."""
        findings: list[Finding] = []
        odd: list[str] = []
        target = case.snapshot.target
        for rule in self._rules:
            if target.kind == "Node" and rule in WORKLOAD_RULES:
                continue
            try:
                findings += rule(case)
            except ODD as e:
                odd.append(f"rule {rule.__name__} could not use the facts: {type(e).__name__}: {plain(e, 80)}")
        try:
            findings = self._with_dependencies(case, findings, (*on_the_way, target))
            for job in jobs_to_look_at(case.snapshot):
                findings += self._asked(self._about(case, ref_of(job, target.cluster)), on_the_way)[0]
        except ODD as e:
            odd.append(f"what {target} depends on could not be used: {type(e).__name__}: {plain(e, 80)}")
        return findings, odd

    def _with_dependencies(
        self, case: Case, findings: list[Finding], on_the_way: tuple[ResourceRef, ...]
    ) -> list[Finding]:
        """The findings, behind those about Services that the target can't reach and that are down."""
        if case.snapshot.target.kind == "Node" or len(on_the_way) > _DEEPEST:
            return findings
        found: list[Finding] = []
        for needed in broken_dependencies(case):
            theirs: list[Finding] = []
            ref = ref_of(needed.workload, case.snapshot.target.cluster) if needed.workload is not None else None
            if ref is not None and ref not in on_the_way and ref != case.owner:
                theirs = self._asked(self._about(case, ref), on_the_way)[0]
            found += [blamed(case, needed, finding) for finding in theirs]
            if not any(finding.confidence >= _EXPLAINS for finding in theirs):
                found.append(down(case, needed, theirs))
        if not found:
            return findings
        return found + [_as_effect(f) if f.failure_class in _EFFECTS else f for f in findings]

    def _about(self, case: Case, target: ResourceRef) -> Case:
        return Case(replace(case.snapshot, target=target), self._steady_s, self._recent_s)


def _as_effect(finding: Finding) -> Finding:
    return replace(finding, confidence=round(finding.confidence * _EFFECT, 2))


def ranked(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Best first: the surer, then the one that can be mended, then by name so that the order never jumps."""
    return tuple(
        sorted(
            findings,
            key=lambda f: (-f.confidence, f.immediate is None and f.permanent is None, str(f.target), f.failure_class),
        )
    )

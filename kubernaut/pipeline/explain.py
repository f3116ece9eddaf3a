"""Why a policy decided as it did, found by asking it again: one fact of the request is changed at a time.

That works for any rules, also those of one's own, because nothing is read out of their text. A fact matters when changing it, and
nothing else, changes the approval type or the rule.
"""

import asyncio
import copy
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubernaut.domain.policy import Decision

Decide = Callable[[Mapping[str, Any]], Awaitable[Decision]]
_WORDS: dict[str, tuple[Any, ...]] = {
    "environment": ("production", "staging", "test", "development", "unknown"),
    "action.risk": ("low", "medium", "high"),
    "target.gitops_managed": (True, False),
    "freeze": (True, False),
    "severity": ("critical", "high", "warning", "info"),
    "priority": ("P0", "P1", "P2", "P3"),
}
_NAMESPACES = {"another-namespace": "another one", "kube-system": "kube-system"}
_AMOUNTS = (
    "blast_radius.pods", "blast_radius.percent_of_workload", "blast_radius.nodes", "blast_radius.workloads",
    "active.drains_in_pool", "active.percent_of_pool_out", "history.changes_last_hour_for_owner",
)  # fmt: skip
_MOST = 1_000_000
"""The largest amount of the contract."""
_ALL = 100
_HUNDREDTHS = 100


@dataclass(frozen=True, slots=True)
class Alternative:
    """What would be decided if one fact were different.

    Args:
        field: the fact, as `environment`.
        value: what it is.
        instead: what it would be, in words: `staging`, `at least 101`.
        decision: what the policy would say then.
    """

    field: str
    value: Any
    instead: str
    decision: Decision

    def to_document(self) -> dict[str, Any]:
        """As the API's JSON."""
        after = self.decision
        return {
            "field": self.field, "value": self.value, "instead": self.instead, "approval_type": after.approval_type.value,
            "rule": after.rule, "reason": after.reason,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and what it hangs on.

    Args:
        alternatives: facts that matter, in the order of the contract.
        indifferent: facts that could be anything.
    """

    decision: Decision
    alternatives: tuple[Alternative, ...]
    indifferent: tuple[str, ...]

    @property
    def because(self) -> tuple[tuple[str, Any], ...]:
        """The facts that matter, each once, with their values."""
        return tuple({each.field: each.value for each in self.alternatives}.items())

    def to_document(self) -> dict[str, Any]:
        """As the API's JSON."""
        return {
            "decision": self.decision.to_document(),
            "because": [{"field": field, "value": value} for field, value in self.because],
            "alternatives": [each.to_document() for each in self.alternatives],
            "indifferent": list(self.indifferent),
        }


async def explain(decide: Decide, request: Mapping[str, Any]) -> Explanation:
    """Decide, and find out what the decision hangs on; some hundred questions, of which each takes some tens of microseconds."""
    decision = await decide(request)
    alternatives: list[Alternative] = []
    indifferent: list[str] = []
    for field in ("target.namespace", *_WORDS, "analysis.confidence", *_AMOUNTS):
        try:
            value = _get(request, field)
        except (KeyError, TypeError):
            continue  # the request is incomplete, and the decision says so
        found = [each async for each in _changes(decide, request, field, value, decision)]
        alternatives += found
        if not found:
            indifferent.append(field)
        await asyncio.sleep(0)  # a decision never waits, and some hundred of them in a row would let nobody else run
    return Explanation(decision, tuple(alternatives), tuple(indifferent))


async def _changes(
    decide: Decide, request: Mapping[str, Any], field: str, value: Any, now: Decision
) -> AsyncIterator[Alternative]:
    for instead, words in _instead(field, value):
        after = await decide(_with(request, field, instead))
        if _same(after, now):
            continue
        if words:
            yield Alternative(field, value, words, after)
            continue
        yield await _edge(decide, request, field, value, instead, now)


def _instead(field: str, value: Any) -> Iterator[tuple[Any, str]]:
    """Other values of a fact, with the words for them; no words where the value in between has to be looked for."""
    if field == "target.namespace":
        if value:
            yield from ((name, words) for name, words in _NAMESPACES.items() if name != value)
    elif field in _WORDS:
        yield from ((word, _said(word)) for word in _WORDS[field] if word != value)
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        most = {"analysis.confidence": 1.0, "blast_radius.percent_of_workload": _ALL}.get(field, _MOST)
        low, high = (0.0, most) if field == "analysis.confidence" else (0, most)
        yield from ((bound, "") for bound in (low, high) if bound != value)


async def _edge(
    decide: Decide, request: Mapping[str, Any], field: str, value: Any, far: Any, now: Decision
) -> Alternative:
    """The nearest value at which something else is decided, between what is and what is far."""
    scale = _HUNDREDTHS if field == "analysis.confidence" else 1
    same, other = round(value * scale), round(far * scale)
    after = await decide(_with(request, field, far))
    while abs(other - same) > 1:
        middle = (same + other) // 2
        decision = await decide(_with(request, field, middle / scale if scale > 1 else middle))
        if _same(decision, now):
            same = middle
        else:
            other, after = middle, decision
    edge = f"{other / scale:.2f}" if scale > 1 else str(other)
    return Alternative(field, value, f"{edge} or {'more' if far > value else 'less'}", after)


def _same(one: Decision, other: Decision) -> bool:
    return (one.approval_type, one.rule) == (other.approval_type, other.rule)


def _get(request: Mapping[str, Any], field: str) -> Any:
    found: Any = request
    for part in field.split("."):
        found = found[part]
    return found


def _with(request: Mapping[str, Any], field: str, value: Any) -> dict[str, Any]:
    """The request with one fact changed."""
    changed = copy.deepcopy(dict(request))
    *above, last = field.split(".")
    place = changed
    for part in above:
        place = place[part]
    place[last] = value
    return changed


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

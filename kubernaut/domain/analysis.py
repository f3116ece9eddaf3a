"""What was found: causes with their evidence, how sure the analyst is, and what would help."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .resources import ResourceRef


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observed fact.

    Args:
        object: the object it was read from, as `pod/checkout-7d9f-x2x4`.
        field: the field's path, as `status.containerStatuses[app].lastState.terminated.reason`.
        value: what was read, redacted and shortened.
        time: when it was so; None where the object does not say.
    """

    object: str
    field: str
    value: str
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActionProposal:
    """An action of the catalogue with its parameters: a proposal, not yet a plan.

    Args:
        action: kebab-case name, as `restart-deployment`, `update-resources`.
        target: the object it acts on.
        parameters: what the action's schema asks for. Declarative ones:
            `update-resources` {container, field: "limits.memory", from, to};
            `update-image` {container, from, to}; `update-configmap` {key, from, to} (`from` None: key is missing).
        rationale: one plain sentence, why this helps.
    """

    action: str
    target: ResourceRef
    parameters: dict[str, Any] = field(default_factory=dict)
    rationale: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One possible root cause.

    Args:
        target: the object at fault, which may differ from the one that alerted.
        failure_class: what failed, in Kubernetes' own words, as `OOMKilled`, `ImagePullBackOff`.
        cause: one plain sentence.
        confidence: 0 to 1.
        immediate: what mitigates now; None when nothing imperative can help.
        permanent: what Git has to say in future; None when Git is not at fault.
        urgent: the permanent fix is the only one and users are hurt until it is merged.
        alternatives: other explanations that were considered, and why they were dropped.
    """

    target: ResourceRef
    failure_class: str
    cause: str
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    immediate: ActionProposal | None = None
    permanent: ActionProposal | None = None
    urgent: bool = False
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """The outcome of one analysis.

    Args:
        findings: best first; empty when nothing was found.
        seen: one line for each thing that was looked at, for the escalation when nothing was found.
        analyst: who says so, as `rules`.
        duration_ms: how long it took, enrichment excluded.
    """

    findings: tuple[Finding, ...]
    seen: tuple[str, ...] = ()
    analyst: str = "rules"
    duration_ms: float = 0.0

    @property
    def best(self) -> Finding | None:
        """The finding that the decision is made on."""
        return self.findings[0] if self.findings else None

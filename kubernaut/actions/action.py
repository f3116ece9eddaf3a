"""An action declares itself and knows how to capture, apply, read back, undo and judge its own health.

Every action is safe to repeat under its captured state: `capture` fixes what will be written before the intent is persisted, so
that after a crash `applied` can tell from the cluster alone whether the write happened, and writing the same again changes
nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from kubernaut.domain.errors import NotFound
from kubernaut.domain.facts import Object
from kubernaut.domain.plans import Step, StepRun
from kubernaut.ports import ClusterReader, ClusterWriter


class Risk(StrEnum):
    """How much can go wrong."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Access:
    """One permission that an action needs, as SelfSubjectAccessReview asks for it."""

    verb: str
    kind: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """What an action touches. percent_of_workload: share of the workload's pods that may be away at one moment, 0 to 100."""

    pods: int = 0
    percent_of_workload: int = 0
    nodes: int = 0
    workloads: int = 0

    def document(self) -> dict[str, int]:
        """As policy and approvals see it."""
        return {
            "pods": self.pods,
            "percent_of_workload": self.percent_of_workload,
            "nodes": self.nodes,
            "workloads": self.workloads,
        }


class HealthState(StrEnum):
    """What the cluster says after the action."""

    HEALTHY = "healthy"
    PROGRESSING = "progressing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Health:
    """A judgement and the sentence for it. `stamp` changes whenever something restarted, which breaks steadiness."""

    state: HealthState
    text: str
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What one call of `apply` achieved. Not done: call again later with the progress kept."""

    done: bool
    outcome: str
    progress: Mapping[str, Any]


class Action(Protocol):
    """One entry of the catalogue."""

    name: str
    title: str
    risk: Risk
    reversible: bool
    inverse: str
    target_kinds: tuple[str, ...]

    def rollback(self, step: Step) -> str:
        """How it is undone, one sentence; or that it can't be."""
        ...

    def keeps(self, step: Step, run: StepRun) -> str:
        """Why kubernaut does not undo this of its own accord, one sentence; empty when it does.

        What keeps work away from something broken is taken back by a person only: else a failing verification would bring
        the hazard back."""
        ...

    def accesses(self, step: Step) -> tuple[Access, ...]:
        """Permissions that the mutation needs."""
        ...

    async def blast_radius(self, reader: ClusterReader, step: Step) -> BlastRadius:
        """What would be touched."""
        ...

    async def capture(self, reader: ClusterReader, step: Step, now: datetime) -> dict[str, Any]:
        """The old state and the exact values that will be written. Raises NotFound, Conflict (target replaced)."""
        ...

    async def dry_run(
        self, reader: ClusterReader, writer: ClusterWriter, step: Step, captured: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """Ask the API server what it would say; lines for people. Raises what the write would raise."""
        ...

    async def apply(self, reader: ClusterReader, writer: ClusterWriter, step: Step, run: StepRun) -> Applied:
        """Write. Only called after the intent with `run.captured` was persisted."""
        ...

    async def applied(self, reader: ClusterReader, step: Step, run: StepRun) -> bool:
        """Whether the write of `run` is in the cluster already: asked after a lost reply or a crash."""
        ...

    async def begun(self, reader: ClusterReader, step: Step, run: StepRun) -> bool:
        """Whether any write of a step of many is in the cluster, of one that is not `applied`."""
        ...

    def done(self, step: Step, run: StepRun) -> str:
        """What was achieved, one sentence: also for a write whose reply nobody got, but which is in the cluster."""
        ...

    async def undo(self, reader: ClusterReader, writer: ClusterWriter, step: Step, run: StepRun) -> str:
        """Put the captured state back; a sentence of what was done. Only called when reversible."""
        ...

    async def health(self, reader: ClusterReader, step: Step, run: StepRun) -> Health:
        """Whether what the action was for has come true."""
        ...


async def fetch(reader: ClusterReader, step: Step, *, live: bool = True) -> Object:
    """The step's target as it is now.

    Raises:
        NotFound: it does not exist, or another object has taken its name since the analysis.
    """
    ref = step.target
    item = await reader.get(ref.kind, ref.namespace, ref.name, live=live)
    if item is None:
        raise NotFound(f"{ref} does not exist any more")
    uid = step.expected.get("uid")
    if uid and item["metadata"]["uid"] != uid:
        raise NotFound(f"{ref} was deleted and made anew since the analysis")
    return item


def identity(item: Object) -> dict[str, str]:
    """Which object this is and in which state: uid, resourceVersion and, where the kind has one, the generation."""
    meta = item["metadata"]
    found = {"uid": str(meta["uid"]), "resourceVersion": str(meta["resourceVersion"])}
    if "generation" in meta:
        found["generation"] = str(meta["generation"])
    return found

"""A plan is what would be done, bound by its hash; a step run is what became of one step."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from .errors import BadInput
from .resources import ResourceRef
from .values import digest


@dataclass(frozen=True, slots=True)
class Step:
    """One action on one object.

    Args:
        id: unique in its plan, as `restart`.
        action: a name of the catalogue.
        parameters: the action's parameters.
        expected: uid and resourceVersion of the target as analysed: {"uid": …, "resourceVersion": …}.
        depends_on: ids of steps that must have ended well first.
        timeout_s: how long the step's mutation and its verification may take together, in seconds.
        retries: further attempts after a temporary error.
    """

    id: str
    action: str
    target: ResourceRef
    parameters: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    timeout_s: float = 300.0
    retries: int = 5
    continue_on_failure: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps and their order."""

    steps: tuple[Step, ...]

    @property
    def hash(self) -> str:
        """What an approval is bound to: any change of any step changes it. The target's resourceVersion is left out,
        because status writes move it; a changed spec shows in the uid and generation instead."""
        return digest(
            [
                [s.id, s.action, str(s.target), s.target.cluster, s.parameters, sorted(s.depends_on),
                 s.timeout_s, s.retries, s.continue_on_failure,
                 {k: v for k, v in s.expected.items() if k != "resourceVersion"}]
                for s in self.steps
            ]
        )  # fmt: skip

    def order(self) -> tuple[tuple[Step, ...], ...]:
        """The steps in waves: each wave needs only earlier ones (Kahn's algorithm).

        Raises:
            BadInput: an id twice, a reference to no step, or a cycle.
        """
        by_id = {step.id: step for step in self.steps}
        if len(by_id) != len(self.steps):
            raise BadInput("two steps have the same id", field="plan.steps")
        for step in self.steps:
            for name in step.depends_on:
                if name not in by_id:
                    raise BadInput(f"depends on {name!r}, which is no step of the plan", field=f"plan.steps[{step.id}]")
        waves: list[tuple[Step, ...]] = []
        done: set[str] = set()
        while len(done) < len(by_id):
            wave = tuple(s for s in self.steps if s.id not in done and set(s.depends_on) <= done)
            if not wave:
                left = ", ".join(sorted(set(by_id) - done))
                raise BadInput(f"the steps {left} wait for each other", field="plan.steps")
            waves.append(wave)
            done |= {s.id for s in wave}
        return tuple(waves)


class StepPhase(StrEnum):
    """What became of a step. `INTENDED` is persisted before the write, so after a crash the step is read back."""

    PENDING = "Pending"
    INTENDED = "Intended"
    APPLIED = "Applied"
    FAILED = "Failed"
    UNDONE = "Undone"
    UNDO_FAILED = "UndoFailed"


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step's state.

    Args:
        captured: the old state that undo and read-back need, taken before the write.
        outcome: what the action says of its result, for people.
        progress: what a step of many writes has done so far (a drain: the pods already evicted).
    """

    step_id: str
    phase: StepPhase = StepPhase.PENDING
    captured: dict[str, Any] = field(default_factory=dict)
    progress: dict[str, Any] = field(default_factory=dict)
    outcome: str = ""
    attempt: int = 0
    intended_at: datetime | None = None
    ended_at: datetime | None = None

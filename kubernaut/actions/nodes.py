"""Actions on nodes that change schedulability: cordon-node and uncordon-node."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubernaut.domain.plans import Step, StepRun
from kubernaut.domain.reading import section
from kubernaut.ports import ClusterReader, ClusterWriter

from .action import Access, Applied, BlastRadius, Health, HealthState, Risk, fetch, identity


class _Schedulability:
    """What cordon and uncordon share: one boolean field of the node."""

    risk = Risk.LOW
    reversible = True
    target_kinds: tuple[str, ...] = ("Node",)
    name: str
    title: str
    inverse: str
    unschedulable: bool

    def rollback(self, step: Step) -> str:
        """The other of the two."""
        return f"{self.inverse.removesuffix('-node')} {step.target.name}"

    def keeps(self, step: Step, run: StepRun) -> str:
        """A cordon keeps pods away from a node that is not well; an uncordon can be taken back at any time."""
        kept = self.unschedulable and not run.captured.get("unschedulable")
        return stays_cordoned(step) if kept else ""

    def accesses(self, step: Step) -> tuple[Access, ...]:
        """Patch of the node."""
        return (Access("patch", "Node", "", step.target.name),)

    async def blast_radius(self, reader: ClusterReader, step: Step) -> BlastRadius:
        """One node; no running pod is touched."""
        return BlastRadius(nodes=1)

    async def capture(self, reader: ClusterReader, step: Step, now: datetime) -> dict[str, Any]:
        """Whether the node was schedulable before."""
        node = await fetch(reader, step)
        return {**identity(node), "unschedulable": bool(section(node, "spec").get("unschedulable"))}

    async def dry_run(
        self, reader: ClusterReader, writer: ClusterWriter, step: Step, captured: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """The same patch with dryRun=All."""
        await self._write(writer, step, captured, self.unschedulable, dry_run=True)
        return (f"the API server accepts {self.name} of {step.target.name}",)

    async def apply(self, reader: ClusterReader, writer: ClusterWriter, step: Step, run: StepRun) -> Applied:
        """Write the field."""
        await self._write(writer, step, run.captured, self.unschedulable)
        return Applied(True, self.done(step, run), {})

    async def applied(self, reader: ClusterReader, step: Step, run: StepRun) -> bool:
        """Whether the field has the wanted value."""
        node = await fetch(reader, step)
        return bool(section(node, "spec").get("unschedulable")) is self.unschedulable

    async def begun(self, reader: ClusterReader, step: Step, run: StepRun) -> bool:
        """It is one write, so what is not applied has not begun."""
        return False

    def done(self, step: Step, run: StepRun) -> str:
        """As the timeline tells it."""
        return f"{self.title.lower()}ed {step.target.name}"

    async def undo(self, reader: ClusterReader, writer: ClusterWriter, step: Step, run: StepRun) -> str:
        """Put the captured value back, unless it was so before or somebody has changed it since."""
        before = bool(run.captured["unschedulable"])
        if before is self.unschedulable:
            return f"{step.target.name} was {_word(before)} before, nothing to undo"
        if not await self.applied(reader, step, run):
            return f"somebody made {step.target.name} {_word(before)} again already"
        await self._write(writer, step, run.captured, before)
        return f"{step.target.name} is {_word(before)} again, as before"

    async def health(self, reader: ClusterReader, step: Step, run: StepRun) -> Health:
        """The scheduler sees the value."""
        if await self.applied(reader, step, run):
            return Health(HealthState.HEALTHY, f"{step.target.name} is {self.title.lower()}ed", str(self.unschedulable))
        return Health(HealthState.FAILED, f"somebody changed {step.target.name} back", str(not self.unschedulable))

    async def _write(
        self, writer: ClusterWriter, step: Step, captured: Mapping[str, Any], value: bool, *, dry_run: bool = False
    ) -> None:
        expected = {"uid": captured["uid"]}
        await writer.patch(step.target, {"spec": {"unschedulable": value}}, expected=expected, dry_run=dry_run)


def stays_cordoned(step: Step) -> str:
    """Why a node is not made schedulable again by itself."""
    return f"kubernaut does not uncordon {step.target.name} by itself: do it when the node is well"


def _word(unschedulable: bool) -> str:
    return "unschedulable" if unschedulable else "schedulable"


class CordonNode(_Schedulability):
    """Keeps new pods away from a node."""

    name = "cordon-node"
    title = "Cordon"
    inverse = "uncordon-node"
    unschedulable = True


class UncordonNode(_Schedulability):
    """Lets pods come to a node again."""

    name = "uncordon-node"
    title = "Uncordon"
    inverse = "cordon-node"
    unschedulable = False

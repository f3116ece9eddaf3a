"""Actions on single pods: delete-pod."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubernaut.domain.errors import NotFound, Refused
from kubernaut.domain.facts import Object, controller_of
from kubernaut.domain.plans import Step, StepRun
from kubernaut.domain.reading import count, section
from kubernaut.ports import ClusterReader, ClusterWriter

from .action import Access, Applied, BlastRadius, Health, HealthState, Risk, fetch, identity
from .rollout import deployment_health, is_ready, pods_of, stamp_of


class DeletePod:
    """Deletes one pod, so that its controller makes a new one."""

    name = "delete-pod"
    title = "Delete pod"
    risk = Risk.LOW
    reversible = False
    inverse = ""
    target_kinds: tuple[str, ...] = ("Pod",)

    def rollback(self, step: Step) -> str:
        """A deleted pod does not come back."""
        return "none, its controller makes a new pod"

    def keeps(self, step: Step, run: StepRun) -> str:
        """There is nothing to undo."""
        return ""

    def accesses(self, step: Step) -> tuple[Access, ...]:
        """Delete of the pod."""
        return (Access("delete", "Pod", step.target.namespace, step.target.name),)

    async def blast_radius(self, reader: ClusterReader, step: Step) -> BlastRadius:
        """One pod, as a share of its siblings."""
        pod = await fetch(reader, step, live=False)
        siblings = max(1, len(await _siblings(reader, pod)))
        return BlastRadius(1, 100 // siblings if is_ready(pod) else 0, 0, 1)

    async def capture(self, reader: ClusterReader, step: Step, now: datetime) -> dict[str, Any]:
        """The pod's identity and who will replace it."""
        pod = await fetch(reader, step)
        owner = controller_of(pod)
        if owner is None:
            raise Refused(
                f"{step.target} has no controller that would make a new one: delete it by hand if you mean it"
            )
        return {
            **identity(pod),
            "owner": {"kind": owner["kind"], "name": owner["name"], "uid": owner["uid"]},
            "node": str(section(pod, "spec").get("nodeName") or ""),
        }

    async def dry_run(
        self, reader: ClusterReader, writer: ClusterWriter, step: Step, captured: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """The same delete with dryRun=All."""
        await writer.delete(step.target, expected={"uid": captured["uid"]}, dry_run=True)
        return (f"the API server accepts the deletion of {step.target}",)

    async def apply(self, reader: ClusterReader, writer: ClusterWriter, step: Step, run: StepRun) -> Applied:
        """Delete by uid: a pod that took its name is never hit, and twice is once."""
        try:
            await writer.delete(step.target, expected={"uid": run.captured["uid"]})
        except NotFound:
            return Applied(True, f"{step.target.short} was gone already", {})
        return Applied(True, self.done(step, run), {})

    async def applied(self, reader: ClusterReader, step: Step, run: StepRun) -> bool:
        """Whether that very pod is gone or going."""
        ref = step.target
        pod = await reader.get(ref.kind, ref.namespace, ref.name, live=True)
        if pod is None or pod["metadata"]["uid"] != run.captured["uid"]:
            return True
        return bool(pod["metadata"].get("deletionTimestamp"))

    async def begun(self, reader: ClusterReader, step: Step, run: StepRun) -> bool:
        """It is one write, so what is not applied has not begun."""
        return False

    def done(self, step: Step, run: StepRun) -> str:
        """As the timeline tells it."""
        return f"deleted pod {step.target.short}"

    async def undo(self, reader: ClusterReader, writer: ClusterWriter, step: Step, run: StepRun) -> str:
        """Never called: not reversible."""
        raise Refused("a deleted pod does not come back")

    async def health(self, reader: ClusterReader, step: Step, run: StepRun) -> Health:
        """The pod is gone and its workload is whole again."""
        if not await self.applied(reader, step, run):
            return Health(HealthState.PROGRESSING, "the pod is still there")
        owner = run.captured["owner"]
        item = await reader.get(owner["kind"], step.target.namespace, owner["name"], live=True)
        if item is None:
            return Health(HealthState.FAILED, f"{owner['kind']} {owner['name']} is gone, nothing makes a new pod")
        above = controller_of(item)
        if above and above["kind"] == "Deployment":
            deployment = await reader.get("Deployment", step.target.namespace, above["name"], live=True)
            if deployment is not None:
                return deployment_health(deployment, await pods_of(reader, deployment))
        return _whole(item, await reader.owned("Pod", item["metadata"]["uid"], step.target.namespace))


async def _siblings(reader: ClusterReader, pod: Object) -> list[Object]:
    owner = controller_of(pod)
    if owner is None:
        return [pod]
    return list(await reader.owned("Pod", owner["uid"], pod["metadata"].get("namespace", "")))


def _whole(owner: Object, pods: Any) -> Health:
    status = section(owner, "status")
    wanted = count(status.get("desiredNumberScheduled"), count(section(owner, "spec").get("replicas"), 1))
    ready = count(status.get("numberReady"), count(status.get("readyReplicas")))
    state = HealthState.HEALTHY if ready >= wanted else HealthState.PROGRESSING
    return Health(state, f"{ready}/{wanted} ready", stamp_of(pods))

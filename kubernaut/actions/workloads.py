"""Actions on workloads: restart-deployment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubernaut.domain.errors import Refused
from kubernaut.domain.facts import Object
from kubernaut.domain.plans import Step, StepRun
from kubernaut.ports import ClusterReader, ClusterWriter

from .action import Access, Applied, BlastRadius, Health, Risk, fetch, identity
from .rollout import deployment_health, is_ready, pods_of

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The annotation by which kubectl itself restarts; it is not in Git, so a GitOps controller leaves it alone."""


def restarted_at(item: Object) -> str:
    """The restart that stands in the object's pod template; empty when there is none."""
    template = (item.get("spec") or {}).get("template") or {}
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(RESTARTED_AT) or "")


def _share(value: object, wanted: int) -> int:
    """maxUnavailable in pods: a number or a percentage, rounded down as the Deployment controller does."""
    text = str(value)
    return wanted * int(text[:-1]) // 100 if text.endswith("%") else int(text)


class RestartDeployment:
    """Replaces all pods of a Deployment at its own rollout pace."""

    name = "restart-deployment"
    title = "Restart"
    risk = Risk.LOW
    reversible = False
    inverse = ""
    target_kinds: tuple[str, ...] = ("Deployment",)

    def rollback(self, step: Step) -> str:
        """A restart has no inverse."""
        return "none, a restart can't be undone"

    def accesses(self, step: Step) -> tuple[Access, ...]:
        """Patch of the Deployment."""
        return (Access("patch", "Deployment", step.target.namespace, step.target.name),)

    async def blast_radius(self, reader: ClusterReader, step: Step) -> BlastRadius:
        """All pods in turn; at one moment only as many as the rollout strategy lets go, or that are not ready anyway."""
        item = await fetch(reader, step, live=False)
        spec = item.get("spec", {})
        wanted = int(spec.get("replicas", 1))
        if spec.get("strategy", {}).get("type") == "Recreate":
            away = wanted
        else:
            rolling = spec.get("strategy", {}).get("rollingUpdate") or {}
            away = _share(rolling.get("maxUnavailable", "25%"), wanted)
        serving = sum(is_ready(pod) for pod in await pods_of(reader, item))
        return BlastRadius(wanted, 100 * min(away, serving) // wanted if wanted else 0, 0, 1)

    async def capture(self, reader: ClusterReader, step: Step, now: datetime) -> dict[str, Any]:
        """The moment to write, fixed before the write, and the one that stands there now."""
        item = await fetch(reader, step)
        if item.get("spec", {}).get("paused"):
            raise Refused(f"{step.target} is paused: a restart would not roll out until `kubectl rollout resume`")
        return {
            **identity(item),
            "restartedAt": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "before": restarted_at(item),
        }

    def _patch(self, captured: Mapping[str, Any]) -> dict[str, Any]:
        annotations = {RESTARTED_AT: captured["restartedAt"]}
        return {"spec": {"template": {"metadata": {"annotations": annotations}}}}

    async def dry_run(
        self, reader: ClusterReader, writer: ClusterWriter, step: Step, captured: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """The same patch with dryRun=All."""
        await writer.patch(step.target, self._patch(captured), expected={"uid": captured["uid"]}, dry_run=True)
        return (f"the API server accepts the restart of {step.target}",)

    async def apply(self, reader: ClusterReader, writer: ClusterWriter, step: Step, run: StepRun) -> Applied:
        """Write the captured moment: repeating it changes nothing, because the value is the same."""
        await writer.patch(step.target, self._patch(run.captured), expected={"uid": run.captured["uid"]})
        return Applied(True, f"restarted {step.target.short}", {})

    async def applied(self, reader: ClusterReader, step: Step, run: StepRun) -> bool:
        """Whether the Deployment was restarted since the capture: by this write, or by somebody after it.

        Another moment than the captured ones is somebody's restart, and one restart is enough. A GitOps controller may have
        taken the annotation away again (Flux does): the ReplicaSet that was made from it still has it.
        """
        item = await fetch(reader, step)
        ours, before = run.captured["restartedAt"], run.captured["before"]
        now = restarted_at(item)
        if now == ours or (now and now != before):
            return True
        made = await reader.owned("ReplicaSet", item["metadata"]["uid"], step.target.namespace)
        return any(restarted_at(replica_set) == ours for replica_set in made)

    async def undo(self, reader: ClusterReader, writer: ClusterWriter, step: Step, run: StepRun) -> str:
        """Never called: not reversible."""
        raise Refused("a restart can't be undone")

    async def health(self, reader: ClusterReader, step: Step, run: StepRun) -> Health:
        """Rollout finished and every pod ready."""
        item = await fetch(reader, step)
        return deployment_health(item, await pods_of(reader, item))

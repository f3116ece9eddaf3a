"""Actions on workloads: restart-deployment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubernaut.domain.errors import Refused
from kubernaut.domain.facts import Object
from kubernaut.domain.plans import Step, StepRun
from kubernaut.domain.reading import count, section
from kubernaut.ports import ClusterReader, ClusterWriter

from .action import Access, Applied, BlastRadius, Health, Risk, fetch, identity
from .rollout import deployment_health, is_ready, pods_of

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The annotation by which kubectl itself restarts; it is not in Git, so a GitOps controller leaves it alone."""


def restarted_at(item: Object) -> str:
    """The restart that stands in the object's pod template; empty when there is none."""
    return str(section(item, "spec", "template", "metadata", "annotations").get(RESTARTED_AT) or "")


def _away(deployment: Object, wanted: int) -> int:
    """How many of the wanted pods a rollout may take away at one moment, as the Deployment controller reckons it.

    Source: k8s.io/kubernetes/pkg/controller/deployment/util ResolveFenceposts: maxUnavailable is rounded down, maxSurge up,
    and where both come to nothing one pod goes.
    """
    strategy = section(deployment, "spec", "strategy")
    if strategy.get("type") == "Recreate":
        return wanted
    rolling = section(strategy, "rollingUpdate")
    away, surge = _share(rolling.get("maxUnavailable"), wanted), -_share(rolling.get("maxSurge"), -wanted)
    return min(wanted, away if away or surge else 1)


def _share(value: object, wanted: int) -> int:
    """A number, or a percentage rounded down; a quarter when it is neither, which is the default. With a negative `wanted`
    the other way round: minus the number, minus the percentage rounded up."""
    text = str(value)
    if text.isascii() and text.isdigit():
        return int(text) if wanted >= 0 else -int(text)
    percent = int(text[:-1]) if text.endswith("%") and text[:-1].isascii() and text[:-1].isdigit() else 25
    return wanted * percent // 100


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

    def keeps(self, step: Step, run: StepRun) -> str:
        """There is nothing to undo."""
        return ""

    def accesses(self, step: Step) -> tuple[Access, ...]:
        """Patch of the Deployment."""
        return (Access("patch", "Deployment", step.target.namespace, step.target.name),)

    async def blast_radius(self, reader: ClusterReader, step: Step) -> BlastRadius:
        """All pods in turn; at one moment only as many as the rollout strategy lets go, or that are not ready anyway."""
        item = await fetch(reader, step, live=False)
        wanted = count(section(item, "spec").get("replicas"), 1)
        serving = sum(is_ready(pod) for pod in await pods_of(reader, item))
        gone = min(_away(item, wanted), serving)
        return BlastRadius(wanted, -(-100 * gone // wanted) if wanted else 0, 0, 1)

    async def capture(self, reader: ClusterReader, step: Step, now: datetime) -> dict[str, Any]:
        """The moment to write, fixed before the write, and the one that stands there now."""
        item = await fetch(reader, step)
        if section(item, "spec").get("paused"):
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
        return Applied(True, self.done(step, run), {})

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

    async def begun(self, reader: ClusterReader, step: Step, run: StepRun) -> bool:
        """It is one write, so what is not applied has not begun."""
        return False

    def done(self, step: Step, run: StepRun) -> str:
        """As the timeline tells it."""
        return f"restarted {step.target.short}"

    async def undo(self, reader: ClusterReader, writer: ClusterWriter, step: Step, run: StepRun) -> str:
        """Never called: not reversible."""
        raise Refused("a restart can't be undone")

    async def health(self, reader: ClusterReader, step: Step, run: StepRun) -> Health:
        """Rollout finished and every pod ready."""
        item = await fetch(reader, step)
        return deployment_health(item, await pods_of(reader, item))

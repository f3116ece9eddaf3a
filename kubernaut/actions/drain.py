"""Drain a node as kubectl does: cordon, then evict every pod that may be evicted, and wait where a budget refuses.

A drain is many writes. Each is safe to repeat: the cordon is one boolean, an eviction is bound to the pod's uid, and what is
left to do is read from the cluster each time, never remembered.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from kubernaut.domain.errors import Conflict, NotFound, Refused, Temporary
from kubernaut.domain.facts import Object, controller_of, ref_of
from kubernaut.domain.plans import Step, StepRun
from kubernaut.domain.reading import count, entries, section
from kubernaut.ports import ClusterReader, ClusterWriter

from .action import Access, Applied, BlastRadius, Health, HealthState, Risk, fetch, identity
from .nodes import stays_cordoned

MIRROR = "kubernetes.io/config.mirror"
"""Marks a static pod's mirror, which only the kubelet can remove."""


def _stays(pod: Object) -> bool:
    """Pods that a drain leaves alone: DaemonSet pods, mirror pods and finished ones."""
    owner = controller_of(pod)
    finished = section(pod, "status").get("phase") in ("Succeeded", "Failed")
    return bool(
        (owner and owner["kind"] == "DaemonSet") or MIRROR in section(pod, "metadata", "annotations") or finished
    )


def obstacles(pods: Sequence[Object], parameters: Mapping[str, Any]) -> list[str]:
    """Why these pods may not be evicted without an explicit yes, as kubectl asks for it."""
    found = []
    for pod in pods:
        name = f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"
        if controller_of(pod) is None and not parameters.get("force"):
            found.append(f"{name} has no controller and would be lost (parameter force)")
        if any("emptyDir" in v for v in entries(pod, "spec", "volumes")) and not parameters.get("delete_emptydir_data"):
            found.append(f"{name} keeps data in an emptyDir that would be lost (parameter delete_emptydir_data)")
    return found


class DrainNode:
    """Moves all pods off a node, within their disruption budgets."""

    name = "drain-node"
    title = "Drain"
    risk = Risk.MEDIUM
    reversible = True
    inverse = "uncordon-node"
    target_kinds: tuple[str, ...] = ("Node",)

    def rollback(self, step: Step) -> str:
        """Pods do not come back by themselves."""
        return f"uncordon {step.target.name} (pods stay where they went)"

    def keeps(self, step: Step, run: StepRun) -> str:
        """Pods must not come back to a node that is being emptied because it fails."""
        return "" if run.captured.get("unschedulable") else stays_cordoned(step)

    def accesses(self, step: Step) -> tuple[Access, ...]:
        """Patch of the node, eviction of pods anywhere."""
        return (Access("patch", "Node", "", step.target.name), Access("create", "Pod", "", "", "eviction"))

    async def _evictable(self, reader: ClusterReader, step: Step, *, live: bool = True) -> list[Object]:
        pods = await reader.list("Pod", fields=f"spec.nodeName={step.target.name}", live=live)
        return [pod for pod in pods if not _stays(pod)]

    async def blast_radius(self, reader: ClusterReader, step: Step) -> BlastRadius:
        """The pods to evict and the workloads they belong to; percent is that of the workload hit hardest."""
        pods = await self._evictable(reader, step, live=False)
        owners: dict[tuple[str, str], int] = {}
        for pod in pods:
            owner = controller_of(pod)
            key = (pod["metadata"].get("namespace", ""), owner["uid"] if owner else pod["metadata"]["uid"])
            owners[key] = owners.get(key, 0) + 1
        worst = 0
        for (namespace, uid), here in owners.items():
            everywhere = max(here, len(await reader.owned("Pod", uid, namespace)))
            worst = max(worst, 100 * here // everywhere)
        return BlastRadius(len(pods), worst, 1, len(owners))

    async def capture(self, reader: ClusterReader, step: Step, now: datetime) -> dict[str, Any]:
        """Whether the node was schedulable, and which pods ran on it."""
        node = await fetch(reader, step)
        pods = await self._evictable(reader, step)
        if blocked := obstacles(pods, step.parameters):
            raise Refused("; ".join(blocked[:3]) + (f"; and {len(blocked) - 3} more" if len(blocked) > 3 else ""))
        listed = [
            {
                "namespace": p["metadata"].get("namespace", ""),
                "name": p["metadata"]["name"],
                "uid": p["metadata"]["uid"],
            }
            for p in pods
        ]
        unschedulable = _cordoned(node)
        owners = await _owners(reader, pods)
        return {**identity(node), "unschedulable": unschedulable, "pods": listed, "owners": owners}

    async def dry_run(
        self, reader: ClusterReader, writer: ClusterWriter, step: Step, captured: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """Dry-run evictions of every pod; a budget that refuses now is told, not fatal."""
        expected = {"uid": captured["uid"]}
        await writer.patch(step.target, {"spec": {"unschedulable": True}}, expected=expected, dry_run=True)
        accepted, refused = 0, []
        for pod in await self._evictable(reader, step):
            try:
                ref = ref_of(pod, step.target.cluster)
                await writer.evict(ref, expected={"uid": pod["metadata"]["uid"]}, dry_run=True)
                accepted += 1
            except Temporary as error:
                refused.append(f"{pod['metadata']['name']}: {error}")
            except NotFound:
                continue
        summary = f"{accepted} evictions accepted by the API server, {len(refused)} refused for now"
        return (summary, *refused[:5])

    async def apply(self, reader: ClusterReader, writer: ClusterWriter, step: Step, run: StepRun) -> Applied:
        """Cordon, then evict what is still there; done when nothing is left that could be evicted.

        Raises:
            Refused: somebody uncordoned the node meanwhile: that is a person's word, and pods come anew.
        """
        node = await fetch(reader, step)
        if not _cordoned(node):
            if run.progress.get("cordoned"):
                raise Refused(f"somebody uncordoned {step.target.name} during the drain")
            expected = {"uid": run.captured["uid"]}
            await writer.patch(step.target, {"spec": {"unschedulable": True}}, expected=expected)
        total = len(run.captured["pods"])
        try:
            pods = await self._evictable(reader, step)
        except Temporary as error:  # that the cordon is kubernaut's has to be known whatever comes now
            progress = {"cordoned": True, "left": total, "total": total, "waiting": [str(error)]}
            return Applied(False, f"cordoned {step.target.name}, waiting for its pods: {error}", progress)
        known = {p["uid"] for p in run.captured["pods"]}
        if blocked := obstacles([p for p in pods if p["metadata"]["uid"] not in known], step.parameters):
            raise Refused("; ".join(blocked[:3]))
        waiting = []
        for pod in pods:
            if pod["metadata"].get("deletionTimestamp"):
                continue
            try:
                await writer.evict(ref_of(pod, step.target.cluster), expected={"uid": pod["metadata"]["uid"]})
            except (NotFound, Conflict):  # it is gone, and if another one has its name, the next look sees it
                continue
            except Temporary as error:
                waiting.append(f"{pod['metadata']['name']}: {error}")
        progress = {"cordoned": True, "left": len(pods), "total": total, "waiting": waiting[:5]}
        if not pods:
            return Applied(True, self.done(step, run), progress)
        blocked_text = f", waiting for {waiting[0]}" if waiting else ""
        return Applied(False, f"{len(pods)} of {total} pods still leaving {step.target.name}{blocked_text}", progress)

    async def applied(self, reader: ClusterReader, step: Step, run: StepRun) -> bool:
        """Never trusted half way: the drain is done when the node is cordoned and nothing evictable is left."""
        node = await fetch(reader, step)
        return _cordoned(node) and not await self._evictable(reader, step)

    async def begun(self, reader: ClusterReader, step: Step, run: StepRun) -> bool:
        """The cordon comes first."""
        return _cordoned(await fetch(reader, step)) and not run.captured["unschedulable"]

    def done(self, step: Step, run: StepRun) -> str:
        """As the timeline tells it."""
        return f"drained {step.target.name}: {len(run.captured['pods'])} pods evicted"

    async def undo(self, reader: ClusterReader, writer: ClusterWriter, step: Step, run: StepRun) -> str:
        """Let pods come again, unless the node was cordoned before or somebody has uncordoned it already."""
        name, stay = step.target.name, "pods stay where they went"
        if bool(run.captured["unschedulable"]):
            return f"{name} was unschedulable before, nothing to undo; {stay}"
        if not _cordoned(await fetch(reader, step)):
            return f"{name} is schedulable; {stay}"
        await writer.patch(step.target, {"spec": {"unschedulable": False}}, expected={"uid": run.captured["uid"]})
        return f"{name} is schedulable again; {stay}"

    async def health(self, reader: ClusterReader, step: Step, run: StepRun) -> Health:
        """The node is empty, and every controller that lost a pod has as many ready pods as it wants."""
        if not _cordoned(await fetch(reader, step)):
            return Health(HealthState.FAILED, f"somebody uncordoned {step.target.name}")
        if await self._evictable(reader, step):
            return Health(HealthState.PROGRESSING, f"pods are still leaving {step.target.name}")
        for owner in run.captured["owners"]:
            item = await reader.get(owner["kind"], owner["namespace"], owner["name"], live=True)
            if item is None:
                continue
            wanted = min(count(section(item, "spec").get("replicas"), 1), int(owner["ready"]))
            if _ready(item) < wanted:
                name = f"{owner['namespace']}/{owner['name']}"
                return Health(HealthState.PROGRESSING, f"{name} has {_ready(item)} of {wanted} pods back", "short")
        return Health(HealthState.HEALTHY, f"{step.target.name} is empty and its pods run elsewhere", "empty")


def _cordoned(node: Object) -> bool:
    return bool(section(node, "spec").get("unschedulable"))


def _ready(owner: Object) -> int:
    return count(section(owner, "status").get("readyReplicas"))


async def _owners(reader: ClusterReader, pods: Sequence[Object]) -> list[dict[str, Any]]:
    """The ReplicaSets and StatefulSets that lose pods, and how many ready pods each had before: so many must come back."""
    found: dict[str, dict[str, Any]] = {}
    for pod in pods:
        owner, namespace = controller_of(pod), pod["metadata"].get("namespace", "")
        if owner is None or owner["uid"] in found or owner["kind"] not in ("ReplicaSet", "StatefulSet"):
            continue
        item = await reader.get(owner["kind"], namespace, owner["name"])
        if item is not None:
            ready = _ready(item)
            found[owner["uid"]] = {"kind": owner["kind"], "namespace": namespace, "name": owner["name"], "ready": ready}
    return list(found.values())

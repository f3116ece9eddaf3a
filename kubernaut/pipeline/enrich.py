"""Enrichment reads everything that an analysis may need about one object, at once and under one deadline (R-PRO-1).

What the watch cache holds costs no call; what it does not hold is asked for only where the object's state makes it matter
(logs of unhealthy containers, Secrets of containers that can't start). What could not be read is told in
`Snapshot.missing`, so that nobody takes absence for evidence. Only the target itself must be there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from kubernaut.domain.errors import KubernautError, NotFound, Temporary
from kubernaut.domain.facts import LogKey, Object, Snapshot, controller_of, ref_of
from kubernaut.domain.reading import count, section
from kubernaut.domain.redaction import redact, redact_labels
from kubernaut.domain.resources import KINDS, WORKLOADS, ResourceRef
from kubernaut.gitops.argocd import tracked_by
from kubernaut.gitops.ownership import needed
from kubernaut.pipeline.references import referenced, unhealthy
from kubernaut.ports import Clock, ClusterReader

T = TypeVar("T")
LOGGED_CONTAINERS = 6
LOG_LINES = 100
LOG_BYTES = 16 * 1024
_OWNED = {"Deployment": "ReplicaSet", "StatefulSet": "Pod", "DaemonSet": "Pod", "ReplicaSet": "Pod", "Job": "Pod"}
_PARTS = ("Pod", "ReplicaSet")
"""Kinds whose trouble is their owner's. Watches are apart, so intake can know a pod and not yet its ReplicaSet's owner."""
_NODE_LEASES = "kube-node-lease"
_NODE_EVENTS = "default"
_FEW_NAMES = 12
_GITOPS_ROUNDS = 3


async def enrich(
    reader: ClusterReader,
    target: ResourceRef,
    *,
    clock: Clock,
    deadline_s: float,
    signal: str = "",
    labels: Mapping[str, str] | None = None,
    to_owner: bool = True,
) -> Snapshot:
    """All facts about one object.

    Args:
        deadline_s: how long all reads together may take, in seconds; what is not there by then is missing.
        labels: the signal's labels; they are redacted on their way in.
        to_owner: analyse the top owner of a pod or a ReplicaSet instead of itself.

    Returns: a snapshot whose target is the top owner where the target was a part of one.

    Raises:
        NotFound: the target does not exist.
        Temporary, Refused, Permanent: the target itself could not be read.
    """
    facts = _Facts(reader, clock)
    try:
        async with asyncio.timeout(deadline_s):
            root = await reader.get(target.kind, target.namespace, target.name)
            if root is None:  # watches lag: that something does not exist is said only when the server says so
                root = await reader.get(target.kind, target.namespace, target.name, live=True)
            if root is None:
                raise NotFound(f"{target} does not exist in cluster {reader.name}")
            facts.add(root)
            top = await facts.owners(root)
            if to_owner and target.kind in _PARTS and top["kind"] in WORKLOADS:
                target = ref_of(top, target.cluster)
            await facts.read(top, root)
    except TimeoutError:
        if not facts.objects:
            raise Temporary(f"{target} could not be read within {deadline_s:g} s") from None
        facts.missing += [f"{what}: no answer within {deadline_s:g} s" for what in sorted(facts.pending)]
    return Snapshot(
        target,
        clock.now(),
        tuple(facts.objects.values()),
        dict(facts.logs),
        missing=tuple(dict.fromkeys(facts.missing)),
        signal=signal,
        labels=redact_labels(labels or {}),
    )


class _Facts:
    """What was read so far: survives the deadline, so that a slow part costs only itself."""

    def __init__(self, reader: ClusterReader, clock: Clock) -> None:
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.logs: dict[LogKey, str] = {}
        self.missing: list[str] = []
        self.pending: set[str] = set()
        self._reader = reader
        self._clock = clock

    def add(self, *items: Object) -> None:
        for item in items:
            meta = item["metadata"]
            kept = _without_values(item) if item["kind"] == "Secret" else item
            self.objects[(item["kind"], meta.get("namespace", ""), meta["name"])] = kept

    async def owners(self, item: Object) -> Object:
        """The top owner, as far as the chain can be read."""
        for _ in range(4):
            reference = controller_of(item)
            if reference is None or reference["kind"] not in KINDS:
                break
            namespace = item["metadata"].get("namespace", "")
            owner = await self._one(reference["kind"], namespace, reference["name"])
            if owner is None or owner["metadata"].get("uid") != reference["uid"]:
                break
            item = owner
        return item

    async def read(self, top: Object, root: Object) -> None:
        """Everything around the target, concurrently."""
        namespace = root["metadata"].get("namespace", "")
        async with asyncio.TaskGroup() as group:
            if root["kind"] == "Node":
                group.create_task(self._around_node(root))
            else:
                group.create_task(self._pods_and_what_they_need(top, root))
                group.create_task(self._one("Namespace", "", namespace))
                for kind in ("PodDisruptionBudget", "HorizontalPodAutoscaler"):
                    group.create_task(self._all(kind, namespace, keep=lambda o, k=kind: k != _HPA or _scales(o, top)))  # type: ignore[misc]
                group.create_task(self._gitops(top))

    async def _around_node(self, node: Object) -> None:
        name = node["metadata"]["name"]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._all("Pod", "", fields=f"spec.nodeName={name}"))
            group.create_task(self._one("Lease", _NODE_LEASES, name))
            group.create_task(self._events(_NODE_EVENTS, {("Node", name)}))
            group.create_task(self._all("PodDisruptionBudget", ""))
            group.create_task(self._all("Node", ""))  # whether it is alone with its trouble

    async def _pods_and_what_they_need(self, top: Object, root: Object) -> None:
        pods = await self._pods(top) or ([root] if root["kind"] == "Pod" else [])
        nodes = {str(name) for pod in pods if (name := section(pod, "spec").get("nodeName"))}
        sick = unhealthy(pods)
        mine = {(o["kind"], o["metadata"]["name"]) for o in (top, root, *pods, *self._replica_sets())}
        namespace = root["metadata"].get("namespace", "")
        async with asyncio.TaskGroup() as group:
            for name in nodes:
                group.create_task(self._one("Node", "", name))
            group.create_task(self._events(namespace, mine))
            if any(not c.ready for c in sick) and nodes:
                group.create_task(self._events(_NODE_EVENTS, {("Node", name) for name in nodes}))
            for kind, name in referenced(top, pods, sick):
                group.create_task(self._one(kind, namespace, name))
            if len(pods) < count(section(top, "spec").get("replicas")):
                group.create_task(self._all("ResourceQuota", namespace))
            for container in sick[:LOGGED_CONTAINERS]:
                for previous in (False, True) if container.restarts else (False,):
                    if previous or container.has_run:
                        key = LogKey(namespace, container.pod, container.name, previous)
                        group.create_task(self._log(key))

    async def _events(self, namespace: str, about: set[tuple[str, str]]) -> None:
        """Events of these objects, asked by name while they are few: a namespace can have thousands of others."""
        names = {name for _, name in about}
        selectors = [f"involvedObject.name={name}" for name in names] if len(names) <= _FEW_NAMES else [""]
        async with asyncio.TaskGroup() as group:
            for fields in selectors:
                group.create_task(self._all("Event", namespace, fields=fields, keep=lambda e: _involved(e) in about))

    async def _pods(self, top: Object) -> list[Object]:
        kind = _OWNED.get(top["kind"])
        if kind is None:
            return []
        found = await self._owned(kind, top)
        if kind == "Pod":
            return list(found)
        alive = [rs for rs in found if section(rs, "status").get("replicas") or section(rs, "spec").get("replicas")]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._owned("Pod", rs)) for rs in alive]
        return [pod for task in tasks for pod in task.result()]

    def _replica_sets(self) -> list[Object]:
        return [o for (kind, _, _), o in self.objects.items() if kind == "ReplicaSet"]

    async def _gitops(self, top: Object) -> None:
        """The Applications, Kustomizations and sources that the object's own metadata leads to."""
        known: list[Object] = []
        asked: set[ResourceRef] = set()
        for _ in range(_GITOPS_ROUNDS):
            wanted = [ref for ref in needed(top, self._reader.name, known) if ref not in asked and ref.kind in KINDS]
            if not wanted:
                break
            asked |= set(wanted)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._one(ref.kind, ref.namespace, ref.name)) for ref in wanted]
            known += [found for task in tasks if (found := task.result()) is not None]
        tracking = tracked_by(top)
        if tracking is not None and not any(o["kind"] == "Application" for o in known):
            await self._all("Application", "", keep=lambda o: bool(o["metadata"]["name"] == tracking.app))

    async def _one(self, kind: str, namespace: str, name: str) -> Object | None:
        found = await self._told(f"{kind} {name}", lambda: self._reader.get(kind, namespace, name))
        if found is not None:
            self.add(found)
        return found

    async def _all(
        self, kind: str, namespace: str, *, fields: str = "", keep: Callable[[Object], bool] = lambda _: True
    ) -> Sequence[Object]:
        what = f"{KINDS[kind].plural}{f' in {namespace}' if namespace else ''}"
        listed = await self._told(what, lambda: self._reader.list(kind, namespace, fields=fields)) or ()
        kept = [item for item in listed if keep(item)]
        self.add(*kept)
        return kept

    async def _owned(self, kind: str, owner: Object) -> Sequence[Object]:
        meta = owner["metadata"]
        what = f"{KINDS[kind].plural} of {owner['kind']} {meta['name']}"
        found = await self._told(what, lambda: self._reader.owned(kind, meta["uid"], meta.get("namespace", ""))) or ()
        self.add(*found)
        return found

    async def _log(self, key: LogKey) -> None:
        what = f"{'previous ' if key.previous else ''}log of {key.pod}[{key.container}]"
        text = await self._told(what, lambda: self._tail(key))
        if text:
            self.logs[key] = redact(text[-LOG_BYTES:])

    async def _tail(self, key: LogKey) -> str:
        try:
            return await self._reader.logs(
                key.namespace, key.pod, key.container, previous=key.previous, tail_lines=LOG_LINES
            )
        except NotFound:  # it has not run, or its file was rotated away: nothing to read is no failure to read
            return ""

    async def _told(self, what: str, read: Callable[[], Awaitable[T]]) -> T | None:
        self.pending.add(what)
        try:
            found = await read()
        except KubernautError as e:
            self.missing.append(f"{what}: {redact(str(e))}")
            found = None
        self.pending.discard(what)
        return found


_HPA = "HorizontalPodAutoscaler"


def _involved(event: Object) -> tuple[str, str]:
    about = section(event, "involvedObject")
    return str(about.get("kind", "")), str(about.get("name", ""))


def _scales(autoscaler: Object, top: Object) -> bool:
    scaled = section(autoscaler, "spec", "scaleTargetRef")
    return bool(scaled.get("kind") == top["kind"] and scaled.get("name") == top["metadata"]["name"])


def _without_values(secret: Object) -> dict[str, Any]:
    meta = {k: v for k, v in secret["metadata"].items() if k not in ("annotations", "managedFields")}
    keys = [*section(secret, "data"), *section(secret, "stringData")]
    return {"kind": "Secret", "metadata": meta, "type": secret.get("type", ""), "data": dict.fromkeys(keys, "")}

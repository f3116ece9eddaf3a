"""Everything in a cluster is read twice: first broadly, to see what looks unwell, then closely what does.

The broad reading lists a dozen kinds and no logs; the close one is the same enrichment that one object gets.
"""

import asyncio
from collections.abc import Sequence

from kubernaut.domain.errors import KubernautError, NotFound, Temporary
from kubernaut.domain.facts import Object, Snapshot
from kubernaut.domain.redaction import redact
from kubernaut.domain.resources import KINDS, ResourceRef
from kubernaut.ports import Clock, ClusterReader

from .enrich import enrich

BROADLY = ("Node", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Event", "Service")
MOST = 60
_AT_ONCE = 6


async def enrich_all(reader: ClusterReader, target: ResourceRef, *, clock: Clock, deadline_s: float) -> Snapshot:
    """What a cluster or a namespace holds, without logs and configuration.

    Args:
        target: of the kind `Cluster` or `Namespace`.
        deadline_s: how long all lists together may take, in seconds; what is not there by then is missing.

    Raises:
        NotFound: there is no such namespace.
        Temporary: nothing at all could be read in time.
    """
    namespace = target.name if target.kind == "Namespace" else ""
    objects: list[Object] = []
    missing: list[str] = []
    pending = set(BROADLY)

    async def read(kind: str) -> None:
        where = namespace if KINDS[kind].namespaced else ""
        try:
            objects.extend(await reader.list(kind, where))
            if kind == "Event" and where:
                objects.extend(await reader.list(kind, "default", fields="involvedObject.kind=Node"))
        except KubernautError as e:
            missing.append(f"{KINDS[kind].plural}: {redact(str(e))}")
        pending.discard(kind)

    try:
        async with asyncio.timeout(deadline_s):
            if namespace and await reader.get("Namespace", "", namespace) is None:
                raise NotFound(f"namespace {namespace} does not exist in cluster {reader.name}")
            async with asyncio.TaskGroup() as group:
                for kind in BROADLY:
                    group.create_task(read(kind))
    except TimeoutError:
        missing += [f"{KINDS[kind].plural}: no answer within {deadline_s:g} s" for kind in sorted(pending)]
    if not objects and missing:
        raise Temporary(f"nothing of {target} could be read: {missing[0]}")
    unique = {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in objects}
    return Snapshot(target, clock.now(), tuple(unique.values()), missing=tuple(missing))


async def enrich_each(
    reader: ClusterReader, targets: Sequence[ResourceRef], *, clock: Clock, deadline_s: float
) -> list[Snapshot]:
    """All facts about each of the objects, at most `MOST` of them; one that is gone by now is left out.

    Args:
        deadline_s: how long each may take, in seconds.
    """
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(target: ResourceRef) -> Snapshot | None:
        async with turn:
            try:
                return await enrich(reader, target, clock=clock, deadline_s=deadline_s)
            except KubernautError:
                return None

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(target)) for target in targets[:MOST]]
    return [snapshot for task in tasks if (snapshot := task.result()) is not None]

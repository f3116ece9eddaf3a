"""Find out who owns an object in Git: read what its metadata points at, then let the pure rules decide."""

from kubernaut.domain.errors import NotFound, Refused
from kubernaut.domain.facts import Object, Snapshot
from kubernaut.domain.proposals import Ownership
from kubernaut.domain.resources import ResourceRef
from kubernaut.gitops.ownership import needed, owner_of

from .outside import Outside

_ROUNDS = 3
"""HelmRelease → Kustomization → GitRepository: each round reads what the last one pointed at."""


async def ownership_of(out: Outside, snapshot: Snapshot | None, target: ResourceRef) -> Ownership | None:
    """The owner of `target` in Git, or None when no GitOps controller claims it."""
    reader = out.cluster(target.cluster)
    item = snapshot.get(target.kind, target.name, target.namespace) if snapshot else None
    item = item or await reader.get(target.kind, target.namespace, target.name)
    if item is None:
        return None
    known: dict[ResourceRef, Object] = {}
    for _ in range(_ROUNDS):
        missing = [ref for ref in needed(item, target.cluster, list(known.values())) if ref not in known]
        if not missing:
            break
        for ref in missing:
            try:
                found = await reader.get(ref.kind, ref.namespace, ref.name)
            except (NotFound, Refused):
                found = None
            known[ref] = found or {"kind": ref.kind, "metadata": {"name": ref.name, "namespace": ref.namespace}}
    objects = [o for o in known.values() if "spec" in o]
    return owner_of(item, objects, target.cluster)


async def managed_now(out: Outside, target: ResourceRef) -> bool:
    """Whether Git owns the object at this moment."""
    return await ownership_of(out, None, target) is not None

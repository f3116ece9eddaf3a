"""What a pod's trouble is attributed to: the top of its chain of controllers."""

from collections.abc import Callable

from .facts import Object, controller_of
from .resources import KINDS, ResourceRef

Lookup = Callable[[ResourceRef], Object | None]


def top_owner(ref: ResourceRef, lookup: Lookup) -> ResourceRef:
    """The last controller above `ref` of a kind that kubernaut knows: Pod → ReplicaSet → Deployment, Job → CronJob.

    It follows `ownerReferences` with `controller: true` only. An owner of an unknown kind (another operator's resource)
    ends the chain before it, because nothing below knows how to treat it. An owner that can't be looked up still counts:
    its name is in the reference. Cycles end where they close.

    Args:
        lookup: an object by its name, or None; usually the watch cache.
    """
    seen = {ref}
    while (item := lookup(ref)) is not None:
        reference = controller_of(item)
        kind = KINDS.get(str(reference.get("kind"))) if reference else None
        if reference is None or kind is None or not _same_group(str(reference.get("apiVersion", "")), kind.group):
            break
        owner = ResourceRef(ref.cluster, kind.kind, str(reference["name"]), ref.namespace if kind.namespaced else "")
        if owner in seen:
            break
        seen.add(owner)
        ref = owner
    return ref


def _same_group(api_version: str, group: str) -> bool:
    """A kind is known by its group, too: others have a `Job` or an `Application` of their own."""
    return api_version.rpartition("/")[0] == group

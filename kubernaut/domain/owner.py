"""What a pod's trouble is attributed to: the top of its chain of controllers."""

import re
from collections.abc import Callable

from .facts import Object, controller_of
from .resources import KINDS, ResourceRef

Lookup = Callable[[ResourceRef], Object | None]

_GENERATED = re.compile(r"(?P<maker>.+)-[bcdfghjklmnpqrstvwxz2456789]{5}", re.ASCII)
"""What the API server makes of `generateName`. Source: k8s.io/apimachinery/pkg/util/rand, `alphanums`."""
_MAKERS = ("ReplicaSet", "DaemonSet", "Job")
"""Controllers that name their pods after themselves. A StatefulSet's pod comes back under its old name."""


def top_owner(ref: ResourceRef, lookup: Lookup) -> ResourceRef:
    """The last controller above `ref` of a kind that kubernaut knows: Pod → ReplicaSet → Deployment, Job → CronJob.

    It follows `ownerReferences` with `controller: true` only. An owner of an unknown kind (another operator's resource)
    ends the chain before it, because nothing below knows how to treat it. An owner that can't be looked up still counts:
    its name is in the reference. Cycles end where they close.

    A pod that is gone is still told by its name: alerts live longer than pods, and a repeat that names a pod which was
    replaced meanwhile is about the same failure of the same owner.

    Args:
        lookup: an object by its name, or None; usually the watch cache.
    """
    if ref.kind == "Pod" and lookup(ref) is None:
        ref = _maker(ref, lookup) or ref
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


def _maker(pod: ResourceRef, lookup: Lookup) -> ResourceRef | None:
    """The controller that a pod's name speaks of, if it is there."""
    name = _GENERATED.fullmatch(pod.name)
    if name is None:
        return None
    makers = (ResourceRef(pod.cluster, kind, name["maker"], pod.namespace) for kind in _MAKERS)
    return next((maker for maker in makers if lookup(maker) is not None), None)


def _same_group(api_version: str, group: str) -> bool:
    """A kind is known by its group, too: others have a `Job` or an `Application` of their own."""
    return api_version.rpartition("/")[0] == group

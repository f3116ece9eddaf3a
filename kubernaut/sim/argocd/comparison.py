"""What Git wants beside what the cluster has, for one Application at one commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from kubernaut.sim.argocd import health
from kubernaut.sim.argocd.merge import LAST_APPLIED, merged
from kubernaut.sim.argocd.resources import ObjectRef
from kubernaut.sim.client import Json

TRACKING = "argocd.argoproj.io/tracking-id"


@dataclass(frozen=True, slots=True)
class Compared:
    """One object: where it is, what Git wants (None: to be pruned), what lives, and what a sync would write."""

    ref: ObjectRef
    wanted: Json | None
    live: Json | None
    target: Json | None

    @property
    def synced(self) -> bool:
        """Whether a sync would change nothing that Git says anything about."""
        return self.wanted is not None and self.live is not None and _seen(self.target) == _seen(self.live)

    @property
    def current(self) -> bool:
        """Whether a sync would write nothing at all, not even what was applied last."""
        return self.live is not None and self.target == self.live

    def render(self) -> Json:
        """As an entry of status.resources; the genuine controller leaves health empty there."""
        group = {"group": self.ref.group} if self.ref.group else {}
        namespace = {"namespace": self.ref.namespace} if self.ref.namespace else {}
        return group | namespace | {
            "version": self.ref.version,
            "kind": self.ref.kind,
            "name": self.ref.name,
            "status": "Synced" if self.synced else "OutOfSync",
        } | ({} if self.wanted is not None else {"requiresPruning": True})  # fmt: skip


def tracking_id(app: str, ref: ObjectRef, namespace: str) -> str:
    """`app:group/Kind:namespace/name`; cluster-wide objects carry the destination's namespace."""
    return f"{app}:{ref.group}/{ref.kind}:{ref.namespace or namespace}/{ref.name}"


def compare(app: str, namespace: str, ref: ObjectRef, manifest: Json, live: Json | None) -> Compared:
    """Lays the manifest over the live object."""
    metadata = dict(manifest["metadata"])
    if ref.namespace:
        metadata["namespace"] = ref.namespace
    metadata["annotations"] = {**(metadata.get("annotations") or {}), TRACKING: tracking_id(app, ref, namespace)}
    wanted = {**manifest, "metadata": metadata}
    stamp = msgspec.json.encode(wanted, order="sorted").decode() + "\n"
    target = merged(None if live is None else _last_applied(live), wanted, live)
    target["metadata"]["annotations"][LAST_APPLIED] = stamp
    if live is not None:
        live = {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"]} | live
    return Compared(ref, wanted, live, target)


def status(app: Json, compared: Sequence[Compared], commit: str, kind: str) -> Json:
    """The parts of an Application's status that follow from the comparison."""
    spec = app["spec"]
    states = [health.of(item.live)[0] for item in compared if item.wanted is not None]
    images = sorted({c["image"] for item in compared if item.live for c in _containers(item.live)})
    return {
        "sync": {
            "status": "Synced" if all(item.synced for item in compared) else "OutOfSync",
            "revision": commit,
            "comparedTo": {"source": spec["source"], "destination": spec["destination"]},
        },
        "health": {"status": health.worst(states)},
        "resources": [item.render() for item in compared],
        "sourceType": kind,
        "summary": {"images": images},
        "conditions": [],
    }


def _containers(item: Json) -> list[Json]:
    template = (item.get("spec") or {}).get("template") or {}
    containers: list[Json] = (template.get("spec") or {}).get("containers") or []
    return containers


def _last_applied(live: Json) -> Any:
    stamp = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        return msgspec.json.decode(stamp) if stamp else None
    except msgspec.DecodeError:
        return None


def _seen(item: Json | None) -> Json | None:
    if item is None:
        return None
    metadata: Mapping[str, Any] = item["metadata"]
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED}
    kept = {k: v for k, v in metadata.items() if k not in ("managedFields", "resourceVersion", "generation")}
    return {**item, "metadata": {**kept, "annotations": annotations}, "status": None}

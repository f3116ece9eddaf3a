"""Deleting is immediate only when nothing holds the object: no finalizer, no grace period of a running pod."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kubernaut.sim.apiserver.caller import Caller
from kubernaut.sim.apiserver.clock import Now, stamp
from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.status import Json, bad_request, conflict, forbidden, invalid, not_supported
from kubernaut.sim.apiserver.store import Entry, Store

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """What a client says about a deletion."""

    grace_s: int | None = None
    propagation: str = ""
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False

    @classmethod
    def read(cls, body: Json, query: Any) -> DeleteOptions:
        """From a DeleteOptions body, or the query parameters of the same names."""
        if body and body.get("kind") not in (None, "", "DeleteOptions"):
            raise bad_request(
                f"the object provided is unrecognized (must be of type DeleteOptions): {body.get('kind')}"
            )
        grace = body.get("gracePeriodSeconds")
        if grace is None and query.get("gracePeriodSeconds"):
            grace = int(query["gracePeriodSeconds"])
        propagation = body.get("propagationPolicy") or query.get("propagationPolicy") or ""
        orphan = body.get("orphanDependents")
        if not propagation and orphan is not None:
            propagation = "Orphan" if orphan else "Background"
        if propagation not in ("", "Foreground", "Background", "Orphan"):
            cause = not_supported("propagationPolicy", propagation, ["Foreground", "Background", "Orphan"])
            raise invalid("meta.k8s.io", "DeleteOptions", "", [cause])
        conditions = body.get("preconditions") or {}
        dry = body.get("dryRun") or []
        if any(value != "All" for value in dry):
            cause = not_supported("dryRun", dry, ["All"])
            raise invalid("meta.k8s.io", "DeleteOptions", "", [cause])
        uid, version = conditions.get("uid") or "", conditions.get("resourceVersion") or ""
        return cls(grace, propagation, uid, version, bool(dry))


class Deletion:
    """Decides between removal and marking."""

    def __init__(self, store: Store, now: Now) -> None:
        self._store = store
        self._now = now

    def delete(self, resource: Resource, held: Entry, options: DeleteOptions, caller: Caller) -> tuple[Entry, bool]:
        """Remove or mark; see Api.delete."""
        metadata = held.obj["metadata"]
        self._preconditions(resource, metadata, options)
        if resource.bucket == "namespaces" and metadata["name"] in ("default", "kube-system", "kube-public"):
            text = "this namespace may not be deleted"
            raise forbidden("", "namespaces", metadata["name"], text)
        grace = self._grace(resource, held.obj, options)
        finalizers = self._finalizers(metadata, options)
        obj = self._marked(held.obj, grace, finalizers)
        if self.is_free(resource, obj):
            last = obj if resource.bucket == "pods" else held.obj
            if caller.dry_run:
                return Entry(last, held.revision), True
            return self._store.remove(resource.bucket, (metadata.get("namespace", ""), metadata["name"]), last), True
        if obj == held.obj or caller.dry_run:
            return Entry(obj, held.revision), False
        return self._store.put(resource.bucket, obj), False

    def is_free(self, resource: Resource, obj: Json) -> bool:
        """Whether nothing holds a deleted object any more."""
        metadata = obj["metadata"]
        if metadata.get("finalizers"):
            return False
        if resource.bucket == "namespaces":
            return not (obj.get("spec") or {}).get("finalizers")
        return not metadata.get("deletionGracePeriodSeconds")

    def _preconditions(self, resource: Resource, metadata: Json, options: DeleteOptions) -> None:
        name = metadata["name"]
        if options.uid and options.uid != metadata["uid"]:
            text = (
                f"the UID in the precondition ({options.uid}) does not match the UID in record ({metadata['uid']}). "
                "The object might have been deleted and then recreated"
            )
            raise conflict(resource.group, resource.kind, name, text)
        wanted, held = options.resource_version, metadata["resourceVersion"]
        if wanted and wanted != held:
            text = (
                f"the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({held}). "
                "The object might have been modified"
            )
            raise conflict(resource.group, resource.kind, name, text)

    def _grace(self, resource: Resource, obj: Json, options: DeleteOptions) -> int:
        if resource.bucket != "pods":
            return 0
        spec, status = obj["spec"], obj.get("status") or {}
        grace = options.grace_s
        if grace is None:
            grace = spec.get("terminationGracePeriodSeconds", 30)
        if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
            grace = 0
        grace = max(grace, 0)
        held = obj["metadata"].get("deletionGracePeriodSeconds")
        return grace if held is None else min(grace, held)

    def _finalizers(self, metadata: Json, options: DeleteOptions) -> list[str]:
        kept = [name for name in metadata.get("finalizers") or () if name not in (FOREGROUND, ORPHAN)]
        if options.propagation == "Foreground":
            return [*kept, FOREGROUND]
        if options.propagation == "Orphan":
            return [*kept, ORPHAN]
        if options.propagation == "Background":
            return kept
        return list(metadata.get("finalizers") or ())

    def _marked(self, obj: Json, grace_s: int, finalizers: list[str]) -> Json:
        metadata = dict(obj["metadata"])
        if finalizers:
            metadata["finalizers"] = finalizers
        else:
            metadata.pop("finalizers", None)
        if "deletionTimestamp" not in metadata or grace_s < metadata.get("deletionGracePeriodSeconds", 0):
            metadata["deletionTimestamp"] = stamp(self._now() + timedelta(seconds=grace_s))
            metadata["deletionGracePeriodSeconds"] = grace_s
            if metadata.get("generation"):
                metadata["generation"] += 1
        marked = {**obj, "metadata": metadata}
        if obj["kind"] == "Namespace" and obj["apiVersion"] == "v1":
            marked["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
        return marked

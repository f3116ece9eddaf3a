"""The rules of reading and writing objects, below HTTP and shared with the controllers.

Every method is synchronous: between two awaits of the event loop a write is atomic, which is what etcd's
transactions give the genuine server.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from kubernaut.sim.apiserver import admission, defaults, immutable, managers, validation
from kubernaut.sim.apiserver.caller import Caller, controller
from kubernaut.sim.apiserver.clock import Now, stamp, utc_now
from kubernaut.sim.apiserver.deletion import DeleteOptions, Deletion
from kubernaut.sim.apiserver.managers import Writer
from kubernaut.sim.apiserver.ownership import last_applied_fields, record, record_creation, sync_last_applied
from kubernaut.sim.apiserver.reading import Patch, decoded, identified
from kubernaut.sim.apiserver.replacing import agrees, desired, scoped, without_managers
from kubernaut.sim.apiserver.resources import Catalogue, Resource
from kubernaut.sim.apiserver.schema import clone, root
from kubernaut.sim.apiserver.status import (
    Json,
    StatusError,
    already_exists,
    bad_request,
    conflict,
    invalid,
    invalid_value,
    not_found,
)
from kubernaut.sim.apiserver.store import Entry, Store

# Kinds whose status a client may write together with the rest when it creates them.
_CREATED_WITH_STATUS = ("nodes", "namespaces")
_FIRST_STATUS: dict[str, Json] = {
    "namespaces": {"phase": "Active"},
    "persistentvolumeclaims": {"phase": "Pending"},
    "persistentvolumes": {"phase": "Pending"},
    "services": {"loadBalancer": {}},
    "replicasets.apps": {"replicas": 0},
    "replicationcontrollers": {"replicas": 0},
    "statefulsets.apps": {"replicas": 0, "availableReplicas": 0},
    "daemonsets.apps": {
        "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0,
    },
    "deployments.apps": {},
    "jobs.batch": {},
    "cronjobs.batch": {},
    "horizontalpodautoscalers.autoscaling": {"desiredReplicas": 0, "currentMetrics": None},
    "poddisruptionbudgets.policy": {
        "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
    },
    "resourcequotas": {},
}  # fmt: skip
_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")  # plugin PodTopologyLabels
_NEVER_UNCONDITIONAL = ("leases.coordination.k8s.io", "customresourcedefinitions.apiextensions.k8s.io")


class Api:
    """Create, update, patch and delete, with everything that genuine writes do on the way."""

    def __init__(self, store: Store, catalogue: Catalogue, now: Now = utc_now) -> None:
        self.store = store
        self.catalogue = catalogue
        self.now = now
        self._deletion = Deletion(store, now)

    def entry(self, resource: Resource, namespace: str, name: str) -> Entry:
        """Raises StatusError 404 if the object does not exist."""
        found = self.store.get(resource.bucket, (namespace if resource.namespaced else "", name))
        if found is None:
            raise not_found(resource.group, resource.plural, name)
        return found

    def create(self, resource: Resource, namespace: str, sent: Json, caller: Caller) -> Entry:
        """Store a new object."""
        obj = decoded(resource, sent, caller)
        metadata = identified(resource, namespace, obj)
        if metadata.pop("resourceVersion", ""):
            raise StatusError(500, "", "resourceVersion should not be set on objects to be created")
        for key in (
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "managedFields",
            "uid",
            "generation",
        ):
            metadata.pop(key, None)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = stamp(self.now())
        if resource.counts_generations:
            metadata["generation"] = 1
        self._complete(resource, obj)
        record_creation(resource, obj, caller, self.now())
        self._first_status(resource, obj)
        admission.admit(self.store, resource, obj)
        if resource.bucket == "pods":
            obj["status"] = {"phase": "Pending", "qosClass": admission.quality_of_service(obj["spec"])}
        self._check(resource, obj, validation.creation(resource, obj))
        if self.store.get(resource.bucket, (metadata.get("namespace", ""), metadata["name"])):
            raise already_exists(resource.group, resource.plural, metadata["name"])
        charged = admission.charge(self.store, resource, obj)
        if caller.dry_run:
            metadata.pop("resourceVersion", None)
            return Entry(obj, 0)
        for quota, used in charged:
            self.store.put("resourcequotas", quota | {"status": {"hard": quota["spec"]["hard"], "used": used}})
        return self.store.put(resource.bucket, obj)

    def update(
        self, resource: Resource, namespace: str, name: str, sent: Json, caller: Caller, subresource: str = ""
    ) -> Entry:
        """Replace an object, or only its status."""
        obj = decoded(resource, sent, caller)
        metadata = identified(resource, namespace, obj, name)
        old = self.entry(resource, namespace, name)
        revision = metadata.get("resourceVersion", "")
        strict = resource.custom is not None or resource.bucket in _NEVER_UNCONDITIONAL
        if not revision and strict:
            cause = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise invalid(resource.group, resource.kind, name, [cause])
        uid = metadata.get("uid", "")
        if uid and uid != old.obj["metadata"]["uid"]:
            raise conflict(resource.group, resource.plural, name, _other_uid(uid, old.obj["metadata"]["uid"]))
        return self._replace(resource, old, obj, caller, subresource)

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        change: Callable[[Json], Json],
        caller: Caller,
        subresource: str = "",
        strategic: Json | None = None,
    ) -> Entry:
        """Change an object by a function from its present state; what it says of identity must agree.

        Args:
            strategic: the patch behind the function when it is a strategic one; refusals show it.
        """
        old = self.entry(resource, namespace, name)
        changed = change(old.obj)
        obj = decoded(resource, changed, caller, Patch(strategic, True) if strategic is not None else Patch(changed))
        identified(resource, namespace, obj, name)
        return self._replace(resource, old, obj, caller, subresource)

    def apply(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        applied: Json,
        caller: Caller,
        force: bool,
        subresource: str,
    ) -> tuple[Entry, bool]:
        """Server-side apply.

        Returns:
            The stored object and whether it is new.
        """
        writer = Writer(caller.manager, "Apply", subresource)
        kind = root(resource.model)
        wanted = decoded(resource, applied, caller, keeps_zeros=True)
        wanted.setdefault("metadata", {}).setdefault("name", name)
        if wanted["metadata"].get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        held = self.store.get(resource.bucket, (namespace if resource.namespaced else "", name))
        if held is None:
            if subresource:
                raise not_found(resource.group, resource.plural, name)
            made = self.create(resource, namespace, applied, caller)
            fields = managers.record_apply({"metadata": {}}, wanted, wanted, kind, writer, stamp(self.now()))
            obj = made.obj | {"metadata": made.obj["metadata"] | {"managedFields": fields}}
            if caller.dry_run:
                return Entry(obj, 0), True
            return self.store.put(resource.bucket, obj), True
        said = {**wanted, "metadata": dict(wanted["metadata"])}
        allowed = last_applied_fields(resource, held.obj, caller)
        merged = managers.apply(held.obj, said, kind, writer, force=force, allowed=allowed)
        if caller.manager == "kubectl":
            sync_last_applied(merged, applied)
        obj = decoded(resource, merged, caller)
        identified(resource, namespace, obj, name)
        return self._replace(resource, held, obj, caller, subresource, applied=wanted), False

    def delete(
        self, resource: Resource, namespace: str, name: str, options: DeleteOptions, caller: Caller
    ) -> tuple[Entry, bool]:
        """Delete at once, or mark for deletion if finalizers or a grace period hold it.

        Returns:
            The object as it was left, and whether it is gone.
        """
        return self._deletion.delete(resource, self.entry(resource, namespace, name), options, caller)

    def write_status(self, bucket: str, obj: Json, status: Json, manager: str = "kube-controller-manager") -> Json:
        """A controller's status write; the same status is not written again."""
        resource = self.catalogue.of_bucket(bucket)
        metadata = obj["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        changed = {**obj, "metadata": {**metadata}, "status": status}
        return self.update(resource, namespace, name, changed, controller(manager), "status").obj

    def edit(
        self, bucket: str, obj: Json, change: Callable[[Json], None], manager: str = "kube-controller-manager"
    ) -> Json:
        """A controller's write of the latest state of an object, changed in place by a function."""
        resource = self.catalogue.of_bucket(bucket)
        metadata = obj["metadata"]

        def changed(latest: Json) -> Json:
            copied: Json = clone(latest)
            change(copied)
            return copied

        namespace = metadata.get("namespace", "")
        return self.patch(resource, namespace, metadata["name"], changed, controller(manager)).obj

    def bind(self, pod: Json, node: str) -> Json:
        """Put a pod on a node, as the binding subresource does."""
        resource = self.catalogue.of_bucket("pods")
        held = self.entry(resource, pod["metadata"]["namespace"], pod["metadata"]["name"])
        if held.obj["spec"].get("nodeName"):
            text = f'pod {pod["metadata"]["name"]} is already assigned to node "{held.obj["spec"]["nodeName"]}"'
            raise conflict("", "pods/binding", pod["metadata"]["name"], text)
        scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None}
        scheduled["lastTransitionTime"] = stamp(self.now())
        conditions = [item for item in held.obj["status"].get("conditions") or () if item["type"] != "PodScheduled"]
        obj = dict(held.obj)
        obj["metadata"] = dict(obj["metadata"])
        place = self.store.get("nodes", ("", node))
        where = ((place.obj if place else {"metadata": {}})["metadata"].get("labels") or {}).items()
        if zone := {key: value for key, value in where if key in _TOPOLOGY}:
            obj["metadata"]["labels"] = (obj["metadata"].get("labels") or {}) | zone
        obj["spec"] = obj["spec"] | {"nodeName": node}
        obj["status"] = obj["status"] | {"conditions": [*conditions, scheduled]}
        return self.store.put("pods", obj).obj

    def _first_status(self, resource: Resource, obj: Json) -> None:
        if resource.has_status and resource.bucket not in _CREATED_WITH_STATUS:
            obj.pop("status", None)
        if resource.bucket in _FIRST_STATUS:
            obj["status"] = obj.get("status") or dict(_FIRST_STATUS[resource.bucket])

    def _complete(self, resource: Resource, obj: Json) -> None:
        if not resource.custom:
            try:
                defaults.fill_in(resource.bucket, obj)
            except (AttributeError, KeyError, TypeError) as error:
                raise bad_request(f"{resource.kind} cannot be handled: {error}") from error

    def _check(self, resource: Resource, obj: Json, causes: list[Any]) -> None:
        if causes:
            raise invalid(resource.group, resource.kind, obj["metadata"]["name"], causes)

    def _replace(
        self, resource: Resource, old: Entry, obj: Json, caller: Caller, subresource: str, applied: Json | None = None
    ) -> Entry:
        metadata, before = obj["metadata"], old.obj["metadata"]
        agrees(resource, before, metadata)
        sent_deletion = metadata.pop("deletionTimestamp", None)
        del sent_deletion
        for key in (
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generation",
            "selfLink",
        ):
            if key in before:
                metadata[key] = before[key]
        metadata["resourceVersion"] = before["resourceVersion"]
        fields = managers.base(
            before.get("managedFields"), None if subresource else metadata.pop("managedFields", None)
        )
        metadata.pop("managedFields", None)
        if fields:
            metadata["managedFields"] = fields
        obj = scoped(resource, old.obj, obj, subresource)
        if not subresource:
            self._complete(resource, obj)
            self._check(resource, obj, validation.creation(resource, obj) + immutable.changes(resource, old.obj, obj))
            if resource.counts_generations and desired(old.obj) != desired(obj):
                obj["metadata"]["generation"] = before.get("generation", 0) + 1
        same = without_managers(old.obj) == without_managers(obj)
        if same and applied is None and (fields or None) == before.get("managedFields"):
            return old
        record(resource, old, obj, caller, subresource, applied, now=self.now())
        if same and obj["metadata"].get("managedFields") == before.get("managedFields"):
            return old
        if caller.dry_run:
            return Entry(obj, old.revision)
        if before.get("deletionTimestamp") and self._deletion.is_free(resource, obj):
            self.store.put(resource.bucket, obj)
            return self.store.remove(resource.bucket, (metadata.get("namespace", ""), metadata["name"]))
        return self.store.put(resource.bucket, obj)


def _other_uid(said: str, held: str) -> str:
    return (
        "StorageError: invalid object, Code: 4, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {said}, UID in object meta: {held}"
    )

"""A Resource says where a kind is served and which of the server's rules hold for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kubernaut.sim.apiserver.status import Json

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind in one version; objects of all its versions live in one bucket."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    model: str = ""  # class of kubernetes_asyncio.client.models that knows its fields; empty for custom resources
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    singular: str = ""
    counts_generations: bool = False
    view_of: str = ""  # bucket that holds the objects when this kind is only another view of it
    custom: Json | None = field(default=None, hash=False, compare=False)  # the version entry of its CRD

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def bucket(self) -> str:
        return self.view_of or bucket_name(self.group, self.plural)

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def has_status(self) -> bool:
        return "status" in self.subresources


def bucket_name(group: str, plural: str) -> str:
    return f"{plural}.{group}" if group else plural


def _core(plural: str, kind: str, short: str = "", **more: Any) -> Resource:
    return _built_in("", "v1", plural, kind, short, **more)


def _built_in(group: str, version: str, plural: str, kind: str, short: str = "", **more: Any) -> Resource:
    names = tuple(short.split()) if short else ()
    model = more.pop("model", None) or f"{version[0].upper()}{version[1:]}{kind}"
    return Resource(group, version, plural, kind, model=model, short_names=names, **more)


_SCALED: Json = {"subresources": ("status", "scale"), "categories": ("all",), "counts_generations": True}
_STATUS: Json = {"subresources": ("status",)}
_RBAC = "rbac.authorization.k8s.io"

BUILT_IN: tuple[Resource, ...] = (
    _core("namespaces", "Namespace", "ns", namespaced=False, subresources=("status", "finalize")),
    _core("nodes", "Node", "no", namespaced=False, **_STATUS),
    _core(
        "pods",
        "Pod",
        "po",
        categories=("all",),
        counts_generations=True,
        subresources=("status", "log", "eviction", "binding", "exec", "attach", "portforward"),
    ),
    _core("replicationcontrollers", "ReplicationController", "rc", **_SCALED),
    _core("services", "Service", "svc", categories=("all",), **_STATUS),
    _core("endpoints", "Endpoints", "ep"),
    _core("configmaps", "ConfigMap", "cm"),
    _core("secrets", "Secret"),
    _core("serviceaccounts", "ServiceAccount", "sa", subresources=("token",)),
    _core("events", "Event", "ev", model="CoreV1Event"),
    _core("persistentvolumes", "PersistentVolume", "pv", namespaced=False, **_STATUS),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", **_STATUS),
    _core("resourcequotas", "ResourceQuota", "quota", **_STATUS),
    _core("limitranges", "LimitRange", "limits"),
    _built_in("apps", "v1", "deployments", "Deployment", "deploy", **_SCALED),
    _built_in("apps", "v1", "replicasets", "ReplicaSet", "rs", **_SCALED),
    _built_in("apps", "v1", "statefulsets", "StatefulSet", "sts", **_SCALED),
    _built_in("apps", "v1", "daemonsets", "DaemonSet", "ds", categories=("all",), counts_generations=True, **_STATUS),
    _built_in("apps", "v1", "controllerrevisions", "ControllerRevision"),
    _built_in("batch", "v1", "jobs", "Job", categories=("all",), counts_generations=True, **_STATUS),
    _built_in("batch", "v1", "cronjobs", "CronJob", "cj", categories=("all",), counts_generations=True, **_STATUS),
    _built_in(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "hpa",
        categories=("all",),
        **_STATUS,
    ),
    _built_in("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", counts_generations=True, **_STATUS),
    _built_in("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol", counts_generations=True),
    _built_in("networking.k8s.io", "v1", "ingresses", "Ingress", "ing", counts_generations=True, **_STATUS),
    _built_in("coordination.k8s.io", "v1", "leases", "Lease"),
    _built_in("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", counts_generations=True),
    _built_in("events.k8s.io", "v1", "events", "Event", "ev", model="EventsV1Event", view_of="events"),
    _built_in("storage.k8s.io", "v1", "storageclasses", "StorageClass", "sc", namespaced=False),
    _built_in("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", "pc", namespaced=False),
    _built_in(_RBAC, "v1", "roles", "Role"),
    _built_in(_RBAC, "v1", "rolebindings", "RoleBinding"),
    _built_in(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False),
    _built_in(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    _built_in(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "crd crds",
        namespaced=False,
        counts_generations=True,
        categories=("api-extensions",),
        **_STATUS,
    ),
)


class Catalogue:
    """What is served now: the built-in kinds and those of established CustomResourceDefinitions."""

    def __init__(self) -> None:
        self._by_path = {(item.group, item.version, item.plural): item for item in BUILT_IN}
        self._by_bucket = {item.bucket: item for item in BUILT_IN if not item.view_of}
        self.revision = 0  # changes whenever a kind comes or goes, so that cached discovery is dropped

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        return self._by_path.get((group, version, plural))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        for resource in self._by_path.values():
            if resource.kind == kind and resource.api_version == api_version:
                return resource
        return None

    def of_bucket(self, bucket: str) -> Resource:
        return self._by_bucket[bucket]

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_path.values())

    def has_group_version(self, group: str, version: str) -> bool:
        return any(item.group == group and item.version == version for item in self._by_path.values())

    def serve(self, resources: list[Resource]) -> None:
        """Serve the versions of one custom kind; the last one given is what its bucket answers as."""
        for resource in resources:
            self._by_path[(resource.group, resource.version, resource.plural)] = resource
            self._by_bucket[resource.bucket] = resource
        self.revision += 1

    def withdraw(self, group: str, plural: str) -> None:
        for path in [path for path in self._by_path if path[0] == group and path[2] == plural]:
            del self._by_path[path]
        self._by_bucket.pop(bucket_name(group, plural), None)
        self.revision += 1


def from_definition(definition: Json) -> list[Resource]:
    """The resources that a CustomResourceDefinition makes, its storage version last."""
    spec = definition["spec"]
    names = spec["names"]
    versions = [version for version in spec["versions"] if version.get("served")]
    versions.sort(key=lambda version: bool(version.get("storage")))
    return [
        Resource(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            kind=names["kind"],
            namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            singular=names.get("singular") or names["kind"].lower(),
            subresources=tuple(name for name in ("status", "scale") if name in (version.get("subresources") or {})),
            counts_generations=True,
            custom=version,
        )
        for version in versions
    ]

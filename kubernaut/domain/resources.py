"""A resource is named by cluster, kind, namespace and name; the table says how each kind is spelled in the API."""

import ipaddress
import re
from dataclasses import dataclass

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?", re.ASCII)


def is_name(text: str) -> bool:
    """Whether an object can have this name: names from outside end up in paths, commands and on screens.

    Source: Kubernetes, object names: DNS subdomain, RFC 1123.
    """
    return _NAME.fullmatch(text) is not None and ".." not in text


def is_address(text: str) -> bool:
    """Whether this is an IP address, without a zone: what follows a `%` could be anything."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """The name of one object of one cluster.

    Args:
        cluster: the cluster's configured name.
        kind: the kind as the API spells it, as `Deployment`.
        name: the object's name.
        namespace: empty for cluster-scoped kinds.
    """

    cluster: str
    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return (
            f"{self.kind.lower()}/{self.name}"
            if not self.namespace
            else f"{self.namespace}/{self.kind.lower()}/{self.name}"
        )

    @property
    def short(self) -> str:
        """As people say it: `shop/checkout`, `node/n5`."""
        return f"{self.namespace}/{self.name}" if self.namespace else f"{self.kind.lower()}/{self.name}"


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind is addressed over REST."""

    kind: str
    api_version: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The REST path of an object (or, without a name, of the collection)."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        middle = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        tail = "".join(f"/{part}" for part in (name, subresource) if part)
        return f"{root}{middle}/{self.plural}{tail}"


_ALL = (
    Kind("Namespace", "v1", "namespaces", False),
    Kind("Node", "v1", "nodes", False),
    Kind("PersistentVolume", "v1", "persistentvolumes", False),
    Kind("Pod", "v1", "pods"),
    Kind("Service", "v1", "services"),
    Kind("Endpoints", "v1", "endpoints"),
    Kind("ConfigMap", "v1", "configmaps"),
    Kind("Secret", "v1", "secrets"),
    Kind("ServiceAccount", "v1", "serviceaccounts"),
    Kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims"),
    Kind("ResourceQuota", "v1", "resourcequotas"),
    Kind("LimitRange", "v1", "limitranges"),
    Kind("Event", "v1", "events"),
    Kind("Deployment", "apps/v1", "deployments"),
    Kind("ReplicaSet", "apps/v1", "replicasets"),
    Kind("StatefulSet", "apps/v1", "statefulsets"),
    Kind("DaemonSet", "apps/v1", "daemonsets"),
    Kind("Job", "batch/v1", "jobs"),
    Kind("CronJob", "batch/v1", "cronjobs"),
    Kind("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers"),
    Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets"),
    Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies"),
    Kind("Lease", "coordination.k8s.io/v1", "leases"),
    Kind("Application", "argoproj.io/v1alpha1", "applications"),
    Kind("ApplicationSet", "argoproj.io/v1alpha1", "applicationsets"),
    Kind("Kustomization", "kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
    Kind("HelmRelease", "helm.toolkit.fluxcd.io/v2", "helmreleases"),
    Kind("GitRepository", "source.toolkit.fluxcd.io/v1", "gitrepositories"),
    Kind("OCIRepository", "source.toolkit.fluxcd.io/v1", "ocirepositories"),
    Kind("Bucket", "source.toolkit.fluxcd.io/v1", "buckets"),
)

KINDS: dict[str, Kind] = {kind.kind: kind for kind in _ALL}
"""Every kind that kubernaut reads or writes, by its name."""

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
"""Kinds that own pods for good, directly or through a ReplicaSet."""

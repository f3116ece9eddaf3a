"""What a fresh cluster holds: namespaces, default roles and the rights of the simulated users."""

from __future__ import annotations

from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.caller import Caller, controller
from kubernaut.sim.apiserver.status import Json

_RBAC = "rbac.authorization.k8s.io"
SIMULATED_ROLE = "simulated:kubernaut"
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_CORE = [
    "configmaps", "endpoints", "events", "persistentvolumeclaims", "pods", "pods/log", "pods/status", "resourcequotas",
    "limitranges", "replicationcontrollers", "serviceaccounts", "services", "namespaces",
]  # fmt: skip
_APPS = ["deployments", "deployments/scale", "replicasets", "statefulsets", "statefulsets/scale", "daemonsets"]
_VIEW: list[Json] = [
    {"apiGroups": [""], "resources": _CORE, "verbs": _READ},
    {"apiGroups": ["apps"], "resources": [*_APPS, "controllerrevisions", "deployments/status"], "verbs": _READ},
    {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": _READ},
    {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": _READ},
    {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": _READ},
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies", "ingresses"], "verbs": _READ},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": _READ},
]
# The rules of config/rbac/kubernaut.yaml, so that the demo shows what they allow and no more; a test holds them together.
_KUBERNAUT: list[Json] = [
    {"apiGroups": [""], "resources": ["namespaces", "nodes", "pods", "events"], "verbs": ["get", "list", "watch"]},
    {
        "apiGroups": ["apps"],
        "resources": ["deployments", "replicasets", "statefulsets", "daemonsets"],
        "verbs": ["get", "list", "watch"],
    },
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["get", "list", "watch"]},
    {
        "apiGroups": [""],
        "resources": ["pods/log", "configmaps", "persistentvolumeclaims", "serviceaccounts"],
        "verbs": ["get"],
    },
    {"apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["get", "list"]},
    {"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": ["get"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get"]},
    {"apiGroups": ["argoproj.io"], "resources": ["applications"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["argoproj.io"], "resources": ["applicationsets"], "verbs": ["get"]},
    {"apiGroups": ["kustomize.toolkit.fluxcd.io"], "resources": ["kustomizations"], "verbs": ["get"]},
    {"apiGroups": ["helm.toolkit.fluxcd.io"], "resources": ["helmreleases"], "verbs": ["get"]},
    {
        "apiGroups": ["source.toolkit.fluxcd.io"],
        "resources": ["gitrepositories", "ocirepositories", "buckets"],
        "verbs": ["get"],
    },
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]},
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
    {"apiGroups": ["argoproj.io"], "resources": ["applications"], "verbs": ["patch"]},
    {"apiGroups": ["source.toolkit.fluxcd.io"], "resources": ["gitrepositories"], "verbs": ["patch"]},
    {"apiGroups": ["kustomize.toolkit.fluxcd.io"], "resources": ["kustomizations"], "verbs": ["patch"]},
]
_ROLES: dict[str, list[Json]] = {
    "cluster-admin": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
    "view": _VIEW,
    "edit": [
        *_VIEW,
        {"apiGroups": [""], "resources": [*_CORE[:-1], "secrets", "pods/eviction"], "verbs": _WRITE},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": _READ},
        {"apiGroups": ["apps"], "resources": _APPS, "verbs": _WRITE},
        {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": _WRITE},
        {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": _WRITE},
        {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": _WRITE},
    ],
    SIMULATED_ROLE: _KUBERNAUT,
    "system:discovery": [
        {
            "nonResourceURLs": [
                "/api",
                "/api/*",
                "/apis",
                "/apis/*",
                "/healthz",
                "/livez",
                "/openapi",
                "/openapi/*",
                "/readyz",
                "/version",
                "/version/",
            ],
            "verbs": ["get"],
        }
    ],
    "system:basic-user": [
        {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            "verbs": ["create"],
        },
        {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
    ],
    "system:public-info-viewer": [
        {"nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"], "verbs": ["get"]}
    ],
}
_BINDINGS: tuple[tuple[str, str, str, str], ...] = (
    ("cluster-admin", "cluster-admin", "Group", "system:masters"),
    ("system:discovery", "system:discovery", "Group", "system:authenticated"),
    ("system:basic-user", "system:basic-user", "Group", "system:authenticated"),
    ("system:public-info-viewer", "system:public-info-viewer", "Group", "system:unauthenticated"),
    ("system:public-info-viewer:authenticated", "system:public-info-viewer", "Group", "system:authenticated"),
    (SIMULATED_ROLE, SIMULATED_ROLE, "User", "kubernaut"),
    ("viewers", "view", "User", "viewer"),
)
NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


def fill(api: Api) -> None:
    """Create what the genuine control plane creates when it first starts."""
    caller = Caller(manager="kube-apiserver")
    for name in NAMESPACES:
        api.create(api.catalogue.of_bucket("namespaces"), "", {"metadata": {"name": name}}, caller)
    roles, bindings = (
        api.catalogue.of_bucket(f"clusterroles.{_RBAC}"),
        api.catalogue.of_bucket(f"clusterrolebindings.{_RBAC}"),
    )
    for name, rules in _ROLES.items():
        api.create(roles, "", {"metadata": {"name": name}, "rules": rules}, caller)
    for name, role, kind, subject in _BINDINGS:
        reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role}
        subjects = [{"kind": kind, "name": subject, "apiGroup": _RBAC}]
        api.create(bindings, "", {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects}, caller)
    service: Json = {
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"clusterIP": "10.0.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
    }
    api.create(api.catalogue.of_bucket("services"), "default", service, controller("kube-apiserver"))

"""The Application resource: its definition and a value of it."""

from kubernaut.sim.client import Json

NAMESPACE = "argocd"
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications"
IN_CLUSTER = "https://kubernetes.default.svc"


def definitions() -> list[Json]:
    """The custom resource definitions that a cluster without a genuine Argo CD needs; every field is kept unseen."""
    names = {
        "Application": ("applications", ["app", "apps"]),
        "AppProject": ("appprojects", ["appproj"]),
        "ApplicationSet": ("applicationsets", ["appset"]),
    }
    return [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.argoproj.io", "labels": {"app.kubernetes.io/part-of": "argocd"}},
            "spec": {
                "group": "argoproj.io",
                "scope": "Namespaced",
                "names": {
                    "kind": kind,
                    "listKind": f"{kind}List",
                    "plural": plural,
                    "singular": kind.lower(),
                    "shortNames": short,
                },
                "versions": [
                    {
                        "name": "v1alpha1",
                        "served": True,
                        "storage": True,
                        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                        "additionalPrinterColumns": _COLUMNS if kind == "Application" else [],
                    }
                ],
            },
        }
        for kind, (plural, short) in names.items()
    ]


_COLUMNS = [
    {"name": "Sync Status", "type": "string", "jsonPath": ".status.sync.status"},
    {"name": "Health Status", "type": "string", "jsonPath": ".status.health.status"},
    {"name": "Revision", "type": "string", "jsonPath": ".status.sync.revision", "priority": 10},
]


def application(
    name: str,
    repo_url: str,
    path: str,
    namespace: str,
    *,
    revision: str = "main",
    self_heal: bool = True,
    prune: bool = True,
) -> Json:
    """An Application that syncs by itself.

    Args:
        namespace: where the objects go; Git brings it, or the sync makes it.
        revision: the branch it follows.
        self_heal: whether live edits of Git's fields are undone.
        prune: whether objects that leave Git leave the cluster.
    """
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "project": "default",
            "source": {"repoURL": repo_url, "path": path, "targetRevision": revision},
            "destination": {"server": IN_CLUSTER, "namespace": namespace},
            "syncPolicy": {
                "automated": {"prune": prune, "selfHeal": self_heal},
                "syncOptions": ["CreateNamespace=true"],
            },
        },
    }

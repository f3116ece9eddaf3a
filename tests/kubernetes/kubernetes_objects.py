"""Objects to create in a cluster, as small as the API server takes them."""

from typing import Any

Json = dict[str, Any]


def deployment(name: str, namespace: str, replicas: int = 1) -> Json:
    """A Deployment of one container; its pods need a node to run, but exist without one."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [{"name": "app", "image": "registry.example/app:1.0"}],
                },
            },
        },
    }


def pod(name: str, namespace: str, scheduler: str = "default-scheduler") -> Json:
    """A pod of nobody, labelled with its name; with a scheduler that does not exist it gets no node and stays Pending,
    whatever nodes other tests of the session have left."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"schedulerName": scheduler, "containers": [{"name": "app", "image": "registry.example/app:1.0"}]},
    }

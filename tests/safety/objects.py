"""The objects that the tests of this folder act on; every function makes a fresh one."""

from typing import Any

Json = dict[str, Any]


def deployment(name: str = "web", namespace: str = "shop", *, replicas: int = 2, generation: int = 1) -> Json:
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "generation": generation},
        "spec": {
            "replicas": replicas,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app"}]}},
        },
        "status": {
            "observedGeneration": 99, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas,
            "availableReplicas": replicas,
        },
    }  # fmt: skip


def replica_set(owner: Json, name: str = "web-1", template: Json | None = None) -> Json:
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": "shop", "ownerReferences": [_owner(owner)]},
        "spec": {"replicas": 2, "template": template or owner["spec"]["template"]},
        "status": {"replicas": 2, "readyReplicas": 2},
    }


def pod(name: str, owner: Json | None, *, node: str = "n1", uid: str = "", started: str = "") -> Json:
    state = {"running": {"startedAt": started}} if started else {"running": {}}
    meta: Json = {"name": name, "namespace": "shop", "uid": uid or f"uid-{name}"}
    if owner is not None:
        meta["ownerReferences"] = [_owner(owner)]
    return {
        "kind": "Pod",
        "metadata": meta,
        "spec": {"nodeName": node, "containers": [{"name": "app"}]},
        "status": {
            "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "app", "ready": True, "restartCount": 0, "state": state}],
        },
    }  # fmt: skip


def node(name: str = "n1", *, cordoned: bool = False, ready: bool = True) -> Json:
    spec: Json = {"unschedulable": True} if cordoned else {}
    status = {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
    return {"kind": "Node", "metadata": {"name": name, "labels": {}}, "spec": spec, "status": status}


def namespace(name: str = "shop", environment: str = "production") -> Json:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": {"environment": environment}}}


def _owner(owner: Json) -> Json:
    meta = owner["metadata"]
    return {"kind": owner["kind"], "name": meta["name"], "uid": meta["uid"], "controller": True}

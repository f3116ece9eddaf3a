"""Builds the objects of one small cluster as a kubelet and the controllers would show them, and writes them as a dump."""

import json
from collections.abc import Iterable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.analysis import Finding
from kubernaut.domain.facts import Commit, LogKey, Snapshot
from kubernaut.domain.resources import ResourceRef

NOW = datetime(2026, 3, 14, 3, 12, 0, tzinfo=UTC)
Object = dict[str, Any]


def ago(seconds: float) -> str:
    """A time as the API writes it, so many seconds before `NOW`."""
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def container(
    name: str = "app", image: str = "registry.example/checkout:1.4.0", memory: str | None = "256Mi"
) -> Object:
    """One container of a template."""
    spec: Object = {"name": name, "image": image, "resources": {}}
    if memory is not None:
        spec["resources"] = {"limits": {"memory": memory}, "requests": {"memory": memory}}
    spec["readinessProbe"] = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 10, "failureThreshold": 3}
    return spec


def running(since_s: float, ready: bool = True, restarts: int = 0, last: Object | None = None) -> Object:
    """The status of a running container."""
    return {
        "ready": ready,
        "restartCount": restarts,
        "state": {"running": {"startedAt": ago(since_s)}},
        "lastState": {"terminated": last} if last else {},
    }


def waiting(reason: str, message: str = "", restarts: int = 0, last: Object | None = None) -> Object:
    """The status of a waiting container."""
    return {
        "ready": False,
        "restartCount": restarts,
        "state": {"waiting": {"reason": reason, "message": message}},
        "lastState": {"terminated": last} if last else {},
    }


def ended(reason: str, code: int, at_s: float = 60.0, ran_s: float = 30.0, message: str = "") -> Object:
    """A container's end."""
    end: Object = {"reason": reason, "exitCode": code, "startedAt": ago(at_s + ran_s), "finishedAt": ago(at_s)}
    return end | ({"message": message} if message else {})


class Cluster:
    """One namespace `shop` with one Deployment `checkout`, its revisions, pods and nodes."""

    def __init__(self, replicas: int = 3, kind: str = "Deployment", name: str = "checkout") -> None:
        self.objects: list[Object] = []
        self.logs: dict[LogKey, str] = {}
        self.commits: tuple[Commit, ...] = ()
        self.missing: tuple[str, ...] = ()
        self.workload = self._add(kind, name, "shop", created_s=86400.0)
        self.workload |= {
            "spec": {"replicas": replicas, "template": {"spec": {"containers": [container()]}}},
            "status": {},
        }
        self.revision_objects: list[Object] = []
        self._events = 0

    def _add(self, kind: str, name: str, namespace: str, created_s: float, owner: Object | None = None) -> Object:
        meta: Object = {"name": name, "uid": f"uid-{kind}-{name}".lower(), "creationTimestamp": ago(created_s)}
        if namespace:
            meta["namespace"] = namespace
        if owner is not None:
            meta["ownerReferences"] = [
                {
                    "apiVersion": "apps/v1",
                    "kind": owner["kind"],
                    "name": owner["metadata"]["name"],
                    "uid": owner["metadata"]["uid"],
                    "controller": True,
                }
            ]
        item: Object = {"kind": kind, "metadata": meta}
        self.objects.append(item)
        return item

    def node(self, name: str = "n1", **conditions: tuple[str, str, float]) -> Object:
        """A node; a condition is (status, reason, seconds since its transition)."""
        item = self._add("Node", name, "", 86400.0 * 30)
        usual = {
            "MemoryPressure": ("False", "KubeletHasSufficientMemory", 80000.0),
            "DiskPressure": ("False", "KubeletHasNoDiskPressure", 80000.0),
            "PIDPressure": ("False", "KubeletHasSufficientPID", 80000.0),
            "Ready": ("True", "KubeletReady", 80000.0),
        } | conditions
        item["spec"] = {}
        item["status"] = {
            "conditions": [
                {
                    "type": kind,
                    "status": status,
                    "reason": reason,
                    "message": f"{kind} is {status}",
                    "lastHeartbeatTime": ago(5),
                    "lastTransitionTime": ago(since),
                }
                for kind, (status, reason, since) in usual.items()
            ]
        }
        return item

    def revision(self, number: int, containers: list[Object], created_s: float, ready: int = 0) -> Object:
        """A ReplicaSet of the Deployment; the newest one's template becomes the Deployment's."""
        name = f"{self.workload['metadata']['name']}-{number}"
        item = self._add("ReplicaSet", name, "shop", created_s, self.workload)
        item["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": str(number)}
        item["spec"] = {"replicas": 0, "template": {"spec": {"containers": deepcopy(containers)}}}
        item["status"] = {"readyReplicas": ready, "replicas": 0}
        self.revision_objects.append(item)
        newest = max(self.revision_objects, key=lambda rs: int(rs["metadata"]["name"].rpartition("-")[2]))
        self.workload["spec"]["template"]["spec"] = deepcopy(newest["spec"]["template"]["spec"])
        return item

    def pod(
        self,
        name: str,
        *statuses: Object,
        owner: Object | None = None,
        node: str = "n1",
        created_s: float = 3600.0,
        unready_s: float | None = None,
        phase: str = "Running",
        spec: Object | None = None,
    ) -> Object:
        """A pod with one status for each container. unready_s: how long its Ready condition is False; None: it is True."""
        owner = owner or (self.revision_objects[-1] if self.revision_objects else self.workload)
        item = self._add("Pod", name, "shop", created_s, owner)
        if owner["kind"] == "ReplicaSet":
            owner["spec"]["replicas"] += 1
            owner["status"]["replicas"] += 1
        template = spec or deepcopy(owner["spec"].get("template", self.workload["spec"]["template"])["spec"])
        item["spec"] = template | {"nodeName": node}
        names = [c["name"] for c in item["spec"]["containers"]]
        status = "True" if unready_s is None else "False"
        item["status"] = {
            "phase": phase,
            "startTime": ago(created_s),
            "conditions": [
                {
                    "type": kind,
                    "status": status,
                    "lastTransitionTime": ago(created_s - 5 if unready_s is None else unready_s),
                }
                for kind in ("ContainersReady", "Ready")
            ],
            "containerStatuses": [{"name": n} | s for n, s in zip(names, statuses, strict=False)],
        }
        return item

    def event(
        self, about: Object, reason: str, message: str, count: int = 1, at_s: float = 30.0, component: str = "kubelet"
    ) -> Object:
        """An event about an object."""
        self._events += 1
        item = self._add("Event", f"event-{self._events}", about["metadata"].get("namespace", "default"), at_s)
        item |= {
            "involvedObject": {
                "kind": about["kind"],
                "name": about["metadata"]["name"],
                "uid": about["metadata"]["uid"],
            },
            "reason": reason,
            "message": message,
            "type": "Normal" if reason in ("NodeReady", "Pulled", "Started", "Rebooted") else "Warning",
            "count": count,
            "firstTimestamp": ago(at_s + 300),
            "lastTimestamp": ago(at_s),
            "source": {"component": component},
        }
        return item

    def configmap(
        self, name: str, data: dict[str, str], changed_s: float = 80000.0, manager: str = "kubectl-edit"
    ) -> Object:
        """A ConfigMap with the time of its last change."""
        item = self._add("ConfigMap", name, "shop", 86400.0)
        item["data"] = data
        item["metadata"]["managedFields"] = [
            {"manager": manager, "operation": "Update", "time": ago(changed_s), "fieldsV1": {"f:data": {".": {}}}}
        ]
        return item

    def snapshot(self, kind: str = "", name: str = "", namespace: str = "shop") -> Snapshot:
        """The facts about the Deployment, or about another object."""
        kind = kind or self.workload["kind"]
        ref = ResourceRef("c1", kind, name or self.workload["metadata"]["name"], "" if kind == "Node" else namespace)
        return Snapshot(ref, NOW, tuple(self.objects), self.logs, self.commits, self.missing)

    def findings(self, kind: str = "", name: str = "") -> tuple[Finding, ...]:
        """What the rules find."""
        return RulesAnalyst().judge(self.snapshot(kind, name))[0]

    def write(self, directory: Path) -> Path:
        """Writes the objects as `kubectl cluster-info dump` does: typed lists whose items have no kind."""
        grouped: dict[tuple[str, str], list[Object]] = {}
        for item in self.objects:
            grouped.setdefault((item["metadata"].get("namespace", ""), item["kind"]), []).append(item)
        for (namespace, kind), items in grouped.items():
            path = directory / namespace / f"{kind.lower()}s.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            bare = [{k: v for k, v in item.items() if k != "kind"} for item in items]
            path.write_text(json.dumps({"kind": f"{kind}List", "apiVersion": "v1", "items": bare}))
        for pod, text in _by_pod(self.logs.items()).items():
            path = directory / "shop" / pod / "logs.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return directory


def _by_pod(logs: Iterable[tuple[LogKey, str]]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, text in logs:
        name = f"container {key.container} of pod {key.namespace}/{key.pod}"
        texts[key.pod] = (
            texts.get(key.pod, "") + f"==== START logs for {name} ====\n{text}\n==== END logs for {name} ====\n"
        )
    return texts


def out_of_memory_cluster() -> Cluster:
    """A Deployment whose last revision lowered the memory limit; all pods are killed again and again."""
    cluster = Cluster()
    cluster.node()
    cluster.revision(40, [container(memory="256Mi")], created_s=80000)
    cluster.revision(41, [container(memory="128Mi")], created_s=660)
    for i in range(3):
        end = ended("OOMKilled", 137)
        status = waiting("CrashLoopBackOff", "back-off 40s", restarts=2, last=end)
        cluster.pod(f"checkout-41-{i}", status, created_s=600, unready_s=60)
    return cluster

"""Builds clusters as kind, EKS, GKE or OpenShift show them: whole objects, of which the rules may need any field.

A `World` is what `kubectl cluster-info dump` and a few lists beside it hold. Its `Flavour` says how the same incident looks
elsewhere: managedFields kept or stripped, events of the old or of the new API, another runtime's wording.
"""

import hashlib
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cluster import ago

Object = dict[str, Any]
DAY = 86400.0
NODES = ("worker-a", "worker-b", "worker-c")


@dataclass(frozen=True)
class Flavour:
    """How a cluster writes its objects down."""

    name: str = "kind"
    managed_fields: bool = True
    new_events: bool = False
    runtime: str = "containerd"
    provider: str = "kind"


FLAVOURS = (
    Flavour(),
    Flavour("eks", managed_fields=False, new_events=True, provider="aws"),
    Flavour("openshift", managed_fields=True, runtime="cri-o", provider="openshift"),
)


def box(name: str = "app", image: str = "ghcr.io/acme/app:1.4.0", memory: str | None = "256Mi", **more: Any) -> Object:
    """One container of a template; keywords are fields of it."""
    amounts = {} if memory is None else {"limits": {"memory": memory}, "requests": {"cpu": "50m", "memory": memory}}
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "resources": amounts,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [{"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "kube-api-access"}],
    } | more


def ready_probe(path: str = "/ready", port: int | str = 8080) -> Object:
    """A readiness or liveness probe."""
    get = {"path": path, "port": port, "scheme": "HTTP"}
    return {"httpGet": get, "periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 1, "successThreshold": 1}


@dataclass
class Workload:
    """A workload of the world with its newest ReplicaSet, if it has one."""

    world: "World"
    item: Object
    sets: list[Object] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.item["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.item["metadata"]["namespace"])

    def rollout(self, containers: list[Object], age_s: float, **spec: Any) -> Object:
        """A new revision of a Deployment (or the template of another kind)."""
        template = pod_spec(containers, **spec)
        self.item["spec"]["template"] = {"metadata": {"labels": {"app": self.name}}, "spec": template}
        self.item["metadata"]["generation"] = self.item["metadata"].get("generation", 0) + 1
        self.item["status"]["observedGeneration"] = self.item["metadata"]["generation"]
        if self.world.flavour.managed_fields:
            self.item["metadata"].setdefault("managedFields", []).insert(
                0,
                {
                    "manager": "kubectl-client-side-apply",
                    "operation": "Update",
                    "apiVersion": "apps/v1",
                    "time": ago(age_s),
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": {"f:template": {}}},
                },
            )
        if self.item["kind"] != "Deployment":
            return self.item
        tag = _hash(self.name, str(len(self.sets)), 10)
        item = self.world.add("ReplicaSet", f"{self.name}-{tag}", self.namespace, age_s, owner=self.item)
        item["metadata"]["labels"] = {"app": self.name, "pod-template-hash": tag}
        item["metadata"]["annotations"] = {
            "deployment.kubernetes.io/desired-replicas": str(self.item["spec"]["replicas"]),
            "deployment.kubernetes.io/revision": str(len(self.sets) + 1),
        }
        labels = {"app": self.name, "pod-template-hash": tag}
        item["spec"] = {"replicas": 0, "template": {"metadata": {"labels": labels}, "spec": deepcopy(template)}}
        item["status"] = {"replicas": 0, "observedGeneration": 1}
        self.item["metadata"].setdefault("annotations", {})["deployment.kubernetes.io/revision"] = str(
            len(self.sets) + 1
        )
        self.sets.append(item)
        return item

    def pod(
        self,
        *states: Object,
        set_: Object | None = None,
        node: str | None = "worker-a",
        age_s: float = 3600.0,
        unready_s: float | None = None,
        phase: str = "",
        init: Sequence[Object] = (),
        name: str = "",
    ) -> Object:
        """One pod; a state for each container. unready_s: since when its Ready condition is False; None: it is True."""
        owner = set_ or (self.sets[-1] if self.sets else self.item)
        tail = _hash(owner["metadata"]["name"], str(self.world.count("pod")), 5)
        ordinal = sum(1 for o in self.world.objects if o["kind"] == "Pod" and o["metadata"].get("_of") == self.name)
        usual = f"{self.name}-{ordinal}" if owner["kind"] == "StatefulSet" else f"{owner['metadata']['name']}-{tail}"
        item = self.world.add("Pod", name or usual, self.namespace, age_s, owner=owner)
        item["metadata"]["_of"] = self.name
        item["metadata"]["labels"] = {"app": self.name}
        item["metadata"]["generateName"] = f"{owner['metadata']['name']}-"
        item["spec"] = deepcopy((owner["spec"].get("template") or self.item["spec"]["template"])["spec"])
        if node is not None:
            item["spec"]["nodeName"] = node
        item["status"] = pod_status(item, states, init, age_s, unready_s, phase, scheduled=node is not None)
        if owner["kind"] == "ReplicaSet":
            owner["spec"]["replicas"] += 1
            owner["status"]["replicas"] += 1
            if unready_s is None:
                owner["status"]["readyReplicas"] = owner["status"].get("readyReplicas", 0) + 1
        self._count()
        return item

    def _count(self) -> None:
        uids = {self.item["metadata"]["uid"], *(s["metadata"]["uid"] for s in self.sets)}
        pods = [o for o in self.world.objects if o["kind"] == "Pod" and _owner_uid(o) in uids]
        newest = self.sets[-1] if self.sets else self.item
        ready = [p for p in pods if is_ready(p)]
        updated = [p for p in pods if _owner_uid(p) == newest["metadata"]["uid"]]
        kind = self.item["kind"]
        if kind == "DaemonSet":
            told = {
                "desiredNumberScheduled": len(pods),
                "currentNumberScheduled": len(pods),
                "numberReady": len(ready),
                "updatedNumberScheduled": len(pods),
                "numberUnavailable": len(pods) - len(ready),
            }
        else:
            told = {
                "replicas": len(pods),
                "readyReplicas": len(ready),
                "availableReplicas": len(ready),
                "updatedReplicas": len(updated),
                "unavailableReplicas": max(0, int(self.item["spec"].get("replicas", 1)) - len(ready)),
            }
        self.item["status"] |= {k: v for k, v in told.items() if v or k in ("replicas", "desiredNumberScheduled")}


class World:
    """A cluster and the files that a dump of it has."""

    def __init__(self, flavour: Flavour = FLAVOURS[0], *, nodes: bool = True) -> None:
        self.flavour = flavour
        self.objects: list[Object] = []
        self.logs: dict[tuple[str, str], dict[str, str]] = {}
        self._counts: dict[str, int] = {}
        if nodes:
            for name in NODES:
                self.node(name)

    def count(self, what: str) -> int:
        """A running number."""
        self._counts[what] = self._counts.get(what, 0) + 1
        return self._counts[what]

    def add(self, kind: str, name: str, namespace: str = "", age_s: float = DAY, owner: Object | None = None) -> Object:
        """An object with its metadata."""
        meta: Object = {"name": name, "uid": uid_of(kind, namespace, name), "creationTimestamp": ago(age_s)}
        meta["resourceVersion"] = str(1000 + self.count("version"))
        if namespace:
            meta["namespace"] = namespace
        if owner is not None:
            meta["ownerReferences"] = [
                {
                    "apiVersion": owner.get("apiVersion", "apps/v1"),
                    "kind": owner["kind"],
                    "name": owner["metadata"]["name"],
                    "uid": owner["metadata"]["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ]
        if self.flavour.managed_fields:
            manager = "kubelet" if kind in ("Node", "Pod") else "kube-controller-manager"
            meta["managedFields"] = [
                {
                    "manager": manager,
                    "operation": "Update",
                    "apiVersion": "v1",
                    "time": ago(min(age_s, 20.0)),
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:status": {"f:conditions": {}}},
                    "subresource": "status",
                }
            ]
        item: Object = {"kind": kind, "apiVersion": "v1", "metadata": meta}
        self.objects.append(item)
        return item

    def workload(
        self,
        name: str,
        namespace: str = "shop",
        containers: list[Object] | None = None,
        *,
        kind: str = "Deployment",
        replicas: int = 3,
        age_s: float = 40 * DAY,
        **spec: Any,
    ) -> Workload:
        """A workload with its first revision; its pods come with `pod`."""
        item = self.add(kind, name, namespace, age_s)
        item["apiVersion"] = "apps/v1"
        item["spec"] = {"selector": {"matchLabels": {"app": name}}}
        if kind != "DaemonSet":
            item["spec"]["replicas"] = replicas
        item["status"] = {}
        made = Workload(self, item)
        made.rollout(containers or [box()], age_s, **spec)
        return made

    def healthy(
        self, name: str, namespace: str = "shop", *, replicas: int = 2, age_s: float = 20 * DAY, **more: Any
    ) -> Workload:
        """A workload that is well."""
        made = self.workload(name, namespace, replicas=replicas, age_s=age_s, **more)
        count = len(made.item["spec"]["template"]["spec"]["containers"])
        for i in range(replicas):
            made.pod(*[up(age_s - 30) for _ in range(count)], node=NODES[i % len(NODES)], age_s=age_s)
        return made

    def node(self, name: str, arch: str = "amd64", **conditions: tuple[str, str, str, float]) -> Object:
        """A node; a condition is (status, reason, message, seconds since its transition)."""
        item = self.add("Node", name, "", 90 * DAY)
        item["metadata"]["labels"] = {"kubernetes.io/arch": arch, "kubernetes.io/hostname": name}
        usual = {
            "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available", DAY),
            "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure", DAY),
            "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available", DAY),
            "Ready": ("True", "KubeletReady", "kubelet is posting ready status", DAY),
        } | conditions
        item["spec"] = {"podCIDR": "10.244.1.0/24"}
        item["status"] = {
            "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110"},
            "capacity": {"cpu": "4", "memory": "16Gi", "pods": "110"},
            "nodeInfo": {
                "architecture": arch,
                "kubeletVersion": "v1.31.4",
                "containerRuntimeVersion": f"{self.flavour.runtime}://2.0.0",
            },
            "conditions": [
                {
                    "type": kind,
                    "status": status,
                    "reason": reason,
                    "message": message,
                    "lastHeartbeatTime": ago(15),
                    "lastTransitionTime": ago(since),
                }
                for kind, (status, reason, message, since) in usual.items()
            ],
        }
        return item

    def change_node(self, name: str, **conditions: tuple[str, str, str, float]) -> Object:
        """Sets conditions of a node that is there."""
        item = next(o for o in self.objects if o["kind"] == "Node" and o["metadata"]["name"] == name)
        kept = [c for c in item["status"]["conditions"] if c["type"] not in conditions]
        for kind, (status, reason, message, since) in conditions.items():
            kept.append(
                {
                    "type": kind,
                    "status": status,
                    "reason": reason,
                    "message": message,
                    "lastHeartbeatTime": ago(15),
                    "lastTransitionTime": ago(since),
                }
            )
        item["status"]["conditions"] = kept
        return item

    def event(
        self,
        about: Object,
        reason: str,
        message: str,
        *,
        count: int = 1,
        at_s: float = 30.0,
        over_s: float = 0.0,
        component: str = "kubelet",
        kind: str = "Warning",
        host: str = "",
    ) -> Object:
        """An event in the flavour's API."""
        meta = about["metadata"]
        namespace = meta.get("namespace", "default")
        item = self.add("Event", f"{meta['name']}.{self.count('event'):x}", namespace, at_s + over_s)
        uid = meta["name"] if about["kind"] == "Node" else meta["uid"]
        item |= {
            "involvedObject": {
                "kind": about["kind"],
                "name": meta["name"],
                "namespace": meta.get("namespace", ""),
                "uid": uid,
            },
            "reason": reason,
            "message": message,
            "type": kind,
        }
        if self.flavour.new_events and component not in ("kubelet", "node-controller"):
            item |= {
                "firstTimestamp": None,
                "lastTimestamp": None,
                "eventTime": ago(at_s + over_s).replace("Z", ".123456Z"),
                "reportingComponent": component,
                "source": {},
                "action": "Binding",
            }
            if count > 1:
                item["series"] = {"count": count, "lastObservedTime": ago(at_s).replace("Z", ".654321Z")}
        else:
            item |= {
                "firstTimestamp": ago(at_s + over_s),
                "lastTimestamp": ago(at_s),
                "count": count,
                "eventTime": None,
                "source": {"component": component} | ({"host": host} if host else {}),
                "reportingComponent": component,
            }
        return item

    def configmap(
        self,
        name: str,
        data: dict[str, str],
        namespace: str = "shop",
        *,
        changed_s: float = 30 * DAY,
        applied: dict[str, str] | None = None,
    ) -> Object:
        """A ConfigMap. applied: what `kubectl apply` last wrote, where it was edited since."""
        item = self.add("ConfigMap", name, namespace, 40 * DAY)
        item["data"] = data
        if self.flavour.managed_fields:
            item["metadata"]["managedFields"] = [
                {
                    "manager": "kubectl-edit",
                    "operation": "Update",
                    "apiVersion": "v1",
                    "time": ago(changed_s),
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:data": {".": {}}},
                }
            ]
        if applied is not None:
            was = {"apiVersion": "v1", "data": applied, "kind": "ConfigMap", "metadata": {"name": name}}
            key = "kubectl.kubernetes.io/last-applied-configuration"
            item["metadata"]["annotations"] = {key: json.dumps(was) + "\n"}
        return item

    def secret(self, name: str, namespace: str = "shop", kind: str = "Opaque", keys: Sequence[str] = ()) -> Object:
        """A Secret."""
        item = self.add("Secret", name, namespace, 40 * DAY)
        item |= {"type": kind, "data": dict.fromkeys(keys, "aHVudGVyMg==")}
        return item

    def log(self, pod: Object, text: str, container: str = "app") -> None:
        """What a container says."""
        meta = pod["metadata"]
        self.logs.setdefault((meta["namespace"], meta["name"]), {})[container] = text

    def write(self, directory: Path, *, leave_out: Sequence[str] = ()) -> Path:
        """Writes the files of a dump, those of `cluster-info dump` as typed lists, the others as `kubectl get` does."""
        grouped: dict[tuple[str, str], list[Object]] = {}
        for item in self.objects:
            if item["kind"] not in leave_out:
                grouped.setdefault((item["metadata"].get("namespace", ""), item["kind"]), []).append(clean(item))
        for (namespace, kind), items in grouped.items():
            dumped = kind in ("Node", "Event", "Service", "DaemonSet", "Deployment", "ReplicaSet", "Pod")
            path = (
                directory / namespace / f"{kind.lower()}s.json" if dumped else directory / f"x-{namespace}-{kind}.json"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            bare = [{k: v for k, v in item.items() if k not in ("kind", "apiVersion")} for item in items]
            document: Object = {"kind": f"{kind}List", "apiVersion": "v1", "metadata": {}, "items": bare}
            if not dumped:
                document = {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}
            path.write_text(json.dumps(document))
        for (namespace, pod), texts in self.logs.items():
            path = directory / namespace / pod / "logs.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(_marked(f"{namespace}/{pod}", name, text) for name, text in texts.items()))
        return directory


def pod_spec(containers: list[Object], **more: Any) -> Object:
    """A pod's specification."""
    return {
        "containers": deepcopy(containers),
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": 30,
        "volumes": [
            {"name": "kube-api-access", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}}
        ],
    } | deepcopy(more)


def pod_status(
    pod: Object,
    states: Sequence[Object],
    init: Sequence[Object],
    age_s: float,
    unready_s: float | None,
    phase: str,
    *,
    scheduled: bool,
) -> Object:
    """The status that a kubelet writes."""
    names = [c["name"] for c in pod["spec"]["containers"]]
    inits = [c["name"] for c in pod["spec"].get("initContainers", ())]
    unready = f"containers with unready status: [{' '.join(names)}]"
    conditions: list[Object] = []
    for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"):
        told: Object = {
            "type": kind,
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": ago(max(0.0, age_s - 5)),
        }
        if kind in ("Ready", "ContainersReady") and unready_s is not None:
            told |= {
                "status": "False",
                "reason": "ContainersNotReady",
                "message": unready,
                "lastTransitionTime": ago(unready_s),
            }
        conditions.append(told)
    status: Object = {
        "phase": phase or ("Running" if scheduled else "Pending"),
        "qosClass": "Burstable",
        "startTime": ago(age_s),
        "conditions": conditions if scheduled else [],
        "containerStatuses": [
            {"name": n, "image": c["image"], "imageID": "", "started": "running" in s.get("state", {})} | deepcopy(s)
            for n, c, s in zip(names, pod["spec"]["containers"], states, strict=False)
        ],
    }
    if inits:
        status["initContainerStatuses"] = [
            {"name": n, "image": "i", "imageID": ""} | deepcopy(s) for n, s in zip(inits, init, strict=False)
        ]
    if not scheduled:
        status.pop("containerStatuses")
        status.pop("startTime")
    return status


def up(since_s: float, *, ready: bool = True, restarts: int = 0, last: Object | None = None) -> Object:
    """A running container."""
    return {
        "ready": ready,
        "restartCount": restarts,
        "state": {"running": {"startedAt": ago(since_s)}},
        "lastState": {"terminated": last} if last else {},
    }


def waits(reason: str, message: str = "", restarts: int = 0, last: Object | None = None) -> Object:
    """A waiting container."""
    return {
        "ready": False,
        "restartCount": restarts,
        "state": {"waiting": {"reason": reason} | ({"message": message} if message else {})},
        "lastState": {"terminated": last} if last else {},
    }


def end(code: int, reason: str = "Error", *, at_s: float = 60.0, ran_s: float = 2.0, message: str = "") -> Object:
    """How a run ended."""
    told: Object = {
        "exitCode": code,
        "reason": reason,
        "startedAt": ago(at_s + ran_s),
        "finishedAt": ago(at_s),
        "containerID": "containerd://" + "a1" * 32,
    }
    return told | ({"message": message} if message else {})


def done(code: int = 0, reason: str = "Completed", at_s: float = 300.0, message: str = "") -> Object:
    """A container that has ended for good."""
    return {
        "ready": code == 0,
        "restartCount": 0,
        "state": {"terminated": end(code, reason, at_s=at_s, message=message)},
        "lastState": {},
    }


def loops(last: Object, restarts: int = 6) -> Object:
    """A container in CrashLoopBackOff."""
    name = "back-off 2m40s restarting failed container=app pod=x_shop(5f0c2d5e)"
    return waits("CrashLoopBackOff", name, restarts, last)


def is_ready(pod: Object) -> bool:
    """Whether its Ready condition is True."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))


def uid_of(kind: str, namespace: str, name: str) -> str:
    """A uid that looks like one."""
    d = hashlib.sha256(f"{kind}/{namespace}/{name}".encode()).hexdigest()
    return f"{d[:8]}-{d[8:12]}-4{d[13:16]}-a{d[17:20]}-{d[20:32]}"


def clean(item: Object) -> Object:
    """Without the builder's own marks."""
    return item | {"metadata": {k: v for k, v in item["metadata"].items() if not k.startswith("_")}}


def _owner_uid(item: Object) -> str:
    return str((item["metadata"].get("ownerReferences") or [{}])[0].get("uid", ""))


def _hash(one: str, other: str, length: int) -> str:
    letters = "bcdfghjklmnpqrstvwxz2456789"
    digest = hashlib.sha256(f"{one}{other}".encode()).digest()
    return "".join(letters[b % len(letters)] for b in digest[:length])


def _marked(pod: str, container: str, text: str) -> str:
    name = f"container {container} of pod {pod}"
    return f"==== START logs for {name} ====\n{text}\n==== END logs for {name} ====\n"

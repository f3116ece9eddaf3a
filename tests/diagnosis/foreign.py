"""Objects as a 1.31 cluster shows them, written out as `kubectl cluster-info dump` lays them out; shares nothing with `world`."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Object = dict[str, Any]

NOW = datetime(2026, 3, 14, 2, 41, 7, tzinfo=UTC)


def ago(seconds: float) -> str:
    """A time of the API, so many seconds before the dump."""
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def container(name: str, image: str, **more: Any) -> Object:
    """A container of a template with what the API server fills in."""
    return {
        "name": name,
        "image": image,
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    } | more


def limits(memory: str, request: str = "") -> Object:
    """Resources with a memory limit."""
    return {"resources": {"limits": {"memory": memory}, "requests": {"memory": request or memory, "cpu": "100m"}}}


def run(since_s: float) -> Object:
    """A running state."""
    return {"running": {"startedAt": ago(since_s)}}


def wait(reason: str, message: str = "") -> Object:
    """A waiting state."""
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def end(reason: str, code: int, ended_s: float, ran_s: float = 2, message: str = "") -> Object:
    """A terminated state."""
    return {
        "terminated": {
            "exitCode": code,
            "reason": reason,
            "startedAt": ago(ended_s + ran_s),
            "finishedAt": ago(ended_s),
            "containerID": "containerd://5f1c0a",
        }
        | ({"message": message} if message else {})
    }


def back_off(of: str, pod: str, namespace: str, delay: str = "5m0s") -> Object:
    """The waiting state between two crashes."""
    text = f"back-off {delay} restarting failed container={of} pod={pod}_{namespace}(5ad4-9c1e)"
    return wait("CrashLoopBackOff", text)


def status(of: Object, state: Object, *, ready: bool = False, restarts: int = 0, last: Object | None = None) -> Object:
    """A container's status."""
    return {
        "name": of["name"],
        "image": of["image"],
        "imageID": "" if "waiting" in state and not restarts else f"{of['image'].split(':')[0]}@sha256:aa11",
        "state": state,
        "lastState": last or {},
        "ready": ready,
        "started": "running" in state,
        "restartCount": restarts,
    }


class Foreign:
    """A cluster of somebody else, as far as a dump tells it."""

    def __init__(self) -> None:
        self.objects: list[Object] = []
        self.logs: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._uid = 0

    def add(self, kind: str, name: str, namespace: str = "", age_s: float = 864000, **body: Any) -> Object:
        """Any object."""
        self._uid += 1
        meta: Object = {"name": name, "uid": f"0d0c7c1e-0000-4000-8000-{self._uid:012d}"}
        meta |= {"resourceVersion": str(88000 + self._uid), "creationTimestamp": ago(age_s)}
        if namespace:
            meta["namespace"] = namespace
        meta |= body.pop("metadata", {})
        made = {"kind": kind, "metadata": meta} | body
        self.objects.append(made)
        return made

    def node(self, name: str, *, taints: list[Object] | None = None, cordoned: bool = False, **odd: Any) -> Object:
        """A node; odd: condition type → (status, reason, message, since_s)."""
        well = {
            "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
        }
        conditions = []
        for kind, (said, reason, message) in well.items():
            told = odd.get(kind, (said, reason, message, 700000))
            beat = told[3] if told[0] == "Unknown" else 25
            conditions.append(
                {
                    "type": kind,
                    "status": told[0],
                    "reason": told[1],
                    "message": told[2],
                    "lastHeartbeatTime": ago(beat),
                    "lastTransitionTime": ago(told[3]),
                }
            )
        spec: Object = {"podCIDR": "10.244.1.0/24", "providerID": f"aws:///eu-central-1a/{name}"}
        if cordoned:
            spec["unschedulable"] = True
            taints = [*(taints or []), {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]
        if taints:
            spec["taints"] = taints
        room = {"cpu": "4", "memory": "16077812Ki", "pods": "58", "ephemeral-storage": "95551679124"}
        return self.add(
            "Node",
            name,
            metadata={"labels": {"kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name}},
            spec=spec,
            status={
                "conditions": conditions,
                "capacity": room,
                "allocatable": room,
                "nodeInfo": {"architecture": "amd64", "kubeletVersion": "v1.31.4", "operatingSystem": "linux"},
                "addresses": [{"type": "InternalIP", "address": "10.0.3.17"}],
            },
        )

    def event(
        self, about: Object, reason: str, message: str, last_s: float, *, first_s: float = 0, count: int = 1,
        component: str = "kubelet", host: str = "ip-10-0-3-17", kind: str = "Warning",
    ) -> Object:  # fmt: skip
        """An event; the scheduler's have an eventTime and no count."""
        meta = about["metadata"]
        namespace = meta.get("namespace", "")
        body: Object = {
            "involvedObject": {"kind": about["kind"], "name": meta["name"], "namespace": namespace, "uid": meta["uid"]},
            "reason": reason,
            "message": message,
            "type": kind,
        }
        if component == "default-scheduler":
            body |= {
                "source": {},
                "firstTimestamp": None,
                "lastTimestamp": None,
                "eventTime": f"{ago(last_s)[:-1]}.114Z",
            }
            body |= {
                "reportingComponent": component,
                "reportingInstance": "default-scheduler-cp1",
                "action": "Scheduling",
            }
        else:
            source = {"component": component} | ({"host": host} if component == "kubelet" else {})
            body |= {"source": source, "firstTimestamp": ago(first_s or last_s), "lastTimestamp": ago(last_s)}
            body |= {"eventTime": None, "count": count, "reportingComponent": component, "reportingInstance": host}
        name = f"{meta['name']}.187a{self._uid:04x}"
        return self.add("Event", name, namespace or "default", age_s=first_s or last_s, **body)

    def log(self, pod: Object, of: str, text: str) -> None:
        """What a container said."""
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        self.logs.setdefault(key, []).append((of, text))

    def write(self, directory: Path) -> Path:
        """The files of a dump: what it holds by itself where it puts it, everything else in more.json."""
        own = {"Pod": "pods", "Deployment": "deployments", "ReplicaSet": "replicasets", "Event": "events",
               "Service": "services", "DaemonSet": "daemonsets"}  # fmt: skip
        spaces = sorted({o["metadata"].get("namespace", "") for o in self.objects} - {""})
        _list(directory / "nodes.json", "Node", [o for o in self.objects if o["kind"] == "Node"])
        for space in spaces:
            for kind, file in own.items():
                held = [o for o in self.objects if o["kind"] == kind and o["metadata"].get("namespace") == space]
                _list(directory / space / f"{file}.json", kind, held)
        rest = [{"apiVersion": "v1"} | o for o in self.objects if o["kind"] not in (*own, "Node")]
        (directory / "more.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": rest}))
        for kind in ("ConfigMap", "Secret", "PersistentVolumeClaim"):
            if not any(o["kind"] == kind for o in rest):
                _list(directory / f"{kind}.json", kind, [])
        for (space, pod), said in self.logs.items():
            (directory / space / pod).mkdir(parents=True, exist_ok=True)
            text = "".join(
                f"==== START logs for container {c} of pod {space}/{pod} ====\n{t}\n"
                f"==== END logs for container {c} of pod {space}/{pod} ====\n"
                for c, t in said
            )
            (directory / space / pod / "logs.txt").write_text(text)
        for path in (path for path in directory.rglob("*") if path.is_file()):
            os.utime(path, (NOW.timestamp(), NOW.timestamp()))
        return directory


def _list(path: Path, kind: str, items: list[Object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    bare = [{k: v for k, v in item.items() if k != "kind"} for item in items]
    path.write_text(
        json.dumps({"kind": f"{kind}List", "metadata": {"resourceVersion": "99120"}, "items": bare or None})
    )


class Workload:
    """A Deployment, StatefulSet or Job with its revisions and pods."""

    def __init__(
        self, cluster: Foreign, name: str, namespace: str, containers: list[Object], *, kind: str = "Deployment",
        replicas: int = 3, ready: int = 0, age_s: float = 864000, volumes: list[Object] | None = None, **spec: Any,
    ) -> None:  # fmt: skip
        self.cluster, self.name, self.namespace, self.kind = cluster, name, namespace, kind
        self.labels = {"app.kubernetes.io/name": name}
        self.replicas, self.ready = replicas, ready
        self.revisions: list[Object] = []
        self.template = self._template(containers, volumes, spec)
        self.object = cluster.add(
            kind,
            name,
            namespace,
            age_s,
            spec={
                "replicas": replicas,
                "selector": {"matchLabels": self.labels},
                "template": self.template,
                "progressDeadlineSeconds": 600,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            },
            status={
                "observedGeneration": 1,
                "replicas": replicas,
                "readyReplicas": ready,
                "availableReplicas": ready,
                "updatedReplicas": replicas,
                "unavailableReplicas": replicas - ready,
            },
        )
        self.object["metadata"]["generation"] = 1
        if kind != "Deployment":
            for key in ("strategy", "progressDeadlineSeconds"):
                del self.object["spec"][key]
            del self.object["status"]["unavailableReplicas"]

    def _template(self, containers: list[Object], volumes: list[Object] | None, spec: Object) -> Object:
        body: Object = {
            "containers": containers,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
        }
        body |= {"volumes": volumes} if volumes else {}
        return {"metadata": {"creationTimestamp": None, "labels": self.labels}, "spec": body | spec}

    def condition(self, kind: str, said: str, reason: str, message: str, since_s: float) -> None:
        """A condition of the workload."""
        self.object["status"].setdefault("conditions", []).append(
            {
                "type": kind,
                "status": said,
                "reason": reason,
                "message": message,
                "lastUpdateTime": ago(since_s),
                "lastTransitionTime": ago(since_s),
            }
        )

    def stuck(self, since_s: float) -> None:
        """The conditions of a rollout that does not come to an end."""
        rs = self.revisions[-1]["metadata"]["name"]
        self.condition("Available", "True" if self.ready else "False", "MinimumReplicasAvailable" if self.ready else
                       "MinimumReplicasUnavailable", "Deployment availability.", since_s)  # fmt: skip
        text = f'ReplicaSet "{rs}" has timed out progressing.'
        self.condition("Progressing", "False", "ProgressDeadlineExceeded", text, since_s)

    def settled(self) -> None:
        """The conditions of a rollout that ended long ago."""
        self.condition("Progressing", "True", "NewReplicaSetAvailable", "has successfully progressed.", 600000)
        said = "True" if self.ready else "False"
        self.condition("Available", said, "MinimumReplicasAvailable", "Deployment availability.", 900)

    def revision(self, mark: str, age_s: float, *, wanted: int, ready: int, containers: list[Object] | None = None,
                 volumes: list[Object] | None = None, **spec: Any) -> Object:  # fmt: skip
        """A ReplicaSet; without containers that of the present template."""
        template = self.template if containers is None else self._template(containers, volumes, spec)
        number = len(self.revisions) + 1
        rs = self.cluster.add(
            "ReplicaSet",
            f"{self.name}-{mark}",
            self.namespace,
            age_s,
            spec={"replicas": wanted, "selector": {"matchLabels": self.labels}, "template": template},
            status={"replicas": wanted, "readyReplicas": ready, "availableReplicas": ready, "observedGeneration": 1},
        )
        rs["metadata"] |= {
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "labels": self.labels | {"pod-template-hash": mark},
            "ownerReferences": [_owner("apps/v1", "Deployment", self.object)],
        }
        self.revisions.append(rs)
        self.object["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": str(number)}
        return rs

    def pod(
        self, suffix: str, statuses: list[Object] | None, *, of: Object | None = None, node: str = "ip-10-0-3-17",
        age_s: float = 1800, phase: str = "Running", ready: bool = False, since_s: float | None = None,
        init: list[Object] | None = None, unscheduled: str = "", **status_more: Any,
    ) -> Object:  # fmt: skip
        """A pod of the newest revision, or of another."""
        owner = of or (self.revisions[-1] if self.revisions else self.object)
        template = owner["spec"]["template"]
        since = age_s if since_s is None else since_s
        names = [s["name"] for s in statuses or () if not s["ready"]]
        not_ready = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{' '.join(names)}]"}
        up = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": ago(since)}
        told: list[Object] = [
            {"type": "Initialized", "status": "False" if init and not statuses else "True"},
            up | ({} if ready else not_ready),
            up | {"type": "ContainersReady"} | ({} if ready else not_ready),
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": ago(age_s)},
        ]
        if unscheduled:
            told = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": unscheduled,
                     "lastTransitionTime": ago(age_s), "lastProbeTime": None}]  # fmt: skip
        body: Object = {"phase": phase, "conditions": told, "qosClass": "Burstable", "startTime": ago(age_s)}
        body |= {"containerStatuses": statuses} if statuses else {}
        body |= {"initContainerStatuses": init} if init else {}
        spec = template["spec"] | ({} if unscheduled else {"nodeName": node})
        pod = self.cluster.add("Pod", f"{owner['metadata']['name']}-{suffix}", self.namespace, age_s, spec=spec,
                               status=body | status_more)  # fmt: skip
        kind = owner["kind"]
        version = "batch/v1" if kind == "Job" else "apps/v1"
        pod["metadata"] |= {
            "generateName": f"{owner['metadata']['name']}-",
            "labels": owner["metadata"].get("labels", self.labels),
            "ownerReferences": [_owner(version, kind, owner)],
        }
        return pod

    def well(self, count: int, *, of: Object | None = None, age_s: float = 500000, node: str = "ip-10-0-3-18") -> None:
        """Pods that serve."""
        owner = of or (self.revisions[-1] if self.revisions else self.object)
        for i in range(count):
            up = [status(c, run(age_s - 5), ready=True) for c in owner["spec"]["template"]["spec"]["containers"]]
            self.pod(f"w{i}xkq", up, of=of, age_s=age_s, ready=True, since_s=age_s - 20, node=node)


def _owner(version: str, kind: str, of: Object) -> Object:
    return {"apiVersion": version, "kind": kind, "name": of["metadata"]["name"], "uid": of["metadata"]["uid"],
            "controller": True, "blockOwnerDeletion": True}  # fmt: skip

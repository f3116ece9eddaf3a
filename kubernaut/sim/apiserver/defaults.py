"""Fields that the server fills in when nobody says them, because people and controllers read them back.

Source: k8s.io/kubernetes/pkg/apis/*/v1/defaults.go
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from kubernaut.sim.apiserver.status import Json


def _fill(target: Json, **values: Any) -> None:
    for key, value in values.items():
        if target.get(key) is None:
            target[key] = value


def _image_pull_policy(image: str) -> str:
    name = image.rsplit("/", 1)[-1]
    if "@" in name:
        return "IfNotPresent"
    tag = name.partition(":")[2] or "latest"
    return "Always" if tag == "latest" else "IfNotPresent"


def _probe(probe: Json) -> None:
    _fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if isinstance(action := probe.get("httpGet"), dict):
        _fill(action, path="/", scheme="HTTP")


def _container(container: Json, *, template: bool) -> None:
    _fill(
        container,
        imagePullPolicy=_image_pull_policy(container.get("image") or ""),
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        resources={},
    )
    for port in container.get("ports") or ():
        _fill(port, protocol="TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(probe := container.get(name), dict):
            _probe(probe)
    limits = (container["resources"] or {}).get("limits")
    if limits and not template:
        requests = container["resources"].setdefault("requests", {})
        for name, amount in limits.items():
            requests.setdefault(name, amount)
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference:
            _fill(reference, apiVersion="v1")


_VOLUME_MODES = {"configMap": 420, "secret": 420, "projected": 420, "downwardAPI": 420}


def pod_spec(spec: Json, *, template: bool) -> None:
    """Defaults of a pod or of a pod template; only a pod copies limits to requests."""
    _fill(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    for name in ("containers", "initContainers"):
        for container in spec.get(name) or ():
            _container(container, template=template)
    for volume in spec.get("volumes") or ():
        for kind, mode in _VOLUME_MODES.items():
            if isinstance(volume.get(kind), dict):
                _fill(volume[kind], defaultMode=mode)
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]


def _pod(obj: Json) -> None:
    pod_spec(obj["spec"], template=False)
    _fill(obj["spec"], enableServiceLinks=True)


def _template(obj: Json) -> None:
    template = obj["spec"].setdefault("template", {})
    template.setdefault("metadata", {})
    if isinstance(spec := template.setdefault("spec", {}), dict):
        pod_spec(spec, template=True)


def _deployment(obj: Json) -> None:
    spec = obj["spec"]
    _fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    strategy = spec["strategy"]
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(strategy, rollingUpdate={})
        _fill(strategy["rollingUpdate"], maxUnavailable="25%", maxSurge="25%")
    _template(obj)


def _replica_set(obj: Json) -> None:
    _fill(obj["spec"], replicas=1)
    _template(obj)


def _replication_controller(obj: Json) -> None:
    _replica_set(obj)
    labels = obj["spec"]["template"]["metadata"].get("labels")
    if labels:
        obj["spec"]["selector"] = obj["spec"].get("selector") or dict(labels)
        obj["metadata"]["labels"] = obj["metadata"].get("labels") or dict(labels)


def _stateful_set(obj: Json) -> None:
    spec = obj["spec"]
    _fill(spec, replicas=1, revisionHistoryLimit=10, podManagementPolicy="OrderedReady", updateStrategy={})
    _fill(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        _fill(spec["updateStrategy"], rollingUpdate={})
        _fill(spec["updateStrategy"]["rollingUpdate"], partition=0)
    _fill(spec, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Retain"})
    _template(obj)


def _daemon_set(obj: Json) -> None:
    spec = obj["spec"]
    _fill(spec, revisionHistoryLimit=10, updateStrategy={})
    _fill(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        _fill(spec["updateStrategy"], rollingUpdate={})
        _fill(spec["updateStrategy"]["rollingUpdate"], maxUnavailable=1, maxSurge=0)
    _template(obj)


def _job(obj: Json) -> None:
    spec = obj["spec"]
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    _fill(spec, parallelism=1, backoffLimit=6, completionMode="NonIndexed", suspend=False)
    _fill(spec, podReplacementPolicy="TerminatingOrFailed")
    uid = obj["metadata"].get("uid")
    if not spec.get("manualSelector") and uid:
        spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
        labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
        for prefix in ("batch.kubernetes.io/", ""):
            labels[f"{prefix}controller-uid"] = uid
            labels[f"{prefix}job-name"] = obj["metadata"]["name"]
    _template(obj)


def _cron_job(obj: Json) -> None:
    spec = obj["spec"]
    _fill(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    pod = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    if isinstance(pod.get("spec"), dict):
        pod_spec(pod["spec"], template=True)


def _service(obj: Json) -> None:
    spec = obj["spec"]
    _fill(spec, type="ClusterIP", sessionAffinity="None")
    if spec["type"] != "ExternalName":
        _fill(spec, internalTrafficPolicy="Cluster", ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    for port in spec.get("ports") or ():
        _fill(port, protocol="TCP")
        port["targetPort"] = port.get("targetPort") or port.get("port")


def _endpoint_slice(obj: Json) -> None:
    for port in obj.get("ports") or ():
        _fill(port, name="", protocol="TCP")


def _secret(obj: Json) -> None:
    _fill(obj, type="Opaque")
    plain = obj.pop("stringData", None)
    if plain:
        data = obj.setdefault("data", {})
        for key, value in plain.items():
            data[key] = base64.b64encode(value.encode()).decode()


def _autoscaler(obj: Json) -> None:
    spec = obj["spec"]
    _fill(spec, minReplicas=1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _claim(obj: Json) -> None:
    _fill(obj["spec"], volumeMode="Filesystem")


def _volume(obj: Json) -> None:
    _fill(obj["spec"], volumeMode="Filesystem", persistentVolumeReclaimPolicy="Retain")


def _node(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    if spec.get("podCIDR"):
        _fill(spec, podCIDRs=[spec["podCIDR"]])


def _network_policy(obj: Json) -> None:
    spec = obj["spec"]
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def _binding(obj: Json) -> None:
    reference = obj.get("roleRef")
    if isinstance(reference, dict):
        _fill(reference, apiGroup="rbac.authorization.k8s.io")
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            _fill(subject, apiGroup="rbac.authorization.k8s.io")


def _namespace(obj: Json) -> None:
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]
    obj.setdefault("spec", {})
    if "deletionTimestamp" not in obj["metadata"]:
        _fill(obj["spec"], finalizers=["kubernetes"])


def _definition(obj: Json) -> None:
    spec = obj["spec"]
    _fill(spec, conversion={"strategy": "None"})
    names = spec.get("names") or {}
    if names.get("kind"):
        _fill(names, singular=names["kind"].lower(), listKind=names["kind"] + "List")


def _limit_range(obj: Json) -> None:
    for item in (obj.get("spec") or {}).get("limits") or ():
        if item.get("type") == "Container":
            if item.get("max"):
                item["default"] = dict(item["max"]) | (item.get("default") or {})
            if item.get("default"):
                item["defaultRequest"] = dict(item["default"]) | (item.get("defaultRequest") or {})


_BY_BUCKET: dict[str, Callable[[Json], None]] = {
    "pods": _pod,
    "services": _service,
    "secrets": _secret,
    "nodes": _node,
    "namespaces": _namespace,
    "persistentvolumes": _volume,
    "persistentvolumeclaims": _claim,
    "limitranges": _limit_range,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "replicationcontrollers": _replication_controller,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "poddisruptionbudgets.policy": lambda obj: None,  # its spec may be left out, and is there then all the same
    "networkpolicies.networking.k8s.io": _network_policy,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
}
_WITHOUT_SPEC = (
    "secrets",
    "endpointslices",
    "nodes",
    "namespaces",
    "limitranges",
    "rolebindings",
    "clusterrolebindings",
)


def fill_in(bucket: str, obj: Json) -> None:
    """Fill in the defaults of an object in place; one that lacks its spec is left to validation."""
    fill = _BY_BUCKET.get(bucket)
    if fill is None:
        return
    if not isinstance(obj.get("spec"), dict) and bucket.split(".")[0] not in _WITHOUT_SPEC:
        obj["spec"] = {}
    fill(obj)

"""Which object an alert is about: a table for the alerts of kube-prometheus, labels for everybody else's.

Without honor_labels the scrape's own labels shadow the target's, so `exported_namespace` and its like come first.
Source: kubernetes-mixin, node-exporter mixin, kube-prometheus rules (alert_targets.tsv).
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from kubernaut.domain.resources import ResourceRef, is_address, is_name
from kubernaut.domain.signals import FailureFamily

NEVER = frozenset({"IGNORE", "MonitoringStack"})
"""Heartbeats and self-monitoring: they never cause an action."""

_LABEL_OF = {
    "Deployment": "deployment",
    "StatefulSet": "statefulset",
    "DaemonSet": "daemonset",
    "Job": "job_name",
    "HorizontalPodAutoscaler": "horizontalpodautoscaler",
    "PodDisruptionBudget": "poddisruptionbudget",
    "PersistentVolumeClaim": "persistentvolumeclaim",
    "PersistentVolume": "persistentvolume",
    "ResourceQuota": "resourcequota",
    "Service": "service",
    "Pod": "pod",
    "Node": "node",
}
_CLUSTER_SCOPED = ("Node", "PersistentVolume")
_GUESS_ORDER = (
    "Deployment", "StatefulSet", "DaemonSet", "Job", "HorizontalPodAutoscaler", "PersistentVolumeClaim", "Pod", "Node",
    "Service",
)  # fmt: skip
_FAMILIES = {
    "KubePodCrashLooping": FailureFamily.CRASH_LOOP,
    "KubeContainerOOMKilled": FailureFamily.CRASH_LOOP,
    "KubePodNotReady": FailureFamily.POD_NOT_READY,
    "KubeDeploymentReplicasMismatch": FailureFamily.PODS_NOT_READY,
    "KubeDeploymentRolloutStuck": FailureFamily.PODS_NOT_READY,
    "KubeDeploymentGenerationMismatch": FailureFamily.PODS_NOT_READY,
    "KubeStatefulSetReplicasMismatch": FailureFamily.PODS_NOT_READY,
    "KubeDaemonSetRolloutStuck": FailureFamily.PODS_NOT_READY,
    "KubeNodeNotReady": FailureFamily.NODE_NOT_READY,
    "KubeNodeUnreachable": FailureFamily.NODE_NOT_READY,
    "KubeNodeReadinessFlapping": FailureFamily.NODE_NOT_READY,
    "KubeNodePressure": FailureFamily.NODE_PRESSURE,
    "NodeRAIDDegraded": FailureFamily.NODE_HARDWARE,
    "NodeRAIDDiskFailure": FailureFamily.NODE_HARDWARE,
}
_WAITING = {
    "ImagePullBackOff": FailureFamily.IMAGE_PULL,
    "ErrImagePull": FailureFamily.IMAGE_PULL,
    "InvalidImageName": FailureFamily.IMAGE_PULL,
    "ErrImageNeverPull": FailureFamily.IMAGE_PULL,
    "CreateContainerConfigError": FailureFamily.CONFIG_ERROR,
    "CreateContainerError": FailureFamily.CONFIG_ERROR,
    "CrashLoopBackOff": FailureFamily.CRASH_LOOP,
}


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert of the table: the kind it is about; `Pod->owner` is a pod whose owner is meant."""

    name: str
    target_kind: str


@cache
def rules() -> dict[str, AlertRule]:
    """The table, by the alert's name."""
    text = resources.files(__package__).joinpath("alert_targets.tsv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return {row["alert"]: AlertRule(row["alert"], row["target_kind"]) for row in rows}


def target_of(alert: str, labels: Mapping[str, str], cluster: str) -> ResourceRef | None:
    """The object an alert is about; None when it is about none that could be mended."""
    rule = rules().get(alert)
    if rule is None:
        return _guess(labels, cluster)
    if rule.target_kind in NEVER:
        return None
    kind = "Pod" if rule.target_kind == "Pod->owner" else rule.target_kind
    return _named(kind, labels, cluster)


def family_of(alert: str, labels: Mapping[str, str]) -> str:
    """The failure family of an alert; the alert's own name where no family fits."""
    reason = labels.get("reason", "")
    if alert == "KubeContainerWaiting" and reason in _WAITING:
        return _WAITING[reason].value
    family = _FAMILIES.get(alert)
    return family.value if family else alert


def _label(labels: Mapping[str, str], name: str) -> str:
    return labels.get(f"exported_{name}") or labels.get(name) or ""


def _named(kind: str, labels: Mapping[str, str], cluster: str) -> ResourceRef | None:
    label = _LABEL_OF.get(kind)
    if label is None:
        return None
    name = _label(labels, label)
    if kind == "Node" and not name:
        name = _host(labels.get("instance", ""))
        if is_address(name):
            return ResourceRef(cluster, kind, name)  # which node has it is looked up at intake
    if not is_name(name):
        return None
    if kind in _CLUSTER_SCOPED:
        return ResourceRef(cluster, kind, name)
    namespace = _label(labels, "namespace")
    return ResourceRef(cluster, kind, name, namespace) if is_name(namespace) else None


def _host(instance: str) -> str:
    """kube-prometheus relabels `instance` to the node's name; elsewhere a port follows."""
    host, colon, port = instance.rpartition(":")
    named_port = colon and port.isdigit() and (":" not in host or host.endswith("]"))
    return (host if named_port else instance).strip("[]")


def _guess(labels: Mapping[str, str], cluster: str) -> ResourceRef | None:
    """Somebody else's alert: the most specific object that its labels name."""
    for kind in _GUESS_ORDER:
        if _LABEL_OF[kind] in labels or f"exported_{_LABEL_OF[kind]}" in labels:
            found = _named(kind, labels, cluster)
            if found is not None:
                return found
    return None

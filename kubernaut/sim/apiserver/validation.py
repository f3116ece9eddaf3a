"""What the server refuses: 422 with a cause for each field, as far as clients of kubernaut can meet it.

Source: k8s.io/kubernetes/pkg/apis/*/validation
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kubernaut.sim.apiserver.naming import label_selector, labels, metadata
from kubernaut.sim.apiserver.pod_rules import pod_spec
from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.selectors import selects
from kubernaut.sim.apiserver.status import (
    Cause,
    Json,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

SECRET_TYPE = "kubernetes.io/service-account-token"  # noqa: S105 - the name of a type
ACCOUNT_NAME = "kubernetes.io/service-account.name"
_RBAC = "rbac.authorization.k8s.io"
_KEY_OF_DATA_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def _selector(field: str, selector: Json | None, template: Json, kind: str) -> list[Cause]:
    if not selector:
        return [required(field)]
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return [invalid_value(field, {}, f"empty selector is invalid for {kind}")]
    if causes := label_selector(field, selector):
        return [*causes, invalid_value(field, selector, "invalid label selector")]
    given = (template.get("metadata") or {}).get("labels") or {}
    if not selects(selector, given):
        return [invalid_value("spec.template.metadata.labels", given, "`selector` does not match template `labels`")]
    return []


def _not_negative(spec: Json, *fields: str) -> list[Cause]:
    return [
        invalid_value(f"spec.{name}", spec[name], "must be greater than or equal to 0")
        for name in fields
        if isinstance(spec.get(name), int) and spec[name] < 0
    ]


def _workload(obj: Json, kind: str) -> list[Cause]:
    spec = obj["spec"]
    template = spec["template"]
    causes = _not_negative(spec, "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    causes += _selector("spec.selector", spec.get("selector"), template, kind)
    if label_selector("spec.selector", spec.get("selector")):
        return causes  # the template is only looked at with a selector that can be one
    causes += labels("spec.template.metadata.labels", (template.get("metadata") or {}).get("labels"))
    return causes + pod_spec(template.get("spec") or {}, "spec.template.spec", restart=("Always",))


def _replication_controller(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    causes = _not_negative(spec, "replicas", "minReadySeconds")
    if not spec.get("selector"):
        causes.append(required("spec.selector"))
    given = (spec["template"].get("metadata") or {}).get("labels") or {}
    if not (spec.get("selector") or {}).items() <= given.items():
        text = "`selector` does not match template `labels`"
        causes.append(invalid_value("spec.template.metadata.labels", given, text))
    return causes + pod_spec(spec["template"].get("spec") or {}, "spec.template.spec", restart=("Always",))


def _percent_or_number(value: Any) -> bool:
    if isinstance(value, int):
        return value >= 0
    return isinstance(value, str) and re.fullmatch(r"\d+%", value) is not None


def _deployment(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    causes = _workload(obj, "deployment")
    strategy = spec["strategy"]
    if strategy["type"] not in ("Recreate", "RollingUpdate"):
        causes.append(not_supported("spec.strategy.type", strategy["type"], ["Recreate", "RollingUpdate"]))
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] == "Recreate" and rolling:
        text = "may not be specified when strategy `type` is 'Recreate'"
        causes.append(forbidden_field("spec.strategy.rollingUpdate", text))
    elif rolling:
        for name in ("maxUnavailable", "maxSurge"):
            if not _percent_or_number(rolling[name]):
                text = "a valid percent string must be a numeric string followed by an ending '%'"
                causes.append(invalid_value(f"spec.strategy.rollingUpdate.{name}", rolling[name], text))
        if {str(rolling["maxUnavailable"]), str(rolling["maxSurge"])} <= {"0", "0%"}:
            text = "may not be 0 when `maxSurge` is 0"
            causes.append(invalid_value("spec.strategy.rollingUpdate.maxUnavailable", rolling["maxUnavailable"], text))
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds") or 0
    if deadline is not None and deadline <= ready:
        causes.append(invalid_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return causes


def _job(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    causes = _not_negative(spec, "parallelism", "completions", "backoffLimit", "activeDeadlineSeconds")
    pod = spec["template"].get("spec") or {}
    if pod.get("restartPolicy") == "Always":
        where = "spec.template.spec.restartPolicy"
        return [*causes, required(where, 'valid values: "OnFailure", "Never"')]
    return causes + pod_spec(pod, "spec.template.spec", restart=("OnFailure", "Never"))


def _pod(obj: Json) -> list[Cause]:
    return pod_spec(obj["spec"], "spec")


def _service(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    causes = labels("spec.selector", spec.get("selector"))
    if not spec.get("ports") and spec.get("clusterIP") != "None" and spec["type"] != "ExternalName":
        causes.append(required("spec.ports"))
    for index, port in enumerate(spec.get("ports") or ()):
        number = port.get("port")
        if not isinstance(number, int) or not 0 < number < 65536:
            causes.append(
                invalid_value(f"spec.ports[{index}].port", number or 0, "must be between 1 and 65535, inclusive")
            )
    return causes


def _config(obj: Json) -> list[Cause]:
    causes: list[Cause] = []
    for part in ("data", "binaryData"):
        for key in obj.get(part) or {}:
            if not re.fullmatch(r"[-._a-zA-Z0-9]+", key):
                text = _KEY_OF_DATA_TEXT
                causes.append(invalid_value(f"{part}[{key}]", key, text))
    return causes


def _secret(obj: Json) -> list[Cause]:
    causes = _config(obj)
    if obj.get("type") == SECRET_TYPE and not (obj["metadata"].get("annotations") or {}).get(ACCOUNT_NAME):
        causes.append(required(f"metadata.annotations[{ACCOUNT_NAME}]"))
    return causes


def _autoscaler(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    maximum, minimum = spec.get("maxReplicas") or 0, spec.get("minReplicas", 1)
    causes: list[Cause] = []
    if minimum < 1:
        causes.append(invalid_value("spec.minReplicas", minimum, "must be greater than or equal to 1"))
    if maximum < 1:
        causes.append(invalid_value("spec.maxReplicas", maximum, "must be greater than 0"))
    elif maximum < minimum:
        causes.append(invalid_value("spec.maxReplicas", maximum, "must be greater than or equal to `minReplicas`"))
    reference = spec.get("scaleTargetRef") or {}
    causes += [required(f"spec.scaleTargetRef.{name}") for name in ("kind", "name") if not reference.get(name)]
    return causes


def _budget(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        return [invalid_value("spec", spec, "minAvailable and maxUnavailable cannot be both set")]
    return label_selector("spec.selector", spec.get("selector")) + [
        invalid_value(f"spec.{name}", spec[name], "must be an integer or percentage (e.g '5%')")
        for name in ("minAvailable", "maxUnavailable")
        if spec.get(name) is not None and not _percent_or_number(spec[name])
    ]


def _node(obj: Json) -> list[Cause]:
    causes: list[Cause] = []
    for index, taint in enumerate(obj["spec"].get("taints") or ()):
        if not taint.get("key"):
            causes.append(required(f"spec.taints[{index}].key"))
        if taint.get("effect") not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
            allowed = ["NoExecute", "NoSchedule", "PreferNoSchedule"]
            causes.append(not_supported(f"spec.taints[{index}].effect", taint.get("effect"), allowed))
    return causes


def _binding(obj: Json) -> list[Cause]:
    reference = obj.get("roleRef") or {}
    causes = [required("roleRef.name")] if not reference.get("name") else []
    if reference.get("kind") not in ("Role", "ClusterRole"):
        causes.append(not_supported("roleRef.kind", reference.get("kind", ""), ["ClusterRole", "Role"]))
    return causes


def _definition(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    names = spec.get("names") or {}
    wanted = f"{names.get('plural', '')}.{spec.get('group', '')}"
    causes: list[Cause] = []
    if obj["metadata"]["name"] != wanted:
        text = 'must be spec.names.plural+"."+spec.group'
        causes.append(invalid_value("metadata.name", obj["metadata"]["name"], text))
    if spec.get("scope") not in ("Namespaced", "Cluster"):
        causes.append(not_supported("spec.scope", spec.get("scope", ""), ["Cluster", "Namespaced"]))
    for index, version in enumerate(spec.get("versions") or ()):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            causes.append(required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required"))
    if sum(bool(version.get("storage")) for version in spec.get("versions") or ()) != 1:
        text = "must have exactly one version marked as storage version"
        causes.append(invalid_value("spec.versions", [], text))
    return causes


_BY_BUCKET: dict[str, Callable[[Json], list[Cause]]] = {
    "pods": _pod,
    "services": _service,
    "configmaps": _config,
    "secrets": _secret,
    "nodes": _node,
    "deployments.apps": _deployment,
    "replicationcontrollers": _replication_controller,
    "replicasets.apps": lambda obj: _workload(obj, "replicaset"),
    "statefulsets.apps": lambda obj: _workload(obj, "statefulset"),
    "daemonsets.apps": lambda obj: _workload(obj, "daemonset"),
    "jobs.batch": _job,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "poddisruptionbudgets.policy": _budget,
    f"rolebindings.{_RBAC}": _binding,
    f"clusterrolebindings.{_RBAC}": _binding,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
}


def creation(resource: Resource, obj: Json) -> list[Cause]:
    """Everything wrong with an object as such."""
    check = _BY_BUCKET.get(resource.bucket)
    return metadata(resource, obj) + (check(obj) if check else [])

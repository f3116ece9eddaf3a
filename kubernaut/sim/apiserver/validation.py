"""What the server refuses: 422 with a cause for each field, as far as clients of kubernaut can meet it.

Source: k8s.io/kubernetes/pkg/apis/*/validation
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kubernaut.sim.apiserver import quantity
from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.selectors import selects
from kubernaut.sim.apiserver.status import (
    Cause,
    Json,
    duplicate,
    forbidden_field,
    invalid_value,
    not_found_cause,
    not_supported,
    required,
)

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    rf"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    f"and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{_LABEL_1035}')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_KEY_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{_QUALIFIED}')"
)
_KEY_OF_DATA_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_RBAC = "rbac.authorization.k8s.io"


def subdomain(field: str, value: str) -> list[Cause]:
    if len(value) > 253:
        return [invalid_value(field, value, "must be no more than 253 characters")]
    return [] if re.fullmatch(_SUBDOMAIN, value) else [invalid_value(field, value, _SUBDOMAIN_TEXT)]


def label_name(field: str, value: str) -> list[Cause]:
    if len(value) > 63:
        return [invalid_value(field, value, "must be no more than 63 characters")]
    return [] if re.fullmatch(_LABEL, value) else [invalid_value(field, value, _LABEL_TEXT)]


def _name(resource: Resource, name: str) -> list[Cause]:
    if resource.group == _RBAC:
        return []
    if resource.bucket == "namespaces":
        return label_name("metadata.name", name)
    if resource.bucket == "services" and not re.fullmatch(_LABEL_1035, name):
        return [invalid_value("metadata.name", name, _LABEL_1035_TEXT)]
    return subdomain("metadata.name", name)


def labels(field: str, values: Json | None) -> list[Cause]:
    """Keys are qualified names, values at most 63 characters of a small alphabet."""
    causes: list[Cause] = []
    for key, value in (values or {}).items():
        causes += _qualified_key(field, key)
        if len(value) > 63:
            causes.append(invalid_value(field, value, "must be no more than 63 characters"))
        elif value and not re.fullmatch(_QUALIFIED, value):
            causes.append(invalid_value(field, value, _VALUE_TEXT))
    return causes


def _qualified_key(field: str, key: str) -> list[Cause]:
    prefix, slash, name = key.rpartition("/")
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        return [invalid_value(field, key, f"prefix part {_SUBDOMAIN_TEXT}")]
    if not name or len(name) > 63 or not re.fullmatch(_QUALIFIED, name):
        return [invalid_value(field, key, _KEY_TEXT)]
    return []


def metadata(resource: Resource, obj: Json) -> list[Cause]:
    """Rules of metadata that hold for every kind."""
    found = obj["metadata"]
    causes = _name(resource, found["name"])
    causes += labels("metadata.labels", found.get("labels"))
    for key in found.get("annotations") or {}:
        causes += _qualified_key("metadata.annotations", key.lower())
    size = sum(len(key) + len(value) for key, value in (found.get("annotations") or {}).items())
    if size > 256 * 1024:
        causes.append(Cause("FieldValueTooLong", "Too long: may not be more than 262144 bytes", "metadata.annotations"))
    for index, owner in enumerate(found.get("ownerReferences") or ()):
        for key in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(key):
                causes.append(invalid_value(f"metadata.ownerReferences[{index}].{key}", "", "must not be empty"))
    return causes


def _resources(field: str, wanted: Json) -> list[Cause]:
    causes: list[Cause] = []
    limits, requests = wanted.get("limits") or {}, wanted.get("requests") or {}
    for part, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            if quantity.parse(amount) < 0:
                text = "must be greater than or equal to 0"
                causes.append(invalid_value(f"{field}.{part}[{name}]", amount, text))
    for name, amount in requests.items():
        if name in limits and quantity.parse(amount) > quantity.parse(limits[name]):
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            causes.append(invalid_value(f"{field}.requests", amount, text))
    return causes


def _containers(field: str, containers: list[Json], volumes: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, container in enumerate(containers):
        where = f"{field}[{index}]"
        name = container.get("name") or ""
        if not name:
            causes.append(required(f"{where}.name"))
        elif name in seen:
            causes.append(duplicate(f"{where}.name", name))
        else:
            causes += label_name(f"{where}.name", name)
        seen.add(name)
        if not container.get("image"):
            causes.append(required(f"{where}.image"))
        elif container["image"] != container["image"].strip():
            text = "must not have leading or trailing whitespace"
            causes.append(invalid_value(f"{where}.image", container["image"], text))
        causes += _resources(f"{where}.resources", container.get("resources") or {})
        causes += _container_parts(where, container, volumes)
    return causes


def _container_parts(where: str, container: Json, volumes: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    policy = container.get("imagePullPolicy")
    if policy not in ("Always", "IfNotPresent", "Never"):
        causes.append(not_supported(f"{where}.imagePullPolicy", policy, ["Always", "IfNotPresent", "Never"]))
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if not mount.get("mountPath"):
            causes.append(required(f"{where}.volumeMounts[{index}].mountPath"))
        if mount.get("name") not in volumes:
            causes.append(not_found_cause(f"{where}.volumeMounts[{index}].name", mount.get("name", "")))
    for index, port in enumerate(container.get("ports") or ()):
        number = port.get("containerPort")
        if not isinstance(number, int) or not 0 < number < 65536:
            causes.append(_port(f"{where}.ports[{index}].containerPort", number))
    for index, variable in enumerate(container.get("env") or ()):
        if not variable.get("name"):
            causes.append(required(f"{where}.env[{index}].name"))
    return causes


def _port(field: str, number: Any) -> Cause:
    if number is None or number == 0:
        return required(field)
    return invalid_value(field, number, "must be between 1 and 65535, inclusive")


def pod_spec(spec: Json, field: str, *, restart: tuple[str, ...] = ("Always", "OnFailure", "Never")) -> list[Cause]:
    """Rules of a pod's spec, at `field` in the object."""
    causes: list[Cause] = []
    volumes = {volume.get("name", "") for volume in spec.get("volumes") or ()}
    if not spec.get("containers"):
        causes.append(required(f"{field}.containers"))
    causes += _containers(f"{field}.containers", spec.get("containers") or [], volumes)
    causes += _containers(f"{field}.initContainers", spec.get("initContainers") or [], volumes)
    policy = spec.get("restartPolicy")
    if policy not in restart:
        causes.append(not_supported(f"{field}.restartPolicy", policy, list(restart)))
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        value = spec["terminationGracePeriodSeconds"]
        causes.append(
            invalid_value(f"{field}.terminationGracePeriodSeconds", value, "must be greater than or equal to 0")
        )
    if spec.get("dnsPolicy") not in ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"):
        allowed = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]
        causes.append(not_supported(f"{field}.dnsPolicy", spec.get("dnsPolicy"), allowed))
    return causes


def _selector(field: str, selector: Json | None, template: Json, kind: str) -> list[Cause]:
    if not selector:
        return [required(field)]
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return [invalid_value(field, {}, f"empty selector is invalid for {kind}")]
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
    causes += labels("spec.template.metadata.labels", (template.get("metadata") or {}).get("labels"))
    return causes + pod_spec(template.get("spec") or {}, "spec.template.spec", restart=("Always",))


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
    causes: list[Cause] = []
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
    return [
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
    "secrets": _config,
    "nodes": _node,
    "deployments.apps": _deployment,
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

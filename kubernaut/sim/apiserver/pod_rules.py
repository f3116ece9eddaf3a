"""What the spec of a pod must be like, in a pod or in a template.

Source: k8s.io/kubernetes/pkg/apis/core/validation
"""

from __future__ import annotations

from typing import Any

from kubernaut.sim.apiserver.container_rules import containers
from kubernaut.sim.apiserver.naming import label_name, labels, qualified_name, subdomain
from kubernaut.sim.apiserver.status import (
    Cause,
    Json,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

_DNS = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]
_NEEDED = {"configMap": "name", "secret": "secretName", "hostPath": "path", "persistentVolumeClaim": "claimName"}
_AFFINITIES = ("podAffinity", "podAntiAffinity")
_REQUIRED_TERMS = "requiredDuringSchedulingIgnoredDuringExecution"


def pod_spec(
    spec: Json,
    field: str,
    *,
    restart: tuple[str, ...] = ("Always", "OnFailure", "Never"),
    replicated: bool = False,
    template: bool = True,
) -> list[Cause]:
    """What is wrong with a pod's spec.

    Args:
        field: where it stands in the object.
        restart: restart policies that its owner takes.
        replicated: of a ReplicaSet or what makes such, which replace pods for ever.
        template: of a workload, not of a pod.
    """
    volumes = {volume.get("name", "") for volume in spec.get("volumes") or ()}
    own = spec.get("containers") or []
    causes = _volumes(f"{field}.volumes", spec.get("volumes") or ())
    if not own:
        causes.append(required(f"{field}.containers"))
    causes += containers(f"{field}.containers", own, volumes, template=template)
    taken = {one.get("name", "") for one in own}
    first = spec.get("initContainers") or []
    causes += containers(f"{field}.initContainers", first, volumes, taken=taken, template=template)
    if spec.get("restartPolicy") not in restart:
        causes.append(not_supported(f"{field}.restartPolicy", spec.get("restartPolicy"), list(restart)))
    if replicated and spec.get("activeDeadlineSeconds") is not None:
        text = "activeDeadlineSeconds in ReplicaSet is not Supported"
        causes.append(forbidden_field(f"{field}.activeDeadlineSeconds", text))
    if spec.get("dnsPolicy") not in _DNS:
        causes.append(not_supported(f"{field}.dnsPolicy", spec.get("dnsPolicy"), _DNS))
    if spec.get("serviceAccountName"):
        causes += subdomain(f"{field}.serviceAccountName", spec["serviceAccountName"])
    causes += labels(f"{field}.nodeSelector", spec.get("nodeSelector"))
    causes += _tolerations(f"{field}.tolerations", spec.get("tolerations") or ())
    causes += _affinity(f"{field}.affinity", spec.get("affinity") or {})
    return causes + _spread(f"{field}.topologySpreadConstraints", spec.get("topologySpreadConstraints") or ())


def _volumes(field: str, volumes: Any) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        where, name = f"{field}[{index}]", volume.get("name") or ""
        kinds = [kind for kind, source in volume.items() if kind != "name" and source is not None]
        kinds.sort(key=lambda kind: (kind != "emptyDir", kind != "hostPath", kind != "secret"))
        for kind in kinds[1:]:
            causes.append(forbidden_field(f"{where}.{kind}", "may not specify more than 1 volume type"))
        for kind in kinds[:1]:
            if kind in _NEEDED and not volume[kind].get(_NEEDED[kind]):
                causes.append(required(f"{where}.{kind}.{_NEEDED[kind]}"))
            for number, item in enumerate(volume[kind].get("items") or () if kind in ("configMap", "secret") else ()):
                place = f"{where}.{kind}.items[{number}]"
                causes += [required(f"{place}.{part}") for part in ("key", "path") if not item.get(part)]
        if not name:
            causes.append(required(f"{where}.name"))
        elif name in seen:
            causes.append(duplicate(f"{where}.name", name))
        else:
            causes += label_name(f"{where}.name", name)
        seen.add(name)
    return causes


def _tolerations(field: str, tolerations: Any) -> list[Cause]:
    causes: list[Cause] = []
    for index, one in enumerate(tolerations):
        where, operator, key = f"{field}[{index}]", one.get("operator") or "Equal", one.get("key") or ""
        if key:
            causes += qualified_name(f"{where}.key", key)
        elif operator != "Exists":
            text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            causes.append(invalid_value(f"{where}.operator", operator, text))
        if one.get("tolerationSeconds") is not None and one.get("effect") != "NoExecute":
            text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            causes.append(invalid_value(f"{where}.effect", one.get("effect", ""), text))
        if operator == "Exists" and one.get("value"):
            text = "value must be empty when `operator` is 'Exists'"
            causes.append(invalid_value(f"{where}.operator", one["value"], text))
        elif operator == "Equal":
            causes += labels(f"{where}.operator", {"key": one.get("value") or ""})
        elif operator not in ("Equal", "Exists"):
            causes.append(not_supported(f"{where}.operator", operator, ["Equal", "Exists"]))
        if one.get("effect") and one["effect"] not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
            allowed = ["NoSchedule", "PreferNoSchedule", "NoExecute"]
            causes.append(not_supported(f"{where}.effect", one["effect"], allowed))
    return causes


def _affinity(field: str, affinity: Json) -> list[Cause]:
    causes: list[Cause] = []
    for kind in _AFFINITIES:
        for index, term in enumerate((affinity.get(kind) or {}).get(_REQUIRED_TERMS) or ()):
            where = f"{field}.{kind}.{_REQUIRED_TERMS}[{index}].topologyKey"
            key = term.get("topologyKey") or ""
            if not key:
                causes += [required(where, "can not be empty"), invalid_value(where, "", "name part must be non-empty")]
            causes += qualified_name(where, key)
    return causes


def _spread(field: str, constraints: Any) -> list[Cause]:
    causes: list[Cause] = []
    for index, one in enumerate(constraints):
        where, way = f"{field}[{index}]", one.get("whenUnsatisfiable")
        if (one.get("maxSkew") or 0) <= 0:
            causes.append(invalid_value(f"{where}.maxSkew", one.get("maxSkew", 0), "must be greater than zero"))
        if not one.get("topologyKey"):
            causes.append(required(f"{where}.topologyKey", "can not be empty"))
        if way not in ("DoNotSchedule", "ScheduleAnyway"):
            causes.append(not_supported(f"{where}.whenUnsatisfiable", way, ["DoNotSchedule", "ScheduleAnyway"]))
    return causes

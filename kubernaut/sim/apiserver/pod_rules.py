"""What the spec of a pod must be like, in a pod or in a template.

Source: k8s.io/kubernetes/pkg/apis/core/validation
"""

from __future__ import annotations

from typing import Any

from kubernaut.sim.apiserver import quantity
from kubernaut.sim.apiserver.naming import label_name
from kubernaut.sim.apiserver.status import (
    Cause,
    Json,
    duplicate,
    invalid_value,
    not_found_cause,
    not_supported,
    required,
)


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

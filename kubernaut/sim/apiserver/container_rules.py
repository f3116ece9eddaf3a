"""What a container must be like: names, images, resources, ports, variables, mounts and probes.

Source: k8s.io/kubernetes/pkg/apis/core/validation
"""

from __future__ import annotations

import re
from typing import Any

from kubernaut.sim.apiserver import quantity
from kubernaut.sim.apiserver.naming import config_key, label_name, subdomain
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

_PORT_TEXT = "must be between 1 and 65535, inclusive"
_NOT_NEGATIVE = "must be greater than or equal to 0"
_STANDARD = ("cpu", "memory", "ephemeral-storage")
_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations", "spec.nodeName",
    "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS = ("postStart", "preStop")
_LAST_ID = 2**31 - 1


def containers(
    field: str, found: list[Json], volumes: set[str], *, taken: set[str] | None = None, template: bool
) -> list[Cause]:
    """What is wrong with a list of containers.

    Args:
        volumes: names of the pod's volumes.
        taken: names that containers of another list have.
        template: of a workload, where fewer rules hold than in a pod.
    """
    causes: list[Cause] = []
    seen = set(taken or ())
    for index, container in enumerate(found):
        where = f"{field}[{index}]"
        name = container.get("name") or ""
        if not name:
            causes.append(required(f"{where}.name"))
        elif name in seen:
            causes.append(duplicate(f"{where}.name", name))
        else:
            causes += label_name(f"{where}.name", name)
        seen.add(name)
        causes += _image(where, container, template=template)
        causes += _resources(f"{where}.resources", container.get("resources") or {})
        causes += _ports(f"{where}.ports", container.get("ports") or ())
        causes += _variables(where, container)
        causes += _mounts(f"{where}.volumeMounts", container.get("volumeMounts") or (), volumes)
        for kind in _PROBES:
            if container.get(kind) is not None:
                causes += _probe(f"{where}.{kind}", container[kind], ready=kind == "readinessProbe")
        for kind, hook in (container.get("lifecycle") or {}).items():
            if kind in _HOOKS and hook is not None:
                causes += _handler(f"{where}.lifecycle.{kind}", hook, (*_HANDLERS[:3], "sleep"))
        causes += _identity(f"{where}.securityContext", container.get("securityContext") or {})
    return causes


def port_name(field: str, name: str) -> list[Cause]:
    """A name as IANA registers services; every rule that it breaks is told."""
    rules = (
        (len(name) <= 15, "must be no more than 15 characters"),
        (re.fullmatch(r"[-a-z0-9]+", name), "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
        (re.search(r"[a-z]", name), "must contain at least one letter (a-z)"),
        ("--" not in name, "must not contain consecutive hyphens"),
        (not name.startswith("-") and not name.endswith("-"), "must not begin or end with a hyphen"),
    )
    return [invalid_value(field, name, text) for holds, text in rules if not holds]


def port_number(field: str, number: Any) -> list[Cause]:
    return [] if isinstance(number, int) and 0 < number < 65536 else [invalid_value(field, number or 0, _PORT_TEXT)]


def _image(where: str, container: Json, *, template: bool) -> list[Cause]:
    image, policy, last = container.get("image") or "", container.get("imagePullPolicy"), "terminationMessagePolicy"
    causes: list[Cause] = []
    if not image.strip():
        causes.append(required(f"{where}.image"))
    elif image != image.strip() and not template:
        causes.append(invalid_value(f"{where}.image", image, "must not have leading or trailing whitespace"))
    if policy not in ("Always", "IfNotPresent", "Never"):
        causes.append(not_supported(f"{where}.imagePullPolicy", policy, ["Always", "IfNotPresent", "Never"]))
    if container.get(last) not in ("File", "FallbackToLogsOnError"):
        causes.append(not_supported(f"{where}.{last}", container.get(last), ["File", "FallbackToLogsOnError"]))
    return causes


def _resources(field: str, wanted: Json) -> list[Cause]:
    causes: list[Cause] = []
    limits, requests = wanted.get("limits") or {}, wanted.get("requests") or {}
    for part, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            causes += _amount(f"{field}.{part}[{name}]", name, amount)
    for name, amount in requests.items():
        if name in limits and quantity.parse(amount) > quantity.parse(limits[name]):
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            causes.append(invalid_value(f"{field}.requests", amount, text))
    return causes


def _amount(where: str, name: str, amount: str) -> list[Cause]:
    if "/" in name:
        whole = quantity.parse(amount) == int(quantity.parse(amount))
        return [] if whole else [invalid_value(where, amount, "must be an integer")]
    if name not in _STANDARD and not name.startswith("hugepages-"):
        texts = ("must be a standard resource type or fully qualified", "must be a standard resource for containers")
        return [invalid_value(where, name, text) for text in texts]
    return [invalid_value(where, amount, _NOT_NEGATIVE)] if quantity.parse(amount) < 0 else []


def _ports(field: str, ports: Any) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        where, name, number = f"{field}[{index}]", port.get("name"), port.get("containerPort")
        if name:
            causes += [duplicate(f"{where}.name", name)] if name in names else port_name(f"{where}.name", name)
            names.add(name)
        causes += port_number(f"{where}.containerPort", number) if number else [required(f"{where}.containerPort")]
        if port.get("hostPort"):
            causes += port_number(f"{where}.hostPort", port["hostPort"])
        if port.get("protocol") not in ("SCTP", "TCP", "UDP"):
            causes.append(not_supported(f"{where}.protocol", port.get("protocol"), ["SCTP", "TCP", "UDP"]))
    return causes


def _variables(where: str, container: Json) -> list[Cause]:
    causes: list[Cause] = []
    for index, variable in enumerate(container.get("env") or ()):
        if not variable.get("name"):
            causes.append(required(f"{where}.env[{index}].name"))
        if variable.get("valueFrom") is not None:
            causes += _source(f"{where}.env[{index}].valueFrom", variable)
    for index, source in enumerate(container.get("envFrom") or ()):
        given = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
        for kind in given[:1]:
            name, place = source[kind].get("name"), f"{where}.envFrom[{index}].{kind}.name"
            causes += subdomain(place, name) if name else [required(place)]
        if not given:
            text = "must specify one of: `configMapRef` or `secretRef`"
            causes.append(invalid_value(f"{where}.envFrom", "", text))
        elif len(given) > 1:
            text = "may not have more than one field specified at a time"
            causes.append(invalid_value(f"{where}.envFrom", "", text))
    return causes


def _source(where: str, variable: Json) -> list[Cause]:
    source = variable["valueFrom"]
    given = [kind for kind in _SOURCES if source.get(kind) is not None]
    causes: list[Cause] = []
    if not given:
        listed = ", ".join(f"`{kind}`" for kind in _SOURCES[:-1]) + f" or `{_SOURCES[-1]}`"
        causes.append(invalid_value(where, "", f"must specify one of: {listed}"))
    elif variable.get("value"):
        causes.append(invalid_value(where, "", "may not be specified when `value` is not empty"))
    elif len(given) > 1:
        causes.append(invalid_value(where, "", "may not have more than one field specified at a time"))
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if kind in given:
            causes += subdomain(f"{where}.{kind}.name", source[kind].get("name") or "")
            key = source[kind].get("key")
            causes += config_key(f"{where}.{kind}.key", key) if key else [required(f"{where}.{kind}.key")]
    path = (source.get("fieldRef") or {}).get("fieldPath", "")
    if "fieldRef" in given and re.sub(r"\['[^']*'\]$", "", path) not in _FIELDS:
        text = f"error converting fieldPath: field label not supported: {path}"
        causes.append(invalid_value(f"{where}.fieldRef.fieldPath", path, text))
    return causes


def _mounts(field: str, mounts: Any, volumes: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    paths: set[str] = set()
    for index, mount in enumerate(mounts):
        where, path = f"{field}[{index}]", mount.get("mountPath")
        if not path:
            causes.append(required(f"{where}.mountPath"))
        elif path in paths:
            causes.append(invalid_value(f"{where}.mountPath", path, "must be unique"))
        paths.add(path)
        if mount.get("name") not in volumes:
            causes.append(not_found_cause(f"{where}.name", mount.get("name", "")))
    return causes


def _probe(where: str, probe: Json, *, ready: bool) -> list[Cause]:
    causes = _handler(where, probe, _HANDLERS)
    for name in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        if (probe.get(name) or 0) < 0:
            causes.append(invalid_value(f"{where}.{name}", probe[name], _NOT_NEGATIVE))
    if not ready and probe.get("successThreshold", 1) not in (0, 1):
        causes.append(invalid_value(f"{where}.successThreshold", probe["successThreshold"], "must be 1"))
    return causes


def _handler(where: str, handler: Json, kinds: tuple[str, ...]) -> list[Cause]:
    """What a probe asks or a hook does: exactly one of these."""
    given = [kind for kind in kinds if handler.get(kind) is not None]
    causes = [] if given else [required(where, "must specify a handler type")]
    for kind in given[1:]:
        causes.append(forbidden_field(f"{where}.{kind}", "may not specify more than 1 handler type"))
    for kind in given[:1]:
        if kind == "exec" and not handler[kind].get("command"):
            causes.append(required(f"{where}.exec.command"))
        number = handler[kind].get("port")
        if isinstance(number, str):
            causes += port_name(f"{where}.{kind}.port", number)
        elif kind in ("httpGet", "tcpSocket", "grpc"):
            causes += port_number(f"{where}.{kind}.port", number)
    return causes


def _identity(field: str, context: Json) -> list[Cause]:
    text = f"must be between 0 and {_LAST_ID}, inclusive"
    return [
        invalid_value(f"{field}.{name}", context[name], text)
        for name in ("runAsUser", "runAsGroup")
        if context.get(name) is not None and not 0 <= context[name] <= _LAST_ID
    ]

"""What leads traffic to pods, or keeps it from them, must be like.

Source: k8s.io/kubernetes/pkg/apis/{core,networking}/validation
"""

from __future__ import annotations

import ipaddress

from kubernaut.sim.apiserver.container_rules import port_name, port_number
from kubernaut.sim.apiserver.naming import label_name, label_selector, labels, subdomain
from kubernaut.sim.apiserver.status import Cause, Json, duplicate, invalid_value, not_supported, required

_TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
_IP_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def service(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    ports = spec.get("ports") or []
    causes: list[Cause] = []
    if not ports and spec.get("clusterIP") != "None" and spec["type"] != "ExternalName":
        causes.append(required("spec.ports"))
    if spec["type"] == "ExternalName" and not spec.get("externalName"):
        causes.append(required("spec.externalName"))
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        causes += _port(f"spec.ports[{index}]", port, several=len(ports) > 1)
        key = (port.get("protocol", "TCP"), port.get("port") or 0)
        if key in seen:
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            causes.append(duplicate(f"spec.ports[{index}]", shown))
        seen.add(key)
    causes += labels("spec.selector", spec.get("selector"))
    if spec.get("sessionAffinity") not in ("ClientIP", "None"):
        causes.append(not_supported("spec.sessionAffinity", spec.get("sessionAffinity"), ["ClientIP", "None"]))
    if spec["type"] not in _TYPES:
        causes.append(not_supported("spec.type", spec["type"], _TYPES))
    address = spec.get("clusterIP") or ""
    if address not in ("", "None") and not _is_address(address):
        causes.append(invalid_value("spec.clusterIPs[0]", address, _IP_TEXT))
    return causes


def _port(where: str, port: Json, *, several: bool) -> list[Cause]:
    causes: list[Cause] = []
    if several and not port.get("name"):
        causes.append(required(f"{where}.name"))
    elif port.get("name"):
        causes += label_name(f"{where}.name", port["name"])
    causes += port_number(f"{where}.port", port.get("port"))
    target = port.get("targetPort")
    if isinstance(target, str):
        causes += port_name(f"{where}.targetPort", target)
    elif target:
        causes += port_number(f"{where}.targetPort", target)
    return causes


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def ingress(obj: Json) -> list[Cause]:
    spec = obj.get("spec") or {}
    if not spec.get("rules") and not spec.get("defaultBackend"):
        return [invalid_value("spec", None, "either `defaultBackend` or `rules` must be specified")]
    causes: list[Cause] = []
    for index, rule in enumerate(spec.get("rules") or ()):
        where = f"spec.rules[{index}]"
        if rule.get("host"):
            causes += subdomain(f"{where}.host", rule["host"].removeprefix("*."))
        for place, path in enumerate((rule.get("http") or {}).get("paths") or ()):
            causes += _path(f"{where}.http.paths[{place}]", path)
    return causes


def _path(where: str, path: Json) -> list[Cause]:
    kind = path.get("pathType")
    kinds = ["Exact", "ImplementationSpecific", "Prefix"]
    if kind is None:
        return [required(f"{where}.pathType", "pathType must be specified")]
    if kind not in kinds:
        return [not_supported(f"{where}.pathType", kind, kinds)]
    if kind != "ImplementationSpecific" and not (path.get("path") or "").startswith("/"):
        return [invalid_value(f"{where}.path", path.get("path", ""), "must be an absolute path")]
    return []


def network_policy(obj: Json) -> list[Cause]:
    return label_selector("spec.podSelector", obj["spec"].get("podSelector"))

"""Columns of nodes, events, services, configuration and rights.

Source: k8s.io/kubernetes/pkg/printers/internalversion/printers.go
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.tables.cells import AGE, NAME, Column, age, at, shown_labels, shown_selector


def _node_status(node: Json, now: datetime) -> str:
    conditions = {item["type"]: item["status"] for item in (node.get("status") or {}).get("conditions") or ()}
    shown = {"True": "Ready", None: "Unknown"}.get(conditions.get("Ready"), "NotReady")
    return shown + (",SchedulingDisabled" if node["spec"].get("unschedulable") else "")


def _roles(node: Json, now: datetime) -> str:
    labels = node["metadata"].get("labels") or {}
    prefix = "node-role.kubernetes.io/"
    roles = {key.removeprefix(prefix) for key in labels if key.startswith(prefix) and key != prefix}
    if labels.get("kubernetes.io/role"):
        roles.add(labels["kubernetes.io/role"])
    return ",".join(sorted(roles)) or "<none>"


def _address(kind: str) -> Any:
    def cell(node: Json, now: datetime) -> str:
        addresses = (node.get("status") or {}).get("addresses") or ()
        return next((item["address"] for item in addresses if item["type"] == kind), "<none>")

    return cell


def _kernel(node: Json, now: datetime) -> str:
    info = (node.get("status") or {}).get("nodeInfo") or {}
    kernel, architecture = info.get("kernelVersion") or "<unknown>", info.get("architecture")
    return f"{kernel} ({architecture})" if architecture else kernel


def _hosts(ingress: Json, now: datetime) -> str:
    """The first three, and how many more."""
    hosts = [rule["host"] for rule in ingress["spec"].get("rules") or () if rule.get("host")]
    if not hosts:
        return "*"
    return ",".join(hosts[:3]) + (f" + {len(hosts) - 3} more..." if len(hosts) > 3 else "")


def _balanced(ingress: Json, now: datetime) -> str:
    points = ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return ",".join(sorted(point.get("ip") or point.get("hostname") or "" for point in points))


def _last_seen(event: Json, now: datetime) -> str:
    series = (event.get("series") or {}).get("lastObservedTime")
    when = series or event.get("lastTimestamp") or event.get("eventTime")
    return age(when, now) if when else "<unknown>"


def _first_seen(event: Json, now: datetime) -> str:
    when = event.get("firstTimestamp") or event.get("eventTime")
    return age(when, now) if when else "<unknown>"


def _event_object(event: Json, now: datetime) -> str:
    about = event.get("involvedObject") or {}
    kind, name = str(about.get("kind", "")).lower(), about.get("name", "")
    return f"{kind}/{name}" if name else kind


def _event_source(event: Json, now: datetime) -> str:
    source = event.get("source") or {}
    name, host = source.get("component") or event.get("reportingComponent") or "", source.get("host") or ""
    return f"{name}, {host}" if host else str(name)


def _event_count(event: Json, now: datetime) -> str:
    return str((event.get("series") or {}).get("count") or event.get("count") or 1)


def _ports(service: Json, now: datetime) -> str:
    shown = []
    for port in service["spec"].get("ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(shown) or "<none>"


def _endpoints(obj: Json, now: datetime) -> str:
    shown = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets") or ()
        for address in subset.get("addresses") or ()
        for port in subset.get("ports") or ()
    ]
    if not shown:
        return "<none>"
    return ",".join(shown[:3]) + (f" + {len(shown) - 3} more..." if len(shown) > 3 else "")


def _slice_endpoints(obj: Json, now: datetime) -> str:
    shown = [address for one in obj.get("endpoints") or () for address in one.get("addresses") or ()]
    return ",".join(shown[:3]) + (f" + {len(shown) - 3} more..." if len(shown) > 3 else "") if shown else "<unset>"


def _count(*paths: str) -> Any:
    return lambda obj, now: sum(len(obj.get(path) or ()) for path in paths)


def _quota(part: str) -> Any:
    def cell(obj: Json, now: datetime) -> str:
        status = obj.get("status") or {}
        hard, used = status.get("hard") or {}, status.get("used") or {}
        wanted = [name for name in sorted(hard) if name.startswith("limits.") == (part == "limits")]
        return ", ".join(f"{name}: {used.get(name, 0)}/{hard[name]}" for name in wanted)

    return cell


def _subjects(kind: str) -> Any:
    def cell(obj: Json, now: datetime) -> str:
        found = [item for item in obj.get("subjects") or () if item["kind"] == kind]
        if kind == "ServiceAccount":
            return ", ".join(f"{item.get('namespace', '')}/{item['name']}" for item in found)
        return ", ".join(item["name"] for item in found)

    return cell


def _metric(spec: Json, status: Json) -> str:
    name = spec["type"][0].lower() + spec["type"][1:]
    target = (spec.get(name) or {}).get("target") or {}
    current = (status.get(name) or {}).get("current") or {}
    label = f"{spec[name]['name']}: " if spec["type"] == "Resource" else ""
    if target.get("averageUtilization") is not None:
        now = current.get("averageUtilization")
        return f"{label}{'<unknown>' if now is None else f'{now}%'}/{target['averageUtilization']}%"
    wanted = target.get("averageValue") or target.get("value")
    return f"{label}{current.get('averageValue') or current.get('value') or '<unknown>'}/{wanted}"


def _targets(obj: Json, now: datetime) -> str:
    current = (obj.get("status") or {}).get("currentMetrics") or []
    shown = [
        _metric(spec, current[index] if index < len(current) else {})
        for index, spec in enumerate(obj["spec"].get("metrics") or ())
    ]
    return ", ".join(shown[:2]) + (f" + {len(shown) - 2} more..." if len(shown) > 2 else "") or "<none>"


def _reference(obj: Json, now: datetime) -> str:
    target = obj["spec"]["scaleTargetRef"]
    return f"{target['kind']}/{target['name']}"


_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(path: str) -> Any:
    return lambda obj, now: ",".join(_MODES.get(mode, mode) for mode in at(path, [])(obj, now))


def _claim(obj: Json, now: datetime) -> str:
    claim = obj["spec"].get("claimRef")
    return f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""


_BINDING = (
    NAME,
    Column("Role", lambda obj, now: f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"),
    AGE,
    Column("Users", _subjects("User"), priority=1),
    Column("Groups", _subjects("Group"), priority=1),
    Column("ServiceAccounts", _subjects("ServiceAccount"), priority=1),
)
_CREATED_AT = Column("Created At", at("metadata.creationTimestamp"), type="date")
_RBAC = "rbac.authorization.k8s.io"

CLUSTER: dict[str, tuple[Column, ...]] = {
    "nodes": (
        NAME,
        Column("Status", _node_status),
        Column("Roles", _roles),
        AGE,
        Column("Version", at("status.nodeInfo.kubeletVersion")),
        Column("Internal-IP", _address("InternalIP"), priority=1),
        Column("External-IP", _address("ExternalIP"), priority=1),
        Column("OS-Image", at("status.nodeInfo.osImage", "<unknown>"), priority=1),
        Column("Kernel-Version", _kernel, priority=1),
        Column("Container-Runtime", at("status.nodeInfo.containerRuntimeVersion", "<unknown>"), priority=1),
    ),
    "ingresses.networking.k8s.io": (
        NAME,
        Column("Class", at("spec.ingressClassName", "<none>")),
        Column("Hosts", _hosts),
        Column("Address", _balanced),
        Column("Ports", lambda obj, now: "80, 443" if obj["spec"].get("tls") else "80"),
        AGE,
    ),
    "namespaces": (NAME, Column("Status", at("status.phase")), AGE),
    "events": (
        Column("Last Seen", _last_seen),
        Column("Type", at("type")),
        Column("Reason", at("reason")),
        Column("Object", _event_object),
        Column("Subobject", at("involvedObject.fieldPath"), priority=1),
        Column("Source", _event_source, priority=1),
        Column("Message", lambda obj, now: str(obj.get("message", "")).strip()),
        Column("First Seen", _first_seen, priority=1),
        Column("Count", _event_count, priority=1),
        Column("Name", lambda obj, now: obj["metadata"]["name"], format="name", priority=1),
    ),
    "services": (
        NAME,
        Column("Type", at("spec.type")),
        Column("Cluster-IP", at("spec.clusterIP", "<none>")),
        Column("External-IP", lambda obj, now: ",".join(obj["spec"].get("externalIPs") or ()) or "<none>"),
        Column("Port(s)", _ports),
        AGE,
        Column("Selector", lambda obj, now: shown_labels(obj["spec"].get("selector")), priority=1),
    ),
    "endpoints": (NAME, Column("Endpoints", _endpoints), AGE),
    "endpointslices.discovery.k8s.io": (
        NAME,
        Column("AddressType", at("addressType")),
        Column("Ports", lambda obj, now: ",".join(str(one.get("port")) for one in obj.get("ports") or ()) or "<unset>"),
        Column("Endpoints", _slice_endpoints),
        AGE,
    ),
    "configmaps": (NAME, Column("Data", _count("data", "binaryData")), AGE),
    "secrets": (NAME, Column("Type", at("type")), Column("Data", _count("data")), AGE),
    "serviceaccounts": (NAME, AGE),
    "resourcequotas": (NAME, Column("Request", _quota("requests")), Column("Limit", _quota("limits")), AGE),
    "limitranges": (NAME, Column("Created At", at("metadata.creationTimestamp"))),
    "persistentvolumes": (
        NAME,
        Column("Capacity", at("spec.capacity.storage")),
        Column("Access Modes", _modes("spec.accessModes")),
        Column("Reclaim Policy", at("spec.persistentVolumeReclaimPolicy")),
        Column("Status", at("status.phase")),
        Column("Claim", _claim),
        Column("StorageClass", at("spec.storageClassName")),
        Column("VolumeAttributesClass", at("spec.volumeAttributesClassName", "<unset>")),
        Column("Reason", at("status.reason")),
        AGE,
        Column("VolumeMode", at("spec.volumeMode", "<unset>"), priority=1),
    ),
    "persistentvolumeclaims": (
        NAME,
        Column("Status", at("status.phase")),
        Column("Volume", at("spec.volumeName")),
        Column("Capacity", at("status.capacity.storage")),
        Column("Access Modes", _modes("status.accessModes")),
        Column("StorageClass", at("spec.storageClassName")),
        Column("VolumeAttributesClass", at("spec.volumeAttributesClassName", "<unset>")),
        AGE,
        Column("VolumeMode", at("spec.volumeMode", "<unset>"), priority=1),
    ),
    "horizontalpodautoscalers.autoscaling": (
        NAME,
        Column("Reference", _reference),
        Column("Targets", _targets),
        Column("MinPods", lambda obj, now: str(obj["spec"].get("minReplicas", "<unset>"))),
        Column("MaxPods", at("spec.maxReplicas"), type="integer"),
        Column("Replicas", at("status.currentReplicas", 0), type="integer"),
        AGE,
    ),
    "poddisruptionbudgets.policy": (
        NAME,
        Column("Min Available", lambda obj, now: str(obj["spec"].get("minAvailable", "N/A"))),
        Column("Max Unavailable", lambda obj, now: str(obj["spec"].get("maxUnavailable", "N/A"))),
        Column("Allowed Disruptions", at("status.disruptionsAllowed", 0), type="integer"),
        AGE,
    ),
    "networkpolicies.networking.k8s.io": (
        NAME,
        Column("Pod-Selector", lambda obj, now: shown_selector((obj.get("spec") or {}).get("podSelector"))),
        AGE,
    ),
    "leases.coordination.k8s.io": (NAME, Column("Holder", at("spec.holderIdentity")), AGE),
    f"roles.{_RBAC}": (NAME, _CREATED_AT),
    f"clusterroles.{_RBAC}": (NAME, _CREATED_AT),
    f"rolebindings.{_RBAC}": _BINDING,
    f"clusterrolebindings.{_RBAC}": _BINDING,
    "customresourcedefinitions.apiextensions.k8s.io": (
        NAME,
        Column("Created At", at("metadata.creationTimestamp"), type="date"),
    ),
    "storageclasses.storage.k8s.io": (NAME, Column("Provisioner", at("provisioner")), AGE),
    "priorityclasses.scheduling.k8s.io": (NAME, Column("Value", at("value", 0), type="integer"), AGE),
}

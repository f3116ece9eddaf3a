"""How a node tells that its hardware fails: conditions of node-problem-detector and of clouds, and events of its components.

Conditions come in both senses, `KernelDeadlock: True` and `StorageReady: True`; only those whose name speaks of a part that is
broken count.
"""

import re

from kubernaut.domain.facts import Object

from .case import Case

STANDARD = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
_PART = re.compile(
    r"disk|filesystem|storage|drive|nvme|smart|memory|ecc|cpu|kernel|hardware|xfs|ext4|mce|machinecheck", re.I
)
_BROKEN = re.compile(r"fail|error|deadlock|read-?only|corrupt|bad|fault|degraded|shutdown|uncorrect|problem", re.I)
_WELL = re.compile(r"healthy|ok$|good$|^no[A-Z]|sufficient", re.I)
_HARDWARE_REASONS = re.compile(
    r"^(IOError|Ext4Error|Ext4Warning|XfsHasShutDown|DiskError|BadDisk|FilesystemIsReadOnly|MemoryReadError|CperHardware\w*"
    r"|KernelOops|MCE\w*|MachineCheck\w*|EDAC\w*|Nvme\w*|UncorrectableError|HardwareError)$"
)
_NODE_COMPONENTS = re.compile(r"kubelet|kernel|node|problem|detector|monitor|abrt|smart|health", re.I)


def broken_parts(node: Object) -> list[dict[str, str]]:
    """Conditions by which the node tells of failing hardware or a broken kernel."""
    found = []
    for told in (node.get("status") or {}).get("conditions") or ():
        kind = str(told.get("type", ""))
        speaks = kind not in STANDARD and not _WELL.search(kind) and _PART.search(kind) and _BROKEN.search(kind)
        if told.get("status") == "True" and speaks:
            found.append({str(k): str(v) for k, v in told.items()})
    return found


def hardware_events(case: Case, node: Object) -> list[Object]:
    """Recent events of a node by which a component of it tells of failing hardware."""
    told = case.events(node)
    return [e for e in told if _HARDWARE_REASONS.match(str(e.get("reason", ""))) and by_a_component(e)]


def by_a_component(event: Object) -> bool:
    """Whether a component of a node or the control plane recorded an event, and no stranger."""
    component = (event.get("source") or {}).get("component") or event.get("reportingComponent") or ""
    return bool(_NODE_COMPONENTS.search(str(component)))

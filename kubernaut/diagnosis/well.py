"""Whether what a signal was about is well again: shown by facts, never by the absence of findings.

Alerts lag behind: they go on for minutes after their cause is mended, and repeats arrive late. Where the facts show that
the very state which the signal told of is over, nobody has to be called; where they don't, silence proves nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from kubernaut.domain.facts import Object, Snapshot
from kubernaut.domain.resources import WORKLOADS
from kubernaut.domain.signals import FailureFamily

from .case import Case
from .objects import condition, containers_of, name_of, pod_ready
from .units import moment

_OF_PODS = frozenset(
    {
        FailureFamily.CRASH_LOOP, FailureFamily.IMAGE_PULL, FailureFamily.CONFIG_ERROR, FailureFamily.PODS_NOT_READY,
        FailureFamily.POD_NOT_READY,
    }
)  # fmt: skip
_OF_NODES = frozenset({FailureFamily.NODE_NOT_READY, FailureFamily.NODE_PRESSURE})
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")


@dataclass(frozen=True, slots=True)
class Well:
    """What is well, in a few words, and since when without a break."""

    text: str
    since: datetime


def well(snapshot: Snapshot, failure_class: str) -> Well | None:
    """What is well again of what a signal of this family was about; None where the facts don't show it.

    Args:
        failure_class: the signal's family. Only states that pods or a node show can be seen to be over.
    """
    case = Case(snapshot)
    if snapshot.target.kind == "Node" and failure_class in _OF_NODES and "Flapping" not in snapshot.signal:
        return _node(snapshot.root)
    if snapshot.target.kind in WORKLOADS and failure_class in _OF_PODS and not case.lacks("pods of", "replicasets of"):
        return _workload(case)
    return None


def _workload(case: Case) -> Well | None:
    """Every replica that is wanted is of the newest revision, ready and without a container that waits."""
    root = case.snapshot.root
    if root is None or not _rolled_out(root):
        return None
    status = root.get("status") or {}
    wanted = (root.get("spec") or {}).get("replicas", status.get("desiredNumberScheduled", 1))
    ready = status.get("readyReplicas", status.get("numberReady", 0)) or 0
    if not wanted or ready < wanted or len(case.pods) < wanted or any(map(_ailing, case.pods)):
        return None
    times = [moment(condition(pod, "Ready").get("lastTransitionTime")) for pod in case.pods]
    times += [c.running_since for pod in case.pods for c in containers_of(pod) if not c.init]
    known = [at for at in times if at is not None]
    return Well(f"{name_of(root)}: {ready}/{wanted} ready", max(known)) if len(known) == len(times) else None


def _ailing(pod: Object) -> bool:
    return not pod_ready(pod) or any(c.waiting or not (c.init or c.running) for c in containers_of(pod))


def _rolled_out(workload: Object) -> bool:
    meta, status = workload["metadata"], workload.get("status") or {}
    if (status.get("observedGeneration") or 0) < (meta.get("generation") or 0):
        return False
    if workload["kind"] != "Deployment":
        return True
    replicas, updated = status.get("replicas") or 0, status.get("updatedReplicas") or 0
    late = condition(workload, "Progressing").get("reason") == "ProgressDeadlineExceeded"
    return replicas == updated and not status.get("unavailableReplicas") and not late


def _node(node: Object | None) -> Well | None:
    if node is None or condition(node, "Ready").get("status") != "True":
        return None
    pressures = [condition(node, kind) for kind in _PRESSURES]
    if any(pressure.get("status") not in (None, "False") for pressure in pressures):
        return None
    times = [moment(c.get("lastTransitionTime")) for c in (condition(node, "Ready"), *pressures) if c]
    known = [at for at in times if at is not None]
    return Well(f"{name_of(node)}: Ready, no pressure", max(known)) if len(known) == len(times) else None

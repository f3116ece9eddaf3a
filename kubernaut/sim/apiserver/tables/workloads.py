"""Columns of pods and of what makes pods.

Source: k8s.io/kubernetes/pkg/printers/internalversion/printers.go
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubernaut.sim.apiserver.clock import parse_time
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.tables.cells import (
    AGE,
    NAME,
    Column,
    age,
    at,
    human_duration,
    shown_labels,
    shown_selector,
)


def _container_statuses(pod: Json, part: str = "containerStatuses") -> list[Json]:
    return (pod.get("status") or {}).get(part) or []


def _pod_ready(pod: Json, now: datetime) -> str:
    ready = sum(
        1
        for one in _container_statuses(pod)
        if one.get("ready") and (one.get("state") or {}).get("running") is not None
    )
    return f"{ready}/{len(pod['spec']['containers'])}"


def pod_reason(pod: Json) -> str:
    """The Status column: the most telling reason of pod and containers."""
    status = pod.get("status") or {}
    reason = status.get("reason") or status.get("phase") or "Unknown"
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    reason = _init_reason(pod) or _container_reason(pod, reason)
    if pod["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(reason)


def _init_reason(pod: Json) -> str:
    statuses = _container_statuses(pod, "initContainerStatuses")
    total = len(pod["spec"].get("initContainers") or ())
    for index, one in enumerate(statuses):
        state = one.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting")
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if ended is not None:
            return f"Init:{ended.get('reason') or 'ExitCode:' + str(ended.get('exitCode'))}"
        if waiting and waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{total}"
    return ""


def _container_reason(pod: Json, reason: str) -> str:
    running = False
    for one in reversed(_container_statuses(pod)):
        state = one.get("state") or {}
        waiting, ended = state.get("waiting"), state.get("terminated")
        if waiting and waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None and ended.get("reason"):
            reason = ended["reason"]
        elif ended is not None:
            signal = ended.get("signal")
            reason = f"Signal:{signal}" if signal else f"ExitCode:{ended.get('exitCode')}"
        elif one.get("ready") and state.get("running") is not None:
            running = True
    if reason == "Completed" and running:
        conditions = (pod.get("status") or {}).get("conditions") or ()
        is_ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
        return "Running" if is_ready else "NotReady"
    return reason


def _restarts(pod: Json, now: datetime) -> str:
    statuses = _container_statuses(pod)
    count = sum(one.get("restartCount", 0) for one in statuses)
    ends = [
        ended["finishedAt"]
        for one in statuses
        if (ended := ((one.get("lastState") or {}).get("terminated"))) and ended.get("finishedAt")
    ]
    return f"{count} ({age(max(ends), now)} ago)" if count and ends else str(count)


def _gates(pod: Json, now: datetime) -> str:
    gates = pod["spec"].get("readinessGates") or ()
    if not gates:
        return "<none>"
    conditions = {item["type"]: item["status"] for item in (pod.get("status") or {}).get("conditions") or ()}
    return f"{sum(conditions.get(gate['conditionType']) == 'True' for gate in gates)}/{len(gates)}"


POD = (
    NAME,
    Column("Ready", _pod_ready),
    Column("Status", lambda obj, now: pod_reason(obj)),
    Column("Restarts", _restarts),
    AGE,
    Column("IP", at("status.podIP", "<none>"), priority=1),
    Column("Node", at("spec.nodeName", "<none>"), priority=1),
    Column("Nominated Node", at("status.nominatedNodeName", "<none>"), priority=1),
    Column("Readiness Gates", _gates, priority=1),
)


def _template(obj: Json) -> Json:
    spec = obj["spec"]
    template = spec.get("template") or ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    found: Json = template.get("spec") or {}
    return found


def _joined(key: str) -> Any:
    return lambda obj, now: ",".join(one.get(key, "") for one in _template(obj).get("containers") or ())


CONTAINERS = Column("Containers", _joined("name"), priority=1)
IMAGES = Column("Images", _joined("image"), priority=1)
SELECTOR = Column("Selector", lambda obj, now: shown_selector(obj["spec"].get("selector")), priority=1)


def _number(name: str, path: str) -> Column:
    return Column(name, at(path, 0), type="integer")


def _of_wanted(path: str) -> Any:
    return lambda obj, now: f"{at(path, 0)(obj, now)}/{obj['spec'].get('replicas', 0)}"


def _job_status(obj: Json, now: datetime) -> str:
    conditions = {
        item["type"] for item in (obj.get("status") or {}).get("conditions") or () if item["status"] == "True"
    }
    for kind, shown in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if kind in conditions:
            return shown
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return "FailureTarget" if "FailureTarget" in conditions else "Running"


def _job_completions(obj: Json, now: datetime) -> str:
    spec, done = obj["spec"], (obj.get("status") or {}).get("succeeded", 0)
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    parallel = spec.get("parallelism") or 0
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def _job_duration(obj: Json, now: datetime) -> str:
    status = obj.get("status") or {}
    if not status.get("startTime"):
        return ""
    end = parse_time(status["completionTime"]) if status.get("completionTime") else now
    return human_duration((end - parse_time(status["startTime"])).total_seconds())


WORKLOADS: dict[str, tuple[Column, ...]] = {
    "pods": POD,
    "deployments.apps": (
        NAME,
        Column("Ready", _of_wanted("status.readyReplicas")),
        Column("Up-to-date", at("status.updatedReplicas", 0)),
        Column("Available", at("status.availableReplicas", 0)),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    "replicasets.apps": (
        NAME,
        _number("Desired", "spec.replicas"),
        _number("Current", "status.replicas"),
        _number("Ready", "status.readyReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    "replicationcontrollers": (
        NAME,
        _number("Desired", "spec.replicas"),
        _number("Current", "status.replicas"),
        _number("Ready", "status.readyReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", lambda obj, now: shown_labels(obj["spec"].get("selector")), priority=1),
    ),
    "statefulsets.apps": (NAME, Column("Ready", _of_wanted("status.readyReplicas")), AGE, CONTAINERS, IMAGES),
    "daemonsets.apps": (
        NAME,
        _number("Desired", "status.desiredNumberScheduled"),
        _number("Current", "status.currentNumberScheduled"),
        _number("Ready", "status.numberReady"),
        _number("Up-to-date", "status.updatedNumberScheduled"),
        _number("Available", "status.numberAvailable"),
        Column("Node Selector", lambda obj, now: shown_labels(_template(obj).get("nodeSelector"))),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    "jobs.batch": (
        NAME,
        Column("Status", _job_status),
        Column("Completions", _job_completions),
        Column("Duration", _job_duration),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    "cronjobs.batch": (
        NAME,
        Column("Schedule", at("spec.schedule")),
        Column("Timezone", at("spec.timeZone", "<none>")),
        Column("Suspend", lambda obj, now: "True" if obj["spec"].get("suspend") else "False", type="boolean"),
        Column("Active", lambda obj, now: len((obj.get("status") or {}).get("active") or ()), type="integer"),
        Column(
            "Last Schedule",
            lambda obj, now: age(when, now) if (when := at("status.lastScheduleTime")(obj, now)) else "<none>",
        ),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", lambda obj, now: "<none>", priority=1),
    ),
}

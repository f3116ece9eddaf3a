"""Object state that means trouble, read from one object (and what it was before). Pure functions, no clock.

Each trouble has an occurrence: an identity that a relist, a restart of the daemon or a second replica gives it again, and
that a new occurrence of the same trouble does not have. It is made of the object's uid, the container, the reason and the
moment or count that the cluster itself recorded.

Source: pod and node lifecycle in the Kubernetes documentation; an out-of-memory kill makes no event of the pod and is only
in `lastState`, and exit code 137 alone is any SIGKILL.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubernaut.domain.facts import Object, ref_of
from kubernaut.domain.reading import count, entries, section
from kubernaut.domain.signals import FailureFamily, Signal, SignalSource, SignalStatus
from kubernaut.domain.values import Severity, digest

WAITING: Mapping[str, tuple[FailureFamily, Severity]] = {
    "CrashLoopBackOff": (FailureFamily.CRASH_LOOP, Severity.HIGH),
    "ImagePullBackOff": (FailureFamily.IMAGE_PULL, Severity.HIGH),
    "ErrImagePull": (FailureFamily.IMAGE_PULL, Severity.HIGH),
    "InvalidImageName": (FailureFamily.IMAGE_PULL, Severity.HIGH),
    "ErrImageNeverPull": (FailureFamily.IMAGE_PULL, Severity.HIGH),
    "CreateContainerConfigError": (FailureFamily.CONFIG_ERROR, Severity.HIGH),
    "CreateContainerError": (FailureFamily.CONFIG_ERROR, Severity.HIGH),
}
"""Reasons for which a container waits that do not pass by themselves."""

_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass(frozen=True, slots=True)
class Trouble:
    """A signal, and the episode it belongs to.

    Args:
        uid: the object's.
        episode: the same for every occurrence of one trouble of one object (each crash of a loop is an occurrence of
            the loop's episode).
    """

    uid: str
    episode: str
    signal: Signal


def signals(before: Object | None, after: Object | None, cluster: str) -> list[Signal]:
    """What is new in `after`: troubles whose occurrence `before` did not show."""
    if after is None:
        return []
    known = set() if before is None else {t.signal.occurrence for t in troubles(before, cluster)}
    return [t.signal for t in troubles(after, cluster) if t.signal.occurrence not in known]


def troubles(item: Object, cluster: str) -> list[Trouble]:
    """What is wrong with one object now, as far as that shows without waiting."""
    found = {"Pod": _pod, "Deployment": _deployment, "Node": _node}.get(item["kind"])
    if found is None or item["metadata"].get("deletionTimestamp"):
        return []
    return list(found(item, cluster))


def is_over(pod: Object) -> bool:
    """Whether the pod has ended for good; its object may stay for days."""
    return section(pod, "status").get("phase") in ("Succeeded", "Failed")


def pod_unready_since(pod: Object) -> datetime | None:
    """Since when a running pod is not ready; None while it is, or while being unready is what it should be.

    A pod on its way in (pending), on its way out (being deleted) or at its end is not wedged, nor is one whose container
    waits for a reason of `WAITING`, which is a trouble with a name of its own.
    """
    if pod["metadata"].get("deletionTimestamp") or section(pod, "status").get("phase") != "Running":
        return None
    if any(_waiting(c)[0] in WAITING for c in _containers(pod)):
        return None
    ready = condition(pod, "Ready")
    if ready is None or ready.get("status") == "True" or ready.get("reason") == "PodCompleted":
        return None
    starts = [moment(section(c, "state", "running").get("startedAt")) for c in _containers(pod)]
    times = [t for t in (moment(ready.get("lastTransitionTime")), *starts) if t is not None]
    return max(times, default=None)


def deployment_unavailable_since(deployment: Object) -> datetime | None:
    """Since when a Deployment that wants pods has fewer available than it must; None while it has enough.

    None, too, while a rollout makes progress: slow starters are no trouble before the progress deadline, and when that
    passes the Deployment says so itself.
    """
    progress = condition(deployment, "Progressing") or {}
    if progress.get("status") == "True" and progress.get("reason") != "NewReplicaSetAvailable":
        return None
    if not _wanted(deployment) or deployment["metadata"].get("deletionTimestamp"):
        return None
    available = condition(deployment, "Available")
    if available is None or available.get("status") != "False":
        return None
    return moment(available.get("lastTransitionTime"))


def pod_not_ready(pod: Object, cluster: str, since: datetime) -> Trouble:
    """One pod runs, but does not get ready."""
    waiting_for = condition(pod, "Ready") or {}
    return _trouble(
        pod,
        cluster,
        "PodNotReady",
        FailureFamily.POD_NOT_READY,
        Severity.WARNING,
        since,
        epoch=_stamp(since),
        labels={"pod": pod["metadata"]["name"], "reason": str(waiting_for.get("reason", "ContainersNotReady"))},
    )


def deployment_unavailable(deployment: Object, cluster: str, since: datetime) -> Trouble:
    """A Deployment lacks available pods; without a single ready one it is critical."""
    ready = count(section(deployment, "status").get("readyReplicas"))
    return _trouble(
        deployment,
        cluster,
        "DeploymentUnavailable",
        FailureFamily.PODS_NOT_READY,
        Severity.HIGH if ready else Severity.CRITICAL,
        since,
        epoch=_stamp(since),
        labels={"deployment": deployment["metadata"]["name"], "reason": "MinimumReplicasUnavailable"},
        summary=f"{ready} of {_wanted(deployment)} pods are ready",
    )


def node_flapping(node: Object, cluster: str, since: datetime, changes: int) -> Trouble:
    """A node's Ready condition changes to and fro; `since` is the first of the changes counted."""
    return _trouble(
        node,
        cluster,
        "NodeReadinessFlapping",
        FailureFamily.NODE_NOT_READY,
        Severity.HIGH,
        since,
        epoch=_stamp(since),
        labels={"node": node["metadata"]["name"], "reason": "Flapping"},
        summary=f"readiness changed {changes} times since {since:%H:%M:%SZ}",
    )


def condition(item: Object, kind: str) -> Mapping[str, Any] | None:
    """A condition of an object's status by its type."""
    return next((c for c in entries(item, "status", "conditions") if c.get("type") == kind), None)


def moment(text: object) -> datetime | None:
    """A time as the API writes it, in UTC; None if there is none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _pod(pod: Object, cluster: str) -> Iterator[Trouble]:
    for container in _containers(pod):
        reason, message = _waiting(container)
        if reason in WAITING:
            yield _waiting_trouble(pod, cluster, container, reason, message)
        killed = _out_of_memory(container)
        if killed is not None:
            finished = moment(killed.get("finishedAt"))
            yield _container_trouble(
                pod,
                cluster,
                container,
                "OOMKilled",
                (FailureFamily.CRASH_LOOP, Severity.HIGH),
                finished,
                epoch=_stamp(finished),
            )


def _waiting_trouble(pod: Object, cluster: str, container: Object, reason: str, message: str) -> Trouble:
    family, severity = WAITING[reason]
    restarts = str(count(container.get("restartCount")))
    last_end = moment(section(container, "lastState", "terminated").get("finishedAt"))
    pulls = family is FailureFamily.IMAGE_PULL
    return _container_trouble(
        pod,
        cluster,
        container,
        reason,
        (family, severity),
        last_end if family is FailureFamily.CRASH_LOOP else None,
        # ErrImagePull and ImagePullBackOff take turns for one image; a crash loop's next crash is a new occurrence.
        epoch=f"{container.get('image', '')}@{restarts}" if pulls else restarts,
        alias="ImagePull" if pulls else reason,
        summary=message,
    )


def _container_trouble(
    pod: Object,
    cluster: str,
    container: Object,
    reason: str,
    grade: tuple[FailureFamily, Severity],
    since: datetime | None,
    *,
    epoch: str,
    alias: str = "",
    summary: str = "",
) -> Trouble:
    ready = condition(pod, "Ready") or {}
    since = since or moment(ready.get("lastTransitionTime"))
    name = str(container.get("name") or "")
    labels = {"pod": pod["metadata"]["name"], "container": name, "reason": reason}
    return _trouble(
        pod,
        cluster,
        reason,
        *grade,
        since,
        epoch=epoch,
        labels=labels,
        what=f"{name}/{alias or reason}",
        summary=summary,
    )


def _deployment(deployment: Object, cluster: str) -> Iterator[Trouble]:
    progress = condition(deployment, "Progressing")
    if progress is None or progress.get("status") != "False" or progress.get("reason") != "ProgressDeadlineExceeded":
        return
    since = moment(progress.get("lastTransitionTime"))
    yield _trouble(
        deployment,
        cluster,
        "ProgressDeadlineExceeded",
        FailureFamily.PODS_NOT_READY,
        Severity.HIGH,
        since,
        epoch=_stamp(since),
        labels={"deployment": deployment["metadata"]["name"], "reason": "ProgressDeadlineExceeded"},
        summary=str(progress.get("message", "")),
    )


def _node(node: Object, cluster: str) -> Iterator[Trouble]:
    name = node["metadata"]["name"]
    ready = condition(node, "Ready")
    if ready is not None and ready.get("status") in ("False", "Unknown"):
        since = moment(ready.get("lastTransitionTime"))
        unreachable = ready["status"] == "Unknown"
        yield _trouble(
            node,
            cluster,
            "NodeUnreachable" if unreachable else "NodeNotReady",
            FailureFamily.NODE_NOT_READY,
            Severity.CRITICAL,
            since,
            epoch=_stamp(since),
            labels={"node": name, "reason": str(ready.get("reason", ""))},
            summary=str(ready.get("message", "")),
            what="Ready",
        )
    for kind in _PRESSURES:
        pressure = condition(node, kind)
        if pressure is not None and pressure.get("status") == "True":
            since = moment(pressure.get("lastTransitionTime"))
            yield _trouble(
                node,
                cluster,
                f"Node{kind}",
                FailureFamily.NODE_PRESSURE,
                Severity.HIGH,
                since,
                epoch=_stamp(since),
                labels={"node": name, "reason": kind},
                summary=str(pressure.get("message", "")),
            )


def _trouble(
    item: Object,
    cluster: str,
    name: str,
    family: FailureFamily,
    severity: Severity,
    since: datetime | None,
    *,
    epoch: str,
    labels: dict[str, str],
    what: str = "",
    summary: str = "",
) -> Trouble:
    target = ref_of(item, cluster)
    uid = str(item["metadata"].get("uid", ""))
    if target.namespace:
        labels = {"namespace": target.namespace, **labels}
    signal = Signal(
        name=name,
        source=SignalSource.KUBERNETES,
        cluster=cluster,
        status=SignalStatus.FIRING,
        severity=severity,
        target=target,
        failure_class=family.value,
        occurrence=digest([cluster, uid, what or name, epoch], 16),
        starts_at=since or moment(item["metadata"].get("creationTimestamp")) or datetime.fromtimestamp(0, UTC),
        labels=labels,
        annotations={"summary": summary[:500]} if summary else {},
    )
    return Trouble(uid, what or name, signal)


def _containers(pod: Object) -> Iterator[Mapping[str, Any]]:
    yield from entries(pod, "status", "initContainerStatuses")
    yield from entries(pod, "status", "containerStatuses")


def _waiting(container: Mapping[str, Any]) -> tuple[str, str]:
    waiting = section(container, "state", "waiting")
    return str(waiting.get("reason") or ""), str(waiting.get("message") or "")


def _out_of_memory(container: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The end of the present or else the last run, if memory was its reason."""
    for state in ("state", "lastState"):
        if ended := section(container, state, "terminated"):
            return ended if ended.get("reason") == "OOMKilled" else None
    return None


def _stamp(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y%m%dT%H%M%S}"


def _wanted(deployment: Object) -> int:
    return count(section(deployment, "spec").get("replicas"), 1)

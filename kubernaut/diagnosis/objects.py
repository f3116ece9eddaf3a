"""Objects as the rules read them: containers with their status, revisions, conditions, events.

Everything here is a view of one object of the API; nothing knows the case it belongs to.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubernaut.domain.facts import Object

from .units import moment

_TINY = re.compile(r"OOM-killed|memory limit too low|below minimum memory|limit.* is too low", re.I)
NO_SPACE = re.compile(r"no space left on device|disk quota exceeded", re.I)
NOT_STARTED = ("StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError")
"""Reasons by which a runtime tells that a container's program never ran."""
REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class Container:
    """One container of one pod: what was asked for and what the kubelet says."""

    pod: Object
    name: str
    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    init: bool = False

    @property
    def path(self) -> str:
        """Where its status stands, as evidence names it."""
        return f"status.{'initContainerStatuses' if self.init else 'containerStatuses'}[{self.name}]"

    @property
    def waiting(self) -> str:
        """The reason it waits; empty when it does not wait."""
        return str(((self.status.get("state") or {}).get("waiting") or {}).get("reason", ""))

    @property
    def waiting_message(self) -> str:
        """The kubelet's words about why it waits."""
        return str(((self.status.get("state") or {}).get("waiting") or {}).get("message", ""))

    @property
    def running_since(self) -> datetime | None:
        """When its present run began; None when it does not run."""
        return moment(((self.status.get("state") or {}).get("running") or {}).get("startedAt"))

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return "running" in (self.status.get("state") or {})

    @property
    def last_end(self) -> tuple[str, Mapping[str, Any]]:
        """Where the newest end of a run stands (`state.terminated` or `lastState.terminated`) and what it says."""
        for field in ("state", "lastState"):
            if ended := (self.status.get(field) or {}).get("terminated"):
                return f"{self.path}.{field}.terminated", ended
        return "", {}

    @property
    def restarts(self) -> int:
        """How often the kubelet started it again."""
        return int(self.status.get("restartCount") or 0)

    @property
    def sidecar(self) -> bool:
        """Whether it is a native sidecar: an init container that runs as long as the pod."""
        return self.init and self.spec.get("restartPolicy") == "Always"

    @property
    def crashing(self) -> bool:
        """Whether the kubelet waits before it starts it yet again, or it has just failed and was started before."""
        field, end = self.last_end
        failed = field.endswith(".state.terminated") and bool(end.get("exitCode"))
        return self.waiting == "CrashLoopBackOff" or (failed and self.restarts > 0)

    @property
    def ready(self) -> bool:
        """What the kubelet last said about its readiness; stays true on a node that is lost."""
        return bool(self.status.get("ready"))

    def limit(self, resource: str) -> str | None:
        """Its limit of a resource as written; None without one."""
        value = ((self.spec.get("resources") or {}).get("limits") or {}).get(resource)
        return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a Deployment: the ReplicaSet that carries its template."""

    number: int
    object: Object
    created: datetime | None

    @property
    def template(self) -> Mapping[str, Any]:
        """The pod's specification."""
        return ((self.object.get("spec") or {}).get("template") or {}).get("spec") or {}

    @property
    def ready(self) -> int:
        """How many of its pods are ready now."""
        return int((self.object.get("status") or {}).get("readyReplicas") or 0)

    def container(self, name: str) -> Mapping[str, Any]:
        """One container of its template; empty when it has none of the name."""
        return container_of(self.template, name)


def alive(pod: Object) -> bool:
    """Whether a pod is neither being deleted nor over (completed, failed, evicted)."""
    over = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return not over and not pod["metadata"].get("deletionTimestamp")


def containers_of(pod: Object) -> Iterator[Container]:
    """The containers of a pod, init containers first."""
    for field, statuses, init in (
        ("initContainers", "initContainerStatuses", True),
        ("containers", "containerStatuses", False),
    ):
        known = {status.get("name"): status for status in (pod.get("status") or {}).get(statuses) or ()}
        for spec in (pod.get("spec") or {}).get(field) or ():
            yield Container(pod, spec["name"], spec, known.get(spec["name"], {}), init)


def container_of(template: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """One container of a pod's specification by name; empty when there is none."""
    for field in ("containers", "initContainers"):
        for spec in template.get(field) or ():
            if spec.get("name") == name:
                found: Mapping[str, Any] = spec
                return found
    return {}


def no_space_left(container: Container, told: Iterable[str] = ()) -> str:
    """The words that say that a disk without space keeps a container from starting; empty when it is something else."""
    return next((text for text in (container.waiting_message, *told) if NO_SPACE.search(text)), "")


def killed_at_start(container: Container) -> bool:
    """Whether its limit is so small that the kernel killed it before its program ran; the runtime then speaks of that."""
    end = container.last_end[1]  # what a program says of its limits before it ends by itself is something else
    by_runtime = end.get("reason") in NOT_STARTED
    told = (container.waiting_message, str(end.get("message", "")) if by_runtime else "")
    return any(_TINY.search(text) for text in told)


def event_time(event: Object) -> datetime | None:
    """When an event happened last; scheduler events leave most of these fields empty."""
    series = event.get("series") or {}
    fields: tuple[Any, ...] = (
        series.get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event["metadata"].get("creationTimestamp"),
    )
    return next((at for at in map(moment, fields) if at is not None), None)


def event_times(event: Object) -> list[datetime]:
    """The moments that an event tells: of a repeated one the first and the last."""
    told = map(moment, (event.get("firstTimestamp"), event.get("eventTime")))
    return [at for at in (event_time(event), *told) if at is not None]


def event_count(event: Object) -> int:
    """How often an event happened."""
    return int((event.get("series") or {}).get("count") or event.get("count") or 1)


def pod_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition is True: the one thing that turns false on a lost node, too."""
    return bool(condition(pod, "Ready").get("status") == "True")


def condition(item: Object, kind: str) -> Mapping[str, Any]:
    """One condition of an object's status; empty when it has none of the type."""
    conditions = (item.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == kind), {})


def number(replica_set: Object) -> int:
    """A ReplicaSet's revision; 0 when it is not told."""
    text = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(text) if str(text).isdecimal() else 0


def name_of(item: Object) -> str:
    """An object as evidence names it, `pod/checkout-7d9f-x2x4`."""
    return f"{item['kind'].lower()}/{item['metadata']['name']}"

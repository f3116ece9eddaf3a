"""A case is a snapshot laid out for the rules: which pods are meant, their containers, their workload and its revisions.

Rules look at live pods only: what is being deleted, has finished or was evicted is an effect of something else.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar, cast

from kubernaut.domain.facts import Object, Snapshot, controller_of, ref_of
from kubernaut.domain.resources import ResourceRef

from .units import moment

T = TypeVar("T")
REVISION = "deployment.kubernetes.io/revision"
RESTARTS = {
    "Deployment": "restart-deployment",
    "StatefulSet": "restart-statefulset",
    "DaemonSet": "restart-daemonset",
}


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


@dataclass(frozen=True)
class Case:
    """A snapshot laid out for the rules.

    Args:
        steady_s: how long pods have to be unready before that is called a state, in seconds.
        recent_s: how far back an incident may lie to be the present one, in seconds.
    """

    snapshot: Snapshot
    steady_s: float = 15.0
    recent_s: float = 3600.0

    @property
    def now(self) -> datetime:
        """The moment the facts are from."""
        return self.snapshot.taken_at

    @cached_property
    def workload(self) -> Object | None:
        """The top owner of the target's pods; the target itself for a bare pod or a Node; None when it was not read."""
        item = self.snapshot.root
        for _ in range(4):
            reference = controller_of(item) if item is not None else None
            if item is None or reference is None:
                break
            owner = self.snapshot.get(reference["kind"], reference["name"], item["metadata"].get("namespace", ""))
            if owner is None or owner["metadata"].get("uid") != reference["uid"]:
                break
            item = owner
        return item

    @property
    def owner(self) -> ResourceRef:
        """The workload's name."""
        return (
            ref_of(self.workload, self.snapshot.target.cluster) if self.workload is not None else self.snapshot.target
        )

    @cached_property
    def pods(self) -> list[Object]:
        """The target's live pods."""
        return [pod for pod in self.snapshot.pods() if alive(pod)]

    @cached_property
    def siblings(self) -> list[Object]:
        """All live pods of the workload; of the target itself when it is the workload."""
        if self.workload is None or self.snapshot.target.kind != "Pod" or self.workload is self.snapshot.root:
            return self.pods
        direct = self.snapshot.owned(self.workload, "Pod")
        for replica_set in self.snapshot.owned(self.workload, "ReplicaSet"):
            direct += self.snapshot.owned(replica_set, "Pod")
        return [pod for pod in direct if alive(pod)]

    @cached_property
    def containers(self) -> list[Container]:
        """Every container of the target's live pods, init containers included."""
        return [container for pod in self.pods for container in containers_of(pod)]

    @cached_property
    def revisions(self) -> list[Revision]:
        """The Deployment's revisions, newest first; empty for other kinds."""
        if self.workload is None or self.workload["kind"] != "Deployment":
            return []
        found = [
            Revision(number(rs), rs, moment(rs["metadata"].get("creationTimestamp")))
            for rs in self.snapshot.owned(self.workload, "ReplicaSet")
        ]
        return sorted(found, key=lambda revision: revision.number, reverse=True)

    @property
    def template(self) -> Mapping[str, Any]:
        """The pod's specification as the workload wants it now; a bare pod's own."""
        if self.workload is None:
            return {}
        spec = self.workload.get("spec") or {}
        return spec if self.workload["kind"] == "Pod" else (spec.get("template") or {}).get("spec") or {}

    @property
    def restart(self) -> str:
        """The action that restarts the workload; empty when there is none."""
        paused = self.workload is not None and bool((self.workload.get("spec") or {}).get("paused"))
        return "" if paused else RESTARTS.get(self.owner.kind, "")

    def age_s(self, at: datetime | None) -> float | None:
        """How long ago something was, in seconds; None when the time is not known."""
        return None if at is None else (self.now - at).total_seconds()

    def recently(self, at: datetime | None) -> bool:
        """Whether something belongs to the present incident; what has no time might."""
        age_s = self.age_s(at)
        return age_s is None or age_s <= self.recent_s

    def once(self, name: str, work: Callable[[], T]) -> T:
        """The outcome of a piece of work that several rules share: done at the first call, kept for the case."""
        if name not in self._kept:
            self._kept[name] = work()
        return cast(T, self._kept[name])

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return {}

    def lacks(self, *words: str) -> int:
        """How many of the facts that could not be read are about one of these."""
        return sum(any(word.lower() in line.lower() for word in words) for line in self.snapshot.missing)

    def node_of(self, pod: Object) -> Object | None:
        """The node that a pod runs on; None when it was not read."""
        name = (pod.get("spec") or {}).get("nodeName")
        return self.nodes.get(name) if name else None

    @cached_property
    def _events(self) -> dict[tuple[str, str, str], list[Object]]:
        found: dict[tuple[str, str, str], list[Object]] = {}
        for event in self.snapshot.of_kind("Event"):
            about = event.get("involvedObject") or {}
            if self.recently(event_time(event)):
                kind = str(about.get("kind"))
                namespace = "" if kind == "Node" else about.get("namespace") or event["metadata"].get("namespace")
                found.setdefault((kind, str(namespace or ""), str(about.get("name"))), []).append(event)
        return found

    def events(self, item: Object) -> list[Object]:
        """Recent events about an object. An event of an earlier object of the same name has another uid.

        Kubelets put a node's name where its uid belongs, so nodes are found by name alone.
        """
        meta = item["metadata"]
        told = self._events.get((item["kind"], str(meta.get("namespace") or ""), meta["name"]), [])
        if item["kind"] == "Node":
            return told
        return [e for e in told if (e["involvedObject"].get("uid") or meta.get("uid")) == meta.get("uid")]

    @cached_property
    def nodes(self) -> dict[str, Object]:
        """The nodes that were read, by name."""
        return {node["metadata"]["name"]: node for node in self.snapshot.of_kind("Node")}

    def current(self, pod: Object) -> bool:
        """Whether the pod is of the Deployment's newest revision; true where there are no revisions."""
        reference = controller_of(pod)
        if not self.revisions or reference is None:
            return True
        return bool(reference["uid"] == self.revisions[0].object["metadata"].get("uid"))


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

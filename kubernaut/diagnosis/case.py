"""A case is a snapshot laid out for the rules: which pods are meant, their containers, their workload and its revisions.

Rules look at live pods only: what is being deleted, has finished or was evicted is an effect of something else.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar, cast

from kubernaut.domain.facts import Object, Snapshot, controller_of
from kubernaut.domain.resources import ResourceRef

from .objects import Container, Revision, alive, condition, containers_of, event_count, event_time, number, pod_ready
from .owners import owner_of, selected, workload_of
from .units import moment

T = TypeVar("T")
_SLOWEST_S = 300.0
_LOOPS = 3
_BETWEEN_S = 600.0
RESTARTS = {
    "Deployment": "restart-deployment",
    "StatefulSet": "restart-statefulset",
    "DaemonSet": "restart-daemonset",
}


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
        return workload_of(self.snapshot)

    @property
    def owner(self) -> ResourceRef:
        """The workload's name; that of its controller where only that is told, as the Rollout of a ReplicaSet.

        A Deployment or StatefulSet that an operator controls is still what is restarted and watched.
        """
        return owner_of(self.workload, self.snapshot.target)

    @cached_property
    def pods(self) -> list[Object]:
        """The target's live pods; of a Job, or asked about itself, also one that failed: that is all there is to look at."""
        if self.snapshot.target.kind in ("Job", "Pod"):
            return [pod for pod in self.snapshot.pods() if alive(pod) or _failed(pod)]
        return [pod for pod in self.snapshot.pods() or selected(self.snapshot) if alive(pod)]

    def evicted_at(self, pod: Object) -> datetime | None:
        """When a pod was evicted, as near as its event or its conditions tell; None when they do not."""
        told = [event_time(event) for event in self.events(pod) if event.get("reason") == "Evicted"]
        conditions = (pod.get("status") or {}).get("conditions") or ()
        times = [*told, *(moment(c.get("lastTransitionTime")) for c in conditions)]
        return max((at for at in times if at is not None), default=None)

    @cached_property
    def leaving(self) -> list[Object]:
        """The target's pods that should be gone by now and are not, while the workload lacks pods: their node may be lost."""
        wanted = ((self.workload or {}).get("spec") or {}).get("replicas")
        if wanted is None or sum(map(pod_ready, self.siblings)) >= int(wanted):
            return []
        found = []
        for pod in self.snapshot.pods():
            age_s = self.age_s(moment(pod["metadata"].get("deletionTimestamp")))
            if age_s is not None and age_s > _BETWEEN_S / 10:
                found.append(pod)
        return found

    @cached_property
    def evicted(self) -> list[Object]:
        """The target's pods that a kubelet evicted lately."""
        return [
            pod
            for pod in self.snapshot.pods()
            if (pod.get("status") or {}).get("reason") == "Evicted" and self.recently(self.evicted_at(pod))
        ]

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

    @cached_property
    def release_to_blame(self) -> bool:
        """Whether the newest revision belongs to the incident: it is recent, or none of its pods was ever steadily well.

        A release of yesterday that crashes since then is as much at fault as one of ten minutes ago.
        """
        if len(self.revisions) < 2:
            return False
        newest = self.revisions[0]
        if self.recently(newest.created):
            return True
        if newest.ready:
            return False
        progressing = condition(self.workload, "Progressing") if self.workload is not None else {}
        if progressing.get("reason") == "ProgressDeadlineExceeded" or any(r.ready for r in self.revisions[1:]):
            return True
        mine = [c for c in self.containers if self.current(c.pod) and c.restarts]
        return bool(mine) and any(self.since_birth(c) for c in mine)

    def present(self, container: Container) -> bool:
        """Whether a container's last end belongs to the present: it is recent, or the kubelet waits to try again."""
        return container.waiting == "CrashLoopBackOff" or self.recently(moment(container.last_end[1].get("finishedAt")))

    def started(self, container: Container) -> datetime | None:
        """When a running container's present run began; where nobody says, when the one before ended, or its pod came."""
        status, made = container.pod.get("status") or {}, container.pod["metadata"].get("creationTimestamp")
        told = (container.last_end[1].get("finishedAt"), status.get("startTime"), made)
        return container.running_since or next((at for at in map(moment, told) if at is not None), None)

    def crashing(self, container: Container) -> bool:
        """Whether it fails again and again, also when it was looked at in one of the moments in which it runs."""
        if container.crashing:
            return True
        _, end = container.last_end
        began, ended = moment(end.get("startedAt")), moment(end.get("finishedAt"))
        if container.restarts < _LOOPS or ended is None or end.get("exitCode") == 0:
            return False
        if began is None:
            made = moment(container.pod["metadata"].get("creationTimestamp")) or ended
            began = ended - (ended - made) / container.restarts
        short = (ended - began).total_seconds() <= self.recent_s
        return (self.now - ended).total_seconds() <= _BETWEEN_S and short

    def since_birth(self, container: Container) -> bool:
        """Whether a container has been crashing ever since its pod came: its restarts fill the pod's whole life.

        The kubelet waits 10 s, 20 s, ... and then 5 min between two tries; half of what that gives is enough.
        """
        age_s = self.age_s(moment(container.pod["metadata"].get("creationTimestamp")))
        if age_s is None or not container.restarts:
            return False
        tries = math.log2(1 + age_s / 10.0) if age_s < _SLOWEST_S else 5 + (age_s - _SLOWEST_S) / (_SLOWEST_S + 30.0)
        return container.restarts >= tries / 2

    @property
    def template(self) -> Mapping[str, Any]:
        """The pod's specification as the workload wants it now; a bare pod's own."""
        if self.workload is None:
            return {}
        spec = self.workload.get("spec") or {}
        return spec if self.workload["kind"] == "Pod" else (spec.get("template") or {}).get("spec") or {}

    @cached_property
    def operator(self) -> str:
        """What else writes this workload, as `Postgresql/orders`, when another object controls it; empty when nothing."""
        reference = controller_of(self.workload) if self.workload is not None else None
        if reference is None or self.owner.kind == reference["kind"]:
            return ""
        return f"{reference['kind']}/{reference['name']}"

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

    def node_called(self, name: str) -> Object:
        """The node of a name; where it was not read only its name, for which its events can be asked."""
        return self.nodes.get(name) or {"kind": "Node", "metadata": {"name": name}}

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

    def times(self, event: Object) -> int:
        """How often an event happened lately. A count that began long ago says only that the last one is recent."""
        began = moment(event.get("firstTimestamp")) or moment(event.get("eventTime"))
        return event_count(event) if self.recently(began) else 1

    @cached_property
    def nodes(self) -> dict[str, Object]:
        """The nodes that were read, by name."""
        return {node["metadata"]["name"]: node for node in self.snapshot.of_kind("Node")}

    def current(self, pod: Object) -> bool:
        """Whether the pod is of the Deployment's newest revision; true where there are no revisions.

        Where ReplicaSets could not be read, a pod that runs with other images than the template asks for is none of it.
        """
        reference = controller_of(pod)
        if reference is None or self.workload is None or self.workload["kind"] != "Deployment":
            return True
        if self.revisions:
            return bool(reference["uid"] == self.revisions[0].object["metadata"].get("uid"))
        wanted = {c["name"]: c.get("image") for c in self.template.get("containers") or ()}
        return all(wanted.get(c.name, c.spec.get("image")) == c.spec.get("image") for c in containers_of(pod))


def _failed(pod: Object) -> bool:
    status = pod.get("status") or {}
    over = status.get("phase") == "Failed" and status.get("reason") != "Evicted"
    return over and not pod["metadata"].get("deletionTimestamp")

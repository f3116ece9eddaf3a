"""One pod on one node: its containers, its conditions, and what the API server is told of them."""

from collections.abc import Callable, Iterable

from kubernaut.sim.client import Json
from kubernaut.sim.kubelet.container import Container, Surroundings

STOP_S = 1.0
_OURS = ("PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")

Record = Callable[[Json, str, str, str], None]


class Pod:
    """Runs the containers of a pod.

    Args:
        pod: the object as first seen.
        record: called with (involved object, type, reason, message) for every event.
        address: the pod's IP.
    """

    def __init__(self, pod: Json, around: Surroundings, record: Record, address: str, now: float) -> None:
        self.uid: str = pod["metadata"]["uid"]
        self.address = address
        self.started = now
        self._around = around
        self._init = pod["spec"].get("initContainers") or []
        self._since: dict[str, tuple[str, float]] = {}
        about = {
            "kind": "Pod",
            "apiVersion": "v1",
            "namespace": pod["metadata"]["namespace"],
            "name": pod["metadata"]["name"],
            "uid": self.uid,
        }
        self.containers = [
            Container(
                spec,
                around,
                lambda kind, reason, message, name=spec["name"]: record(  # type: ignore[misc]
                    about | {"fieldPath": f"spec.containers{{{name}}}"}, kind, reason, message
                ),
                now,
            )
            for spec in pod["spec"]["containers"]
        ]

    @property
    def due(self) -> float:
        """When something is to be done next, in cluster seconds."""
        return min(container.due for container in self.containers)

    @property
    def over(self) -> bool:
        """Every container ended for good."""
        return all(container.over for container in self.containers)

    def step(self, pod: Json, now: float) -> None:
        """Lets every container do what is due."""
        for container in self.containers:
            container.step(pod, now)

    def stop(self, pod: Json, now: float) -> None:
        """Ends every container."""
        for container in self.containers:
            container.stop(pod, now)

    def render(self, pod: Json, now: float) -> Json:
        """The status as a JSON merge patch; conditions of others are kept."""
        known = pod.get("status") or {}
        ready = [container.ready for container in self.containers]
        all_ready = all(ready) and not self.over
        names = " ".join(c.name for c, good in zip(self.containers, ready, strict=True) if not good)
        why = {} if all_ready else {
            "reason": "PodCompleted" if self.over else "ContainersNotReady",
            "message": f"containers with unready status: [{names}]",
        }  # fmt: skip
        ours = [
            self._condition("PodReadyToStartContainers", True, {}, now),
            self._condition("Initialized", True, {}, now),
            self._condition("Ready", all_ready, why, now),
            self._condition("ContainersReady", all_ready, why, now),
        ]
        others = [c for c in known.get("conditions") or [] if c["type"] not in _OURS]
        return {
            "phase": self._phase(),
            "hostIP": "127.0.0.1",
            "hostIPs": [{"ip": "127.0.0.1"}],
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "startTime": known.get("startTime") or self._around.pace.stamp(self.started),
            "conditions": ours + others,
            "containerStatuses": [container.render(pod) for container in self.containers],
        } | ({"initContainerStatuses": [self._ran(spec) for spec in self._init]} if self._init else {})

    def _phase(self) -> str:
        if self.over:
            codes = [c.ended.exit_code for c in self.containers if c.ended is not None]
            return "Succeeded" if not any(codes) else "Failed"
        begun = (c.started is not None or c.ended is not None or c.last is not None for c in self.containers)
        return "Running" if all(begun) else "Pending"

    def _condition(self, name: str, good: bool, why: Json, now: float) -> Json:
        status = "True" if good else "False"
        if self._since.get(name, ("", 0.0))[0] != status:
            self._since[name] = (status, now)
        since = self._around.pace.stamp(self._since[name][1])
        return {"type": name, "status": status, "lastProbeTime": None, "lastTransitionTime": since} | why

    def _ran(self, spec: Json) -> Json:
        at = self._around.pace.stamp(self.started)
        return {
            "name": spec["name"],
            "image": spec["image"],
            "imageID": spec["image"],
            "ready": True,
            "started": False,
            "restartCount": 0,
            "lastState": {},
            "state": {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": at, "finishedAt": at}},
        }


def same(told: Json, held: Json) -> bool:
    """Whether the API server already holds what the kubelet would tell it."""
    return _digest(told) == _digest(held)


def _digest(status: Json) -> list[object]:
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or [] if c["type"] in _OURS}
    return [
        status.get("phase"),
        status.get("podIP"),
        sorted(conditions.items()),
        list(_container_digest(status.get("containerStatuses") or [])),
    ]


def _container_digest(statuses: Iterable[Json]) -> Iterable[object]:
    for status in sorted(statuses, key=lambda s: str(s["name"])):
        state: Json = status.get("state") or {}
        kind = next(iter(state), "")
        detail = state.get(kind) or {}
        last = (status.get("lastState") or {}).get("terminated") or {}
        yield (
            status["name"],
            bool(status.get("ready")),
            status.get("restartCount", 0),
            kind,
            detail.get("reason"),
            detail.get("message"),
            last.get("reason"),
            last.get("exitCode"),
            last.get("finishedAt"),
        )

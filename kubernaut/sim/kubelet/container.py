"""One container as the kubelet sees it: a small state machine that is asked again whenever something may be due.

It is level-based: `step` looks at the present facts, never at what was announced before, so a fault that is mended in
between simply has no effect any more. Times are cluster seconds.
"""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from kubernaut.sim.client import Json
from kubernaut.sim.kubelet.behaviour import Behaviour, Disturbance, Launch, usual_behaviour
from kubernaut.sim.kubelet.configuration import Missing, Objects, environment, files
from kubernaut.sim.kubelet.images import Registry, split
from kubernaut.sim.kubelet.pace import Pace
from kubernaut.sim.kubelet.quantity import number

FIRST_BACKOFF_S = 10.0
LONGEST_BACKOFF_S = 300.0
PULL_S = 1.0
SYNC_S = 10.0
LOG_LINES = 500

Record = Callable[[str, str, str], None]  # (type, reason, message)


@dataclass(frozen=True, slots=True)
class Termination:
    """How a container ended."""

    exit_code: int
    reason: str
    started: float
    finished: float
    container_id: str
    message: str = ""

    def render(self, pace: Pace) -> Json:
        """As ContainerStateTerminated."""
        told = {"message": self.message} if self.message else {}
        return {
            "exitCode": self.exit_code,
            "reason": self.reason,
            "startedAt": pace.stamp(self.started),
            "finishedAt": pace.stamp(self.finished),
            "containerID": self.container_id,
        } | told


@dataclass(slots=True)
class Surroundings:
    """What every container of the cluster shares."""

    pace: Pace
    disturbance: Disturbance
    registry: Registry
    configmaps: Objects
    secrets: Objects


@dataclass(slots=True)
class Container:
    """The state of one container of one pod."""

    spec: Json
    around: Surroundings
    record: Record
    pod_started: float
    waiting: tuple[str, str] | None = ("ContainerCreating", "")
    started: float | None = None
    ended: Termination | None = None
    last: Termination | None = None
    restarts: int = 0
    ready: bool = False
    pulled: bool = False
    due: float = 0.0
    logs: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    previous_logs: deque[tuple[float, str]] = field(default_factory=deque)
    _backoff_s: float = 0.0
    _pull_backoff_s: float = 0.0
    _failing_since: float | None = None
    _next_probe: float = 0.0
    _mutters_at: float = 0.0

    @property
    def name(self) -> str:
        """The container's name."""
        name: str = self.spec["name"]
        return name

    @property
    def over(self) -> bool:
        """It ended and will not be started again."""
        return self.ended is not None and self.due == float("inf")

    def step(self, pod: Json, now: float) -> None:
        """Does what is due and sets `due` to when it wants to be asked again."""
        if self.started is not None:
            self._run(pod, now)
        elif now >= self.due:
            if not self.pulled:
                self._pull(pod, now)
            if self.pulled:
                self._start(pod, now)

    def _pull(self, pod: Json, now: float) -> None:
        image = self.spec["image"]
        if self.due == 0.0:
            self.record("Normal", "Pulling", f'Pulling image "{image}"')
            self.due = now + PULL_S
        elif self.around.registry.has(image):
            self.record("Normal", "Pulled", f'Successfully pulled image "{image}" in 1.02s (1.02s including waiting)')
            self.pulled = True
        elif self.waiting is not None and self.waiting[0] == "ErrImagePull":
            self.waiting = ("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {_not_found(image)}')
            self.record("Normal", "BackOff", f'Back-off pulling image "{image}"')
            self.record("Warning", "Failed", "Error: ImagePullBackOff")
            self._pull_backoff_s = min(self._pull_backoff_s * 2 or FIRST_BACKOFF_S, LONGEST_BACKOFF_S)
            self.due = now + self._pull_backoff_s
        else:
            self.waiting = ("ErrImagePull", _not_found(image))
            self.record("Warning", "Failed", f'Failed to pull image "{image}": {_not_found(image)}')
            self.record("Warning", "Failed", "Error: ErrImagePull")
            self.due = now + 2.0

    def _start(self, pod: Json, now: float) -> None:
        try:
            mounted = files(pod, self.spec, self.around.configmaps, self.around.secrets)
        except Missing as e:
            self.record("Warning", "FailedMount", str(e))
            self.due = now + SYNC_S
            return
        try:
            env = environment(pod, self.spec, self.around.configmaps, self.around.secrets)
        except Missing as e:
            self.waiting = ("CreateContainerConfigError", str(e))
            self.record("Warning", "Failed", f"Error: {e}")
            self.due = now + SYNC_S
            return
        if self.ended is not None:
            self.last, self.restarts = self.ended, self.restarts + 1
            self.previous_logs = self.logs
            self.logs = deque(maxlen=LOG_LINES)
        self.waiting, self.ended, self.ready = None, None, False
        self._failing_since, self._next_probe, self._mutters_at = None, now, now + SYNC_S
        behaviour = self._behaviour(pod, now, env, mounted, started=now)
        if behaviour.start_error:
            self.record("Warning", "Failed", f"Error: {behaviour.start_error}")
            self._end(pod, Termination(128, "StartError", now, now, self.container_id(pod), behaviour.start_error), now)
            return
        self.record("Normal", "Created", f"Created container: {self.name}")
        self.record("Normal", "Started", f"Started container {self.name}")
        self.started = now
        for line in behaviour.says:
            self._say(now, line)
        self._run(pod, now, env, mounted)

    def _run(self, pod: Json, now: float, env: Json | None = None, mounted: Json | None = None) -> None:
        if self.started is None:
            return
        if env is None or mounted is None:
            env, mounted = self._configured(pod)
        behaviour = self._behaviour(pod, now, env, mounted, started=self.started)
        if behaviour.exits_after_s is not None and now >= self.started + behaviour.exits_after_s:
            for line in behaviour.last_words:
                self._say(now, line)
            ended = Termination(behaviour.exit_code, behaviour.exit_reason, self.started, now, self.container_id(pod))
            self._end(pod, ended, now)
            return
        if now >= self._mutters_at:
            self._mutters_at = now + SYNC_S
            for line in behaviour.mutters:
                self._say(now, line)
        probe = self.spec.get("readinessProbe")
        self.due = now + SYNC_S
        if behaviour.exits_after_s is not None:
            self.due = min(self.due, self.started + behaviour.exits_after_s)
        if probe is None:
            self.ready = True
            return
        self._probe(probe, behaviour, now)

    def _probe(self, probe: Json, behaviour: Behaviour, now: float) -> None:
        period_s = float(probe.get("periodSeconds", 10))
        first = (self.started or now) + max(float(probe.get("initialDelaySeconds", 0)), 1.0)
        if now < first:
            self.due = min(self.due, first)
            return
        if behaviour.ready:
            self.ready, self._failing_since = True, None
            return
        if now >= self._next_probe:
            self._failing_since = now if self._failing_since is None else self._failing_since
            self._next_probe = now + period_s
            self.record("Warning", "Unhealthy", f"Readiness probe failed: {behaviour.probe_failure}")
            self._say(now, f'level=warn msg="readiness check failed" reason="{behaviour.probe_failure}"')
        patience_s = (int(probe.get("failureThreshold", 3)) - 1) * period_s
        if self._failing_since is not None and now >= self._failing_since + patience_s:
            self.ready = False
        self.due = min(self.due, self._next_probe)

    def _end(self, pod: Json, ended: Termination, now: float) -> None:
        self.started, self.ready, self.ended = None, False, ended
        policy = pod["spec"].get("restartPolicy", "Always")
        if policy == "Never" or (policy == "OnFailure" and ended.exit_code == 0):
            self.due = float("inf")
            return
        if ended.finished - ended.started >= 2 * LONGEST_BACKOFF_S:
            self._backoff_s = 0.0
        if self._backoff_s == 0.0 and self.restarts == 0:
            self._backoff_s = FIRST_BACKOFF_S / 2  # the first restart comes at once, the second after ten seconds
            self.due = now + 1.0
            return
        self._backoff_s = min(self._backoff_s * 2, LONGEST_BACKOFF_S) or FIRST_BACKOFF_S
        self.due = now + self._backoff_s
        where = f"{pod['metadata']['name']}_{pod['metadata']['namespace']}({pod['metadata']['uid']})"
        self.waiting = (
            "CrashLoopBackOff",
            f"back-off {_duration(self._backoff_s)} restarting failed container={self.name} pod={where}",
        )
        self.record("Warning", "BackOff", f"Back-off restarting failed container {self.name} in pod {where}")

    def stop(self, pod: Json, now: float) -> None:
        """Ends a running container because its pod is deleted."""
        if self.started is not None:
            self.record("Normal", "Killing", f"Stopping container {self.name}")
            self._say(now, 'level=info msg="received SIGTERM, draining connections"')
            self.ended = Termination(0, "Completed", self.started, now, self.container_id(pod))
        self.started, self.ready, self.due = None, False, float("inf")

    def render(self, pod: Json) -> Json:
        """As ContainerStatus."""
        pace = self.around.pace
        state: Json
        if self.started is not None:
            state = {"running": {"startedAt": pace.stamp(self.started)}}
        elif self.waiting is not None:
            reason, message = self.waiting
            state = {"waiting": {"reason": reason} | ({"message": message} if message else {})}
        elif self.ended is not None:
            state = {"terminated": self.ended.render(pace)}
        else:
            state = {"waiting": {"reason": "ContainerCreating"}}
        last = self.ended if self.ended is not None and "waiting" in state else self.last
        rendered: Json = {
            "name": self.name,
            "image": self.spec["image"],
            "imageID": _image_id(self.spec["image"]) if self.pulled else "",
            "ready": self.ready,
            "started": self.started is not None,
            "restartCount": self.restarts,
            "state": state,
            "lastState": {"terminated": last.render(pace)} if last is not None else {},
        }
        if self.started is not None or last is not None:
            rendered["containerID"] = self.container_id(pod)
        return rendered

    def container_id(self, pod: Json) -> str:
        """Changes with every start, as the runtime's identifiers do."""
        seed = pod["metadata"]["uid"].replace("-", "")
        return f"containerd://{seed}{self.restarts:032x}"

    def _configured(self, pod: Json) -> tuple[Json, Json]:
        try:
            around = self.around
            return environment(pod, self.spec, around.configmaps, around.secrets), files(
                pod, self.spec, around.configmaps, around.secrets
            )
        except Missing:  # taken away while it runs: what was read at the start stays
            return {}, {}

    def _behaviour(self, pod: Json, now: float, env: Json, mounted: Json, *, started: float) -> Behaviour:
        limit = ((self.spec.get("resources") or {}).get("limits") or {}).get("memory")
        metadata, policy = pod["metadata"], pod["spec"].get("restartPolicy", "Always")
        launch = Launch(
            namespace=metadata["namespace"],
            pod=metadata["name"],
            pod_uid=metadata["uid"],
            node=pod["spec"]["nodeName"],
            labels=metadata.get("labels") or {},
            container=self.name,
            image=self.spec["image"],
            command=tuple(self.spec.get("command") or ()),
            memory_limit_bytes=None if limit is None else int(number(limit)),
            env=env,
            files=mounted,
            pod_started=self.pod_started,
            started=started,
            restarts=self.restarts,
            now=now,
        )
        return self.around.disturbance.container(launch, usual_behaviour(launch, runs_once=policy != "Always"))

    def _say(self, now: float, line: str) -> None:
        self.logs.append((now, line))


def _not_found(image: str) -> str:
    return f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'


def _image_id(image: str) -> str:
    """The same image has the same digest on every node."""
    return f"{split(image)[0]}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return (f"{minutes}m" if minutes else "") + f"{rest}s"

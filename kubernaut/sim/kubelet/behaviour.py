"""What a container and a node do, as values that faults may change."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Launch:
    """What the kubelet knows of a container that it is about to start, or that runs. Times are cluster seconds."""

    namespace: str
    pod: str
    pod_uid: str
    node: str
    labels: Mapping[str, str]
    container: str
    image: str
    command: tuple[str, ...]
    memory_limit_bytes: int | None
    env: Mapping[str, str]
    files: Mapping[str, str]  # path → text, from mounted ConfigMaps and Secrets
    pod_started: float
    started: float
    restarts: int
    now: float


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the program in the container does from here on.

    Attributes:
        ready: what its readiness probe would answer.
        probe_failure: the probe's words when it is not ready.
        exits_after_s: cluster seconds from the container's start to its end; None for a program that runs on.
        start_error: the runtime's words when the program cannot be started at all.
        says: lines at the start; mutters: lines again and again while it runs; last_words: lines before the end.
    """

    ready: bool = True
    probe_failure: str = ""
    exits_after_s: float | None = None
    exit_code: int = 0
    exit_reason: str = "Completed"
    start_error: str = ""
    says: tuple[str, ...] = ()
    mutters: tuple[str, ...] = ()
    last_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeView:
    """What is true of a node when its health is asked for. `pods` are those of workloads, not of DaemonSets."""

    name: str
    unschedulable: bool
    pods: int
    now: float


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """A node's Ready condition, its problem conditions (type → reason, message) and its events (reason, message)."""

    ready: bool = True
    reason: str = "KubeletReady"
    message: str = "kubelet is posting ready status"
    problems: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    events: tuple[tuple[str, str], ...] = ()


class Disturbance(Protocol):
    """What the kubelets ask before they let a container or a node be well."""

    def container(self, launch: Launch, usual: Behaviour) -> Behaviour:
        """What the container does, given what it would usually do."""
        ...

    def node(self, view: NodeView, usual: NodeHealth) -> NodeHealth:
        """How the node is."""
        ...


class Undisturbed:
    """A cluster in which nothing is wrong."""

    def container(self, launch: Launch, usual: Behaviour) -> Behaviour:
        """As usual."""
        return usual

    def node(self, view: NodeView, usual: NodeHealth) -> NodeHealth:
        """As usual."""
        return usual


def usual_behaviour(launch: Launch, *, runs_once: bool) -> Behaviour:
    """A server runs on; the pod of a Job does its work and ends well."""
    tag = launch.image.rpartition(":")[2]
    opening = f"level=info msg=starting service={launch.container} version={tag}"
    if runs_once:
        return Behaviour(exits_after_s=1.0, says=(opening,), last_words=("level=info msg=done",))
    listening = f"level=info msg=listening service={launch.container} addr=:8080"
    return Behaviour(says=(opening, listening), mutters=(f"level=info msg=handled {_traffic(launch)}",))


def _traffic(launch: Launch) -> str:
    """Numbers that differ from pod to pod and from time to time, and are the same for the same moment."""
    seed = zlib.crc32(f"{launch.pod_uid}{launch.now:.0f}".encode())
    return f"requests={200 + seed % 90} errors=0 p99_ms={18 + seed // 97 % 23}"

"""A signal says that something may be wrong with one object; its fingerprint says which failure it belongs to."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .resources import ResourceRef
from .values import Severity, digest


class SignalStatus(StrEnum):
    """Whether the source says that the trouble is there or gone."""

    FIRING = "firing"
    RESOLVED = "resolved"


class SignalSource(StrEnum):
    """Who told us."""

    ALERTMANAGER = "alertmanager"
    KUBERNETES = "kubernetes"
    WEBHOOK = "webhook"
    MANUAL = "manual"


class FailureFamily(StrEnum):
    """The coarse failure class of a signal: what alerts and object state both can tell before anything is analysed.

    It is half of the fingerprint, so an alert and the object state behind it must fall into the same family.
    """

    CRASH_LOOP = "CrashLoop"
    """Containers that end and are started again, killed for memory included."""
    IMAGE_PULL = "ImagePull"
    CONFIG_ERROR = "ConfigError"
    """A container that can't be created: a ConfigMap, Secret or key is missing."""
    PODS_NOT_READY = "PodsNotReady"
    """A workload short of ready pods, or whose rollout is stuck."""
    POD_NOT_READY = "PodNotReady"
    """One pod that runs but does not get ready."""
    NODE_NOT_READY = "NodeNotReady"
    """Not ready, unreachable or flapping."""
    NODE_PRESSURE = "NodePressure"
    NODE_HARDWARE = "NodeHardware"


@dataclass(frozen=True, slots=True)
class Signal:
    """One notification about one object.

    Args:
        name: the alert's name or the object state's reason, as `KubePodCrashLooping`, `OOMKilled`.
        target: the object that the source names; None where it names none (a cluster-wide alert).
        failure_class: the coarse family known at intake, a `FailureFamily` where one fits; the analysis refines it.
        occurrence: identity of this firing, the same on every repeat (alert fingerprint and start).
        starts_at: when the trouble began, UTC.
        ends_at: when it ended, UTC; None while firing.
        requester: who raised it by hand; empty otherwise.
    """

    name: str
    source: SignalSource
    cluster: str
    status: SignalStatus
    severity: Severity
    target: ResourceRef | None
    failure_class: str
    occurrence: str
    starts_at: datetime
    ends_at: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    requester: str = ""


def fingerprint(owner: ResourceRef, failure_class: str) -> str:
    """Which failure a signal belongs to: cluster, top owner and failure class, and nothing else (R-SIG-6)."""
    return digest([owner.cluster, owner.kind, owner.namespace, owner.name, failure_class], 16)


@dataclass(frozen=True, slots=True)
class SignalSummary:
    """All signals of one remediation in one value.

    Args:
        count: notifications taken so far, repeats included.
        resolved_at: when the source said that the trouble is gone; None while it has not.
    """

    name: str
    source: SignalSource
    severity: Severity
    occurrence: str
    first_seen: datetime
    last_seen: datetime
    count: int = 1
    resolved_at: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    requester: str = ""

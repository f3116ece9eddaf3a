"""What a scenario is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kubernaut.sim.client import Json
from kubernaut.sim.faults import Fault
from kubernaut.sim.kubelet import NodeSpec
from kubernaut.sim.scenarios.view import View

RUNBOOKS = "https://runbooks.prometheus-operator.dev/runbooks/kubernetes"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit to the repository.

    Attributes:
        files: path below the scenario's folder → whole new text.
        days_ago: its date, counted back from the moment it is made.
    """

    subject: str
    files: Mapping[str, str]
    author: str = "Platform Team <platform@shop.example>"
    body: str = ""
    days_ago: float = 0.0


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as a Prometheus with the kube-prometheus rules sends it."""

    name: str
    severity: str
    labels: Mapping[str, str]
    summary: str
    description: str
    runbook: str = ""

    def rendered_labels(self, cluster: str) -> dict[str, str]:
        """All labels, with the ones that identify the Prometheus."""
        scraped = {"job": "kube-state-metrics", "prometheus": "monitoring/k8s", "cluster": cluster}
        return {"alertname": self.name, "severity": self.severity} | scraped | dict(self.labels)

    def rendered_annotations(self) -> dict[str, str]:
        """Summary, description and runbook."""
        runbook = self.runbook or f"{RUNBOOKS}/{self.name.lower()}"
        return {"summary": self.summary, "description": self.description, "runbook_url": runbook}


def _nothing(_: View) -> Fault | None:
    return None


@dataclass(frozen=True, slots=True)
class Scenario:
    """An incident that can be deployed, broken, alerted on and healed in any world.

    Attributes:
        number, title, pattern: as in the table of scenarios; the pattern is A, B, C or D.
        immediate, permanent: the actions that kubernaut is expected to take; empty for none.
        namespace, app: where it runs, and the name of Deployment and Application.
        path: its folder in the repository.
        history: the commits that lead to a healthy state, oldest first; breaking: those that break it.
        nodes: nodes of its own, in a pool that only it uses, so that scenarios don't disturb each other.
        images: repository → tags that exist, for repositories whose tags matter.
        traits: faults that are there from the beginning and have no effect until something else goes wrong.
        fault: what `break_` injects, given the healthy state; None if the commits alone break it.
        shows: whether the symptom that the alert is about can be seen.
        healthy: whether the symptom is gone; mended: whether its cause is, too.
        alert: the alert, given the broken state.
        heals: for a person: what ends it.
    """

    number: int
    title: str
    pattern: str
    immediate: str
    permanent: str
    namespace: str
    app: str
    path: str
    history: tuple[Commit, ...]
    shows: Callable[[View], bool]
    healthy: Callable[[View], bool]
    mended: Callable[[View], bool]
    alert: Callable[[View], Alert]
    heals: str
    breaking: tuple[Commit, ...] = ()
    fault: Callable[[View], Fault | None] = _nothing
    traits: tuple[Fault, ...] = ()
    nodes: tuple[NodeSpec, ...] = ()
    images: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    repository: str = "fleet"


def memory_limit_mib(deployment: Json | None) -> float:
    """The first container's memory limit; infinite when it has none, zero when there is no Deployment."""
    from kubernaut.sim.kubelet.quantity import number

    if deployment is None:
        return 0.0
    limits = (deployment["spec"]["template"]["spec"]["containers"][0].get("resources") or {}).get("limits") or {}
    return number(limits["memory"]) / 2**20 if "memory" in limits else float("inf")


def image_of(deployment: Json | None) -> str:
    """The first container's image; empty when there is no Deployment."""
    if deployment is None:
        return ""
    image: str = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    return image

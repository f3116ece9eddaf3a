"""Whose containers a fault concerns."""

from dataclasses import dataclass

from kubernaut.sim.kubelet.behaviour import Launch

APP_LABEL = "app.kubernetes.io/name"


@dataclass(frozen=True, slots=True)
class Workload:
    """The pods of one application, by namespace and the recommended name label."""

    namespace: str
    app: str

    def covers(self, launch: Launch) -> bool:
        """Whether the container belongs to it."""
        return launch.namespace == self.namespace and launch.labels.get(APP_LABEL) == self.app

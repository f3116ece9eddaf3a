"""State that lives in a pod and dies with it."""

from dataclasses import dataclass, replace

from kubernaut.sim.faults.board import OfContainers
from kubernaut.sim.faults.target import Workload
from kubernaut.sim.kubelet.behaviour import Behaviour, Launch


@dataclass(frozen=True, slots=True)
class StalePods(OfContainers):
    """Every pod that was there when the database failed over holds connections to the old primary, and is not ready."""

    workload: Workload
    reason: str = "HTTP probe failed with statuscode: 503"

    @property
    def mended_by(self) -> str:
        """New pods."""
        return f"new pods for {self.workload.namespace}/{self.workload.app}"

    def container(self, launch: Launch, usual: Behaviour, since: float) -> Behaviour:
        """Not ready, if its pod is older than the fault."""
        if not self.workload.covers(launch) or launch.pod_started >= since:
            return usual
        lost = 'level=error msg="query failed" err="cannot execute in a read-only transaction (SQLSTATE 25006)"'
        return replace(usual, ready=False, probe_failure=self.reason, mutters=(lost,))


@dataclass(frozen=True, slots=True)
class WedgedPod(OfContainers):
    """One pod's event loop is stuck, so it does not even log any more; its siblings are well."""

    namespace: str
    pod: str
    reason: str = 'Get "http://10.244.0.12:8080/healthz": context deadline exceeded (Client.Timeout exceeded)'

    @property
    def mended_by(self) -> str:
        """Its replacement."""
        return f"another pod in the place of {self.namespace}/{self.pod}"

    def container(self, launch: Launch, usual: Behaviour, since: float) -> Behaviour:
        """Not ready, if it is that pod."""
        if (launch.namespace, launch.pod) != (self.namespace, self.pod):
            return usual
        return replace(usual, ready=False, probe_failure=self.reason, mutters=())

"""A working set that grows beyond the memory limit."""

from dataclasses import dataclass, replace

from kubernaut.sim.faults.board import OfContainers
from kubernaut.sim.faults.target import Workload
from kubernaut.sim.kubelet.behaviour import Behaviour, Launch

MIB = 2**20


@dataclass(frozen=True, slots=True)
class MemoryTooSmall(OfContainers):
    """The application fills a cache until its working set needs more than the limit; the kernel kills it.

    The cache lives in the pod, not in the container, so a container started again in the same pod dies quickly and
    ends in CrashLoopBackOff, while a new pod begins with an empty cache: a restart of the Deployment helps for a
    while, and only a limit of `needs_mib` helps for good.

    Attributes:
        needs_mib: the working set when the cache is full.
        relief_s: cluster seconds that a new pod takes to reach the limit.
        onset_s: the same for pods that already ran when the fault began.
    """

    workload: Workload
    needs_mib: int = 180
    relief_s: float = 60.0
    onset_s: float = 5.0

    @property
    def mended_by(self) -> str:
        """The limit."""
        return f"a memory limit of {self.needs_mib}Mi or more for {self.workload.namespace}/{self.workload.app}"

    def container(self, launch: Launch, usual: Behaviour, since: float) -> Behaviour:
        """OOMKilled once the working set reaches the limit."""
        limit = launch.memory_limit_bytes
        if not self.workload.covers(launch) or limit is None or limit >= self.needs_mib * MIB:
            return usual
        full_at = since + self.onset_s if launch.pod_started < since else launch.pod_started + self.relief_s
        dies_at = max(full_at, launch.started + 2.0)
        return replace(
            usual,
            exits_after_s=dies_at - launch.started,
            exit_code=137,
            exit_reason="OOMKilled",
            last_words=(
                f'level=info msg="warming price cache" working_set_mib={round(limit * 0.93 / MIB)}',
                f'level=warn msg="heap close to the container limit" limit_mib={limit // MIB}',
            ),
        )

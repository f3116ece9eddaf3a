"""A command that the image does not contain."""

from dataclasses import dataclass, replace

from kubernaut.sim.faults.board import OfContainers
from kubernaut.sim.faults.target import Workload
from kubernaut.sim.kubelet.behaviour import Behaviour, Launch


@dataclass(frozen=True, slots=True)
class UnknownCommand(OfContainers):
    """The image holds only these programs; any other `command` can't be started."""

    workload: Workload
    programs: frozenset[str]

    @property
    def mended_by(self) -> str:
        """A program that exists."""
        return f"a command among {', '.join(sorted(self.programs))}, or none"

    def container(self, launch: Launch, usual: Behaviour, since: float) -> Behaviour:
        """StartError with the runtime's words, exit status 128."""
        if not self.workload.covers(launch) or not launch.command or launch.command[0] in self.programs:
            return usual
        program = launch.command[0]
        return replace(
            usual,
            start_error=(
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
                f'failed: unable to start container process: error during container init: exec: "{program}": '
                f"stat {program}: no such file or directory"
            ),
        )

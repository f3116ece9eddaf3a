"""An application that refuses a value of its configuration."""

import re
from dataclasses import dataclass, replace

from kubernaut.sim.faults.board import OfContainers
from kubernaut.sim.faults.target import Workload
from kubernaut.sim.kubelet.behaviour import Behaviour, Launch


@dataclass(frozen=True, slots=True)
class RejectedValue(OfContainers):
    """The application reads a variable at its start and exits when it can't parse it.

    This is a trait of the application rather than an event: it has no effect until somebody commits a bad value.

    Attributes:
        variable: the environment variable; it may come from a ConfigMap.
        valid: what the whole value must match.
    """

    workload: Workload
    variable: str
    valid: str
    complaint: str

    @property
    def mended_by(self) -> str:
        """A valid value."""
        return f"a value of {self.variable} that matches {self.valid}"

    def container(self, launch: Launch, usual: Behaviour, since: float) -> Behaviour:
        """Exits with status 1 and says why."""
        if not self.workload.covers(launch) or self.variable not in launch.env:
            return usual
        value = launch.env[self.variable]
        if re.fullmatch(self.valid, value):
            return usual
        complaint = (
            f'level=fatal msg="invalid configuration" key={self.variable} value="{value}" err="{self.complaint}"'
        )
        return replace(usual, exits_after_s=1.0, exit_code=1, exit_reason="Error", last_words=(complaint,))

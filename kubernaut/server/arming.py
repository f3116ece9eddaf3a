"""Read-write for a while: production is read-only until somebody says why, and becomes so again by itself.

Held in memory on purpose: after a restart everybody is disarmed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kubernaut.domain.approvals import Principal
from kubernaut.ports import Clock

ARMED_S = 900.0


@dataclass(frozen=True, slots=True)
class Arming:
    """One person's leave to change production."""

    until: datetime
    reason: str


class Arms:
    """Who is armed."""

    def __init__(self, clock: Clock, armed_s: float = ARMED_S) -> None:
        self._clock = clock
        self._armed_s = armed_s
        self._held: dict[str, Arming] = {}

    def offer(self, reason: str) -> Arming:
        """What would hold for the usual time; it holds once it is taken."""
        return Arming(self._clock.now() + timedelta(seconds=self._armed_s), reason)

    def take(self, who: Principal, arming: Arming) -> None:
        """Arm, or begin anew."""
        self._held[who.name] = arming

    def disarm(self, who: Principal) -> None:
        """End it at once."""
        self._held.pop(who.name, None)

    def of(self, who: Principal) -> Arming | None:
        """The arming that holds now."""
        arming = self._held.get(who.name)
        if arming is None or arming.until <= self._clock.now():
            self._held.pop(who.name, None)
            return None
        return arming

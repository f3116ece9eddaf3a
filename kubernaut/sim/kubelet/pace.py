"""Cluster time: back-offs and probes keep the seconds of a real kubelet, only the seconds themselves may be shorter."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


class Pace:
    """Turns wall time into cluster seconds.

    Everything inside the stand-ins counts cluster seconds, so "back-off 10 s" stays true in the code whatever the
    pace; timestamps that reach the API server are wall time, because others compare them with their own clocks.

    Args:
        timescale: how long a cluster second lasts in wall seconds; 1.0 is real, 0.1 is ten times as fast.
    """

    def __init__(self, timescale: float = 1.0, wall: Callable[[], float] = time.time) -> None:
        self.timescale = timescale
        self._wall = wall
        self._origin = wall()

    def now(self) -> float:
        """Cluster seconds since the stand-ins were built."""
        return (self._wall() - self._origin) / self.timescale

    def wall(self, at: float) -> float:
        """The Unix time of a moment in cluster seconds."""
        return self._origin + at * self.timescale

    def at(self, wall: float) -> float:
        """The moment in cluster seconds of a Unix time."""
        return (wall - self._origin) / self.timescale

    def wait_s(self, until: float) -> float:
        """Wall seconds from now until a moment in cluster seconds; never negative."""
        return max(0.0, self.wall(until) - self._wall())

    def stamp(self, at: float) -> str:
        """The moment as metav1.Time, whole seconds."""
        return datetime.fromtimestamp(self.wall(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def micro_stamp(self, at: float) -> str:
        """The moment as metav1.MicroTime, for leases and events."""
        return datetime.fromtimestamp(self.wall(at), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

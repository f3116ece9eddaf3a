"""Everything that the stages need from outside, handed to them in one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubernaut.domain.errors import BadInput
from kubernaut.domain.limits import Limits
from kubernaut.ports import Analyst, Clock, Cluster, Forge, PolicyEngine, Store


class Unsent:
    """Intents that this very process has persisted and whose write it has not yet begun.

    For these, and only these, nobody has to ask the cluster whether the write happened. It is no truth of its own: after a
    restart, or once a write was begun, nothing is in here and the cluster is asked.
    """

    def __init__(self) -> None:
        self._intents: dict[tuple[str, str], datetime] = {}

    def intended(self, track_id: str, step_id: str, at: datetime) -> None:
        """The intent is about to be persisted."""
        self._intents[track_id, step_id] = at

    def begin(self, track_id: str, step_id: str, at: datetime | None) -> bool:
        """The write begins now; whether it is certainly the first try."""
        if at is None or self._intents.get((track_id, step_id)) != at:
            return False
        del self._intents[track_id, step_id]
        return True


class Turns:
    """Who of this process goes first where only one may: rows that are read at one moment can all say "nobody yet".

    No truth of its own either: a turn only bridges the moment until the intent of its holder is persisted, and lapses.
    """

    def __init__(self, lasts_s: float = 30.0) -> None:
        self._lasts_s = lasts_s
        self._held: dict[tuple[str, str], tuple[str, datetime]] = {}

    def take(self, place: tuple[str, str], who: str, now: datetime) -> str:
        """Whose turn it is at this place: `who`, unless somebody else took it a moment ago."""
        holder, since = self._held.get(place, (who, now))
        if holder != who and 0 <= (now - since).total_seconds() < self._lasts_s:  # the clock may have been put back
            return holder
        self._held[place] = (who, now)
        return who


@dataclass(frozen=True, slots=True)
class Outside:
    """The ports, as the daemon wired them.

    Args:
        clusters: by configured name.
        cluster_labels: labels of each cluster from the configuration, for classification.
        freeze: whether a change freeze is in force.
    """

    store: Store
    clusters: Mapping[str, Cluster]
    forge: Forge
    policy: PolicyEngine
    analyst: Analyst
    clock: Clock
    limits: Limits = field(default_factory=Limits)
    cluster_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    freeze: bool = False
    unsent: Unsent = field(default_factory=Unsent)
    turns: Turns = field(default_factory=Turns)

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name.

        Raises:
            BadInput: none is configured under that name.
        """
        try:
            return self.clusters[name]
        except KeyError:
            known = ", ".join(sorted(self.clusters)) or "none"
            raise BadInput(f"no cluster {name!r} is configured (configured: {known})", field="cluster") from None

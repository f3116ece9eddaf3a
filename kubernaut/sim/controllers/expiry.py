"""Events are forgotten an hour after they last happened, as --event-ttl has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.clock import parse_time
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key, key_of

_LIFETIME_S = 3600.0


class EventExpiry(Controller):
    """etcd's lease on events; without it a long demo would fill the memory."""

    name = "event-expiry"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {"events": lambda change: [] if change.kind == "DELETED" else [key_of(change.entry.obj)]}

    def reconcile(self, key: Key) -> float | None:
        event = self.held("events", key)
        if event is None:
            return None
        series = (event.get("series") or {}).get("lastObservedTime")
        last = series or event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]
        left = _LIFETIME_S - (self.api.now() - parse_time(last)).total_seconds()
        if left > 0:
            return left
        self.store.remove("events", key)
        return None

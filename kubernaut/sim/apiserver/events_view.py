"""core/v1 and events.k8s.io/v1 are two views of one Event object; the store holds the core one.

Source: k8s.io/kubernetes/pkg/apis/events/v1/conversion.go
"""

from __future__ import annotations

from kubernaut.sim.apiserver.status import Json

_NAMES = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_BACK = {core: new for new, core in _NAMES.items()}


def to_core(obj: Json) -> Json:
    """The stored form of an events.k8s.io/v1 Event."""
    return {_NAMES.get(key, key): value for key, value in obj.items()} | {"kind": "Event", "apiVersion": "v1"}


def from_core(obj: Json) -> Json:
    """The events.k8s.io/v1 form of a stored Event."""
    renamed = {_BACK.get(key, key): value for key, value in obj.items()}
    return renamed | {"kind": "Event", "apiVersion": "events.k8s.io/v1"}

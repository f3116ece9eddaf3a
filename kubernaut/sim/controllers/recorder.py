"""Controllers tell what they did in Events; the same thing again raises the count of the first."""

from __future__ import annotations

import hashlib

from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.caller import controller
from kubernaut.sim.apiserver.clock import stamp
from kubernaut.sim.apiserver.status import Json, StatusError


class Recorder:
    """Writes core/v1 Events as client-go's recorder does."""

    def __init__(self, api: Api, component: str) -> None:
        self._api = api
        self._component = component

    def event(self, about: Json, kind: str, reason: str, message: str) -> None:
        """Record what happened to an object; a namespace that takes no content loses the event."""
        metadata = about["metadata"]
        namespace = metadata.get("namespace") or "default"
        digest = hashlib.sha256(f"{metadata['uid']}{kind}{reason}{message}{self._component}".encode()).hexdigest()
        name = f"{metadata['name']}.{digest[:16]}"
        resource = self._api.catalogue.of_bucket("events")
        now = stamp(self._api.now())
        held = self._api.store.get("events", (namespace, name))
        caller = controller(self._component)
        try:
            if held is not None:
                again = held.obj | {"count": held.obj.get("count", 1) + 1, "lastTimestamp": now}
                self._api.update(resource, namespace, name, again, caller)
                return
            self._api.create(resource, namespace, self._new(about, name, namespace, kind, reason, message, now), caller)
        except StatusError as error:
            if error.code not in (403, 404):
                raise

    def _new(self, about: Json, name: str, namespace: str, kind: str, reason: str, message: str, now: str) -> Json:
        metadata = about["metadata"]
        involved = {
            "kind": about["kind"],
            "namespace": metadata.get("namespace", ""),
            "name": metadata["name"],
            "uid": metadata["uid"],
            "apiVersion": about["apiVersion"],
            "resourceVersion": metadata["resourceVersion"],
        }
        return {
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {key: value for key, value in involved.items() if value},
            "reason": reason,
            "message": message,
            "type": kind,
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "reportingInstance": "",
        }

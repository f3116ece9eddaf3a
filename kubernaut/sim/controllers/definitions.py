"""A CustomResourceDefinition makes its kind served, and its deletion takes the kind's objects along."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.clock import stamp
from kubernaut.sim.apiserver.resources import bucket_name, from_definition
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key, key_of
from kubernaut.sim.controllers.pods import condition

BUCKET = "customresourcedefinitions.apiextensions.k8s.io"


class Definitions:
    """Serves and withdraws kinds the moment their definition changes."""

    def __init__(self, api: Api) -> None:
        self._api = api
        api.store.subscribe(BUCKET, self._changed)

    def _changed(self, change: Change) -> None:
        spec = change.entry.obj["spec"]
        group, plural = spec["group"], spec["names"]["plural"]
        self._api.catalogue.withdraw(group, plural)
        if change.kind == "DELETED":
            self._api.store.drop_bucket(bucket_name(group, plural))
        else:
            self._api.catalogue.serve(from_definition(change.entry.obj))


class DefinitionStatus(Controller):
    """Writes the conditions that clients wait for: NamesAccepted and Established."""

    name = "crd-controller"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {BUCKET: lambda change: [key_of(change.entry.obj)]}

    def reconcile(self, key: Key) -> float | None:
        definition = self.held(BUCKET, key)
        if definition is None or condition(definition, "Established"):
            return None
        now = stamp(self.api.now())
        spec = definition["spec"]
        conditions: list[Json] = [
            {
                "type": "NamesAccepted",
                "status": "True",
                "lastTransitionTime": now,
                "reason": "NoConflicts",
                "message": "no conflicts found",
            },
            {
                "type": "Established",
                "status": "True",
                "lastTransitionTime": now,
                "reason": "InitialNamesAccepted",
                "message": "the initial names have been accepted",
            },
        ]
        stored = [version["name"] for version in spec["versions"] if version.get("storage")]
        status = {"conditions": conditions, "acceptedNames": spec["names"], "storedVersions": stored}
        self.api.write_status(BUCKET, definition, status)
        return None

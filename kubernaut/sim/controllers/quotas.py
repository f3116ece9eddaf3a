"""A ResourceQuota's status says what its namespace uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver import quantity
from kubernaut.sim.apiserver.admission import usage
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key, key_of

_COUNTED = ("pods", "services", "secrets", "configmaps", "persistentvolumeclaims", "deployments.apps", "jobs.batch")


class QuotaController(Controller):
    """Recounts when an object comes or goes."""

    name = "resourcequota-controller"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        found: dict[str, Callable[[Change], Iterable[Key]]] = dict.fromkeys(_COUNTED, self._of_object)
        return found | {"resourcequotas": lambda change: [key_of(change.entry.obj)]}

    def _of_object(self, change: Change) -> list[Key]:
        if change.kind == "MODIFIED" and change.bucket != "pods":
            return []
        namespace = change.entry.obj["metadata"]["namespace"]
        return [key_of(one) for one in self.store.objects("resourcequotas", namespace)]

    def reconcile(self, key: Key) -> float | None:
        quota = self.held("resourcequotas", key)
        if quota is None:
            return None
        hard: Json = (quota.get("spec") or {}).get("hard") or {}
        used = {
            name: quantity.from_value(amount, hard[name]) for name, amount in usage(self.store, key[0], hard).items()
        }
        self.api.write_status("resourcequotas", quota, {"hard": hard, "used": used})
        return None

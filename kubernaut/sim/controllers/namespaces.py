"""Namespaces get their default service account, and when they are deleted their content goes first."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.caller import controller
from kubernaut.sim.apiserver.deletion import DeleteOptions
from kubernaut.sim.apiserver.status import Json, StatusError
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key, key_of

_AGAIN_S = 0.5
_AUTHORITY = "kube-root-ca.crt"


class DefaultAccounts(Controller):
    """Every namespace that stays has a service account `default`."""

    name = "serviceaccount-controller"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {
            "namespaces": lambda change: [key_of(change.entry.obj)],
            "serviceaccounts": lambda change: [("", change.entry.obj["metadata"]["namespace"])],
        }

    def reconcile(self, key: Key) -> float | None:
        namespace = self.held("namespaces", key)
        if namespace is None or namespace["metadata"].get("deletionTimestamp"):
            return None
        if self.held("serviceaccounts", (key[1], "default")) is None:
            made: Json = {"metadata": {"name": "default"}}
            self.api.create(self.api.catalogue.of_bucket("serviceaccounts"), key[1], made, controller())
        return None


class RootCertificates(Controller):
    """Every namespace has the certificate to trust in a ConfigMap, as pods expect."""

    name = "root-ca-certificate-publisher"

    def __init__(self, api: Api, authority_pem: str) -> None:
        super().__init__(api)
        self._pem = authority_pem

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {
            "namespaces": lambda change: [key_of(change.entry.obj)],
            "configmaps": self._of_map,
        }

    def _of_map(self, change: Change) -> list[Key]:
        metadata = change.entry.obj["metadata"]
        return [("", metadata["namespace"])] if metadata["name"] == _AUTHORITY else []

    def reconcile(self, key: Key) -> float | None:
        namespace = self.held("namespaces", key)
        if namespace is None or namespace["metadata"].get("deletionTimestamp"):
            return None
        wanted = {"ca.crt": self._pem}
        held = self.held("configmaps", (key[1], _AUTHORITY))
        if held is None:
            made: Json = {"metadata": {"name": _AUTHORITY}, "data": wanted}
            self.api.create(self.api.catalogue.of_bucket("configmaps"), key[1], made, controller())
        elif held.get("data") != wanted:
            self.api.edit("configmaps", held, lambda obj: obj.update(data=wanted))
        return None


class NamespaceContent(Controller):
    """Empties namespaces that are being deleted and then lets them go."""

    name = "namespace-controller"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {"namespaces": lambda change: [key_of(change.entry.obj)]}

    def reconcile(self, key: Key) -> float | None:
        namespace = self.held("namespaces", key)
        if namespace is None or not namespace["metadata"].get("deletionTimestamp"):
            return None
        remaining = 0
        for bucket in self.store.buckets():
            resource = self.api.catalogue.of_bucket(bucket)
            if not resource.namespaced:
                continue
            for entry in self.store.entries(bucket, key[1]):
                remaining += 1
                if not entry.obj["metadata"].get("deletionTimestamp"):
                    self._delete(bucket, entry.obj)
        if remaining:
            return _AGAIN_S

        def finalize(obj: Json) -> None:
            obj["spec"].pop("finalizers", None)

        self.api.edit("namespaces", namespace, finalize)
        return None

    def _delete(self, bucket: str, obj: Json) -> None:
        namespace, name = key_of(obj)
        options = DeleteOptions(propagation="Background")
        try:
            self.api.delete(self.api.catalogue.of_bucket(bucket), namespace, name, options, controller())
        except StatusError as error:
            if error.code != 404:
                raise

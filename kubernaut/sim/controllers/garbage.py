"""Objects whose owners are gone go too; a foreground deletion waits for what it blocks on.

Source: k8s.io/kubernetes/pkg/controller/garbagecollector
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.caller import controller
from kubernaut.sim.apiserver.deletion import FOREGROUND, ORPHAN, DeleteOptions
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key

_Where = tuple[str, str, str]  # bucket, namespace, name


class GarbageCollector(Controller):
    """Keys are uids: of owners that changed, and of objects that have owners."""

    name = "garbage-collector"

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self._where: dict[str, _Where] = {}
        self._dependents: dict[str, set[str]] = defaultdict(set)

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {"*": self._of_change}

    def _of_change(self, change: Change) -> list[Key]:
        metadata = change.entry.obj["metadata"]
        uid = metadata["uid"]
        owners = {one["uid"] for one in metadata.get("ownerReferences") or ()}
        before = change.old.obj["metadata"].get("ownerReferences") or () if change.old else ()
        for one in before:
            if one["uid"] not in owners:
                self._dependents[one["uid"]].discard(uid)
        if change.kind == "DELETED":
            self._where.pop(uid, None)
            for owner in owners:
                self._dependents[owner].discard(uid)
            waiting = [("owner", owner) for owner in owners if self._is_foreground(owner)]
            return [("owner", uid), *waiting] if self._dependents.get(uid) else waiting
        self._where[uid] = (change.bucket, metadata.get("namespace", ""), metadata["name"])
        for owner in owners:
            self._dependents[owner].add(uid)
        keys = (
            [("dependent", uid)]
            if owners and (change.kind == "ADDED" or before != metadata.get("ownerReferences"))
            else []
        )
        return [("owner", uid), *keys] if metadata.get("deletionTimestamp") else keys

    def reconcile(self, key: Key) -> float | None:
        kind, uid = key
        if kind == "dependent":
            self._collect_if_orphaned(uid)
            return None
        owner = self._object(uid)
        if owner is None:
            for dependent in list(self._dependents.pop(uid, ())):
                self._collect_if_orphaned(dependent)
            return None
        finalizers = owner["metadata"].get("finalizers") or ()
        if owner["metadata"].get("deletionTimestamp") and ORPHAN in finalizers:
            self._orphan(owner)
        elif owner["metadata"].get("deletionTimestamp") and FOREGROUND in finalizers:
            self._foreground(owner)
        return None

    def _object(self, uid: str) -> Json | None:
        where = self._where.get(uid)
        entry = self.store.get(where[0], where[1:]) if where else None
        return entry.obj if entry is not None and entry.obj["metadata"]["uid"] == uid else None

    def _is_foreground(self, uid: str) -> bool:
        owner = self._object(uid)
        return owner is not None and FOREGROUND in (owner["metadata"].get("finalizers") or ())

    def _collect_if_orphaned(self, uid: str) -> None:
        """Delete an object none of whose owners exists any more; drop references to those that don't."""
        obj = self._object(uid)
        if obj is None or obj["metadata"].get("deletionTimestamp"):
            return
        owners = obj["metadata"].get("ownerReferences") or []
        if not owners:
            return
        gone = {one["uid"] for one in owners if self._object(one["uid"]) is None}
        if len(gone) == len(owners):
            self._delete(uid, "Background")
        elif gone:
            self._drop_references(uid, gone)

    def _delete(self, uid: str, propagation: str) -> None:
        bucket, namespace, name = self._where[uid]
        options = DeleteOptions(propagation=propagation, uid=uid)
        self.api.delete(self.api.catalogue.of_bucket(bucket), namespace, name, options, controller())

    def _drop_references(self, uid: str, owners: set[str]) -> None:
        obj = self._object(uid)
        if obj is None:
            return

        def change(held: Json) -> None:
            kept = [one for one in held["metadata"].get("ownerReferences") or () if one["uid"] not in owners]
            held["metadata"]["ownerReferences"] = kept

        self.api.edit(self._where[uid][0], obj, change)

    def _orphan(self, owner: Json) -> None:
        uid = owner["metadata"]["uid"]
        for dependent in list(self._dependents.get(uid, ())):
            self._drop_references(dependent, {uid})
        self._let_go(owner, ORPHAN)

    def _foreground(self, owner: Json) -> None:
        uid = owner["metadata"]["uid"]
        blocking = False
        for dependent in list(self._dependents.get(uid, ())):
            obj = self._object(dependent)
            if obj is None:
                continue
            reference = next(one for one in obj["metadata"]["ownerReferences"] if one["uid"] == uid)
            blocking = blocking or bool(reference.get("blockOwnerDeletion"))
            if not obj["metadata"].get("deletionTimestamp"):
                self._delete(dependent, "Foreground" if self._dependents.get(dependent) else "Background")
                blocking = blocking and self._object(dependent) is not None
        if not blocking:
            self._let_go(owner, FOREGROUND)

    def _let_go(self, owner: Json, finalizer: str) -> None:
        def change(held: Json) -> None:
            held["metadata"]["finalizers"] = [
                name for name in held["metadata"].get("finalizers") or () if name != finalizer
            ]

        self.api.edit(self._where[owner["metadata"]["uid"]][0], owner, change)

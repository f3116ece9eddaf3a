"""Controllers are level-based: a change names a key, the key is reconciled from the present state.

One task runs all controllers; a reconcile is synchronous and short, and between two of them the event loop turns.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.status import Json, StatusError
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.recorder import Recorder

_log = structlog.get_logger(__name__)
Key = tuple[str, str]
_FIRST_RETRY_S, _LAST_RETRY_S = 0.05, 60.0


def key_of(obj: Json) -> Key:
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def owner_key(obj: Json, kind: str) -> list[Key]:
    """The key of the controlling owner of a kind, if there is one."""
    owner = controller_of(obj)
    return [(obj["metadata"].get("namespace", ""), owner["name"])] if owner and owner["kind"] == kind else []


def controller_of(obj: Json) -> Json | None:
    """The owner reference that says `controller: true`."""
    return next((one for one in obj["metadata"].get("ownerReferences") or () if one.get("controller")), None)


def reference_to(owner: Json) -> Json:
    """The owner reference a controller writes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


class Controller(ABC):
    """Base of all controllers: maps changes to keys and reconciles keys."""

    name = "controller"

    def __init__(self, api: Api) -> None:
        self.api = api
        self.store = api.store
        self.recorder = Recorder(api, self.name)

    @abstractmethod
    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        """For each bucket, which keys a change concerns."""

    @abstractmethod
    def reconcile(self, key: Key) -> float | None:
        """Bring the world nearer to what is wanted.

        Returns:
            Seconds after which to look again without any change, or None.
        """

    def held(self, bucket: str, key: Key) -> Json | None:
        entry = self.store.get(bucket, key)
        return entry.obj if entry else None


@dataclass(frozen=True, slots=True)
class _Item:
    controller: Controller
    key: Key


class ControllerLoop:
    """The work queue of all controllers."""

    def __init__(self, api: Api, controllers: list[Controller]) -> None:
        self._api = api
        self._controllers = controllers
        self._queue: deque[_Item] = deque()
        self._queued: set[_Item] = set()
        self._timers: list[tuple[float, int, _Item]] = []
        self._due: dict[_Item, float] = {}
        self._failures: dict[_Item, int] = {}
        self._numbers = itertools.count()
        self._arrived = asyncio.Event()
        self._routes: dict[str, list[tuple[Controller, Callable[[Change], Iterable[Key]]]]] = {}
        for controller in controllers:
            for bucket, keys in controller.triggers().items():
                self._routes.setdefault(bucket, []).append((controller, keys))

    async def run(self) -> None:
        """Reconcile until cancelled."""
        unsubscribe = self._api.store.subscribe("*", self._changed)
        try:
            for bucket in self._api.store.buckets():
                for entry in self._api.store.entries(bucket):
                    self._changed(Change("ADDED", bucket, entry, None, entry.revision))
            while True:
                await self._wait()
                while self._queue:
                    self._work(self._queue.popleft())
                    await asyncio.sleep(0)
        finally:
            unsubscribe()

    def _changed(self, change: Change) -> None:
        for bucket in (change.bucket, "*"):
            for controller, keys in self._routes.get(bucket, ()):
                for key in keys(change):
                    self._add(_Item(controller, key))

    def _add(self, item: _Item) -> None:
        if item not in self._queued:
            self._queued.add(item)
            self._queue.append(item)
            self._arrived.set()

    def _work(self, item: _Item) -> None:
        self._queued.discard(item)
        try:
            again = item.controller.reconcile(item.key)
        except StatusError as error:
            again = None if error.reason == "NotFound" else self._retry_s(item)
        except Exception:
            _log.exception("simulated controller failed", controller=item.controller.name, key="/".join(item.key))
            again = self._retry_s(item)
        else:
            self._failures.pop(item, None)
        if again is not None:
            self._later(item, again)

    def _retry_s(self, item: _Item) -> float:
        failures = self._failures.get(item, 0)
        self._failures[item] = failures + 1
        return float(min(_FIRST_RETRY_S * 2**failures, _LAST_RETRY_S))

    def _later(self, item: _Item, seconds: float) -> None:
        due = asyncio.get_running_loop().time() + max(seconds, 0.001)
        if self._due.get(item, float("inf")) <= due:
            return
        self._due[item] = due
        heapq.heappush(self._timers, (due, next(self._numbers), item))
        self._arrived.set()

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._queue:
            self._arrived.clear()
            now = loop.time()
            while self._timers and self._timers[0][0] <= now:
                due, _, item = heapq.heappop(self._timers)
                if self._due.get(item) == due:
                    del self._due[item]
                    self._add(item)
            if self._queue:
                return
            pause = self._timers[0][0] - now if self._timers else None
            try:
                async with asyncio.timeout(pause):
                    await self._arrived.wait()
            except TimeoutError:
                continue

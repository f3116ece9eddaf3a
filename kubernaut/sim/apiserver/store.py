"""Objects in memory under one resourceVersion, with the history that watches resume from.

Stored objects are never changed in place: a write stores a new dict, so that lists, watches and controllers may
share them without copies, and each is encoded to JSON once however many clients read it.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from kubernaut.sim.apiserver.status import Json

Key = tuple[str, str]  # namespace ("" for cluster scope), name
_encode = msgspec.json.Encoder().encode
HISTORY = 4096


class Entry:
    """One stored version of one object."""

    __slots__ = ("_bare", "_views", "obj", "revision")

    def __init__(self, obj: Json, revision: int) -> None:
        self.obj = obj
        self.revision = revision
        self._bare: bytes | None = None
        self._views: dict[str, bytes] | None = None

    def bare(self) -> bytes:
        """JSON without kind and apiVersion, as items of a built-in list are written."""
        if self._bare is None:
            self._bare = _encode({key: value for key, value in self.obj.items() if key not in ("kind", "apiVersion")})
        return self._bare

    def full(self) -> bytes:
        """JSON with kind and apiVersion first."""
        head = b'{"kind":"%s","apiVersion":"%s",' % (self.obj["kind"].encode(), self.obj["apiVersion"].encode())
        return head + self.bare()[1:]

    def view(self, name: str, make: Callable[[Json], Json]) -> bytes:
        """JSON of another representation of the object, made once."""
        if self._views is None:
            self._views = {}
        if name not in self._views:
            self._views[name] = _encode(make(self.obj))
        return self._views[name]


@dataclass(frozen=True, slots=True)
class Change:
    """One write as watches see it; `old` is None for an addition."""

    kind: str  # ADDED, MODIFIED, DELETED
    bucket: str
    entry: Entry
    old: Entry | None
    revision: int


Listener = Callable[[Change], None]


class Store:
    """Buckets of objects, one a resource; every write has its own revision."""

    def __init__(self) -> None:
        self._buckets: dict[str, dict[Key, Entry]] = defaultdict(dict)
        self._history: dict[str, deque[Change]] = defaultdict(lambda: deque(maxlen=HISTORY))
        self._forgotten: dict[str, int] = defaultdict(int)
        self._listeners: dict[str, list[Listener]] = defaultdict(list)
        self._everything: list[Listener] = []
        self._numbers = itertools.count(1)
        self.revision = next(self._numbers)

    def get(self, bucket: str, key: Key) -> Entry | None:
        return self._buckets[bucket].get(key)

    def entries(self, bucket: str, namespace: str = "") -> list[Entry]:
        """Entries in key order, as etcd returns them."""
        held = self._buckets[bucket]
        if namespace:
            return [held[key] for key in sorted(held) if key[0] == namespace]
        return [held[key] for key in sorted(held)]

    def objects(self, bucket: str, namespace: str = "") -> Iterable[Json]:
        """Objects in no particular order, for controllers."""
        held = self._buckets[bucket].values()
        if namespace:
            return [entry.obj for entry in held if entry.obj["metadata"].get("namespace", "") == namespace]
        return [entry.obj for entry in held]

    def buckets(self) -> list[str]:
        return [name for name, held in self._buckets.items() if held]

    def put(self, bucket: str, obj: Json) -> Entry:
        """Store a new version under the next revision and tell everyone."""
        metadata = obj["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        entry = self._numbered(obj)
        held = self._buckets[bucket]
        old = held.get(key)
        held[key] = entry
        self._tell(Change("MODIFIED" if old else "ADDED", bucket, entry, old, entry.revision))
        return entry

    def remove(self, bucket: str, key: Key, last: Json | None = None) -> Entry:
        """Remove an object; its last state is told with the revision of the removal."""
        old = self._buckets[bucket].pop(key)
        entry = self._numbered(dict(last or old.obj))
        self._tell(Change("DELETED", bucket, entry, old, entry.revision))
        return entry

    def drop_bucket(self, bucket: str) -> None:
        for key in list(self._buckets[bucket]):
            self.remove(bucket, key)

    def since(self, bucket: str, revision: int) -> list[Change] | None:
        """Changes after a revision, or None if some of them are no longer known."""
        if revision < self._forgotten[bucket]:
            return None
        history = self._history[bucket]
        start = bisect_right([change.revision for change in history], revision)
        return list(itertools.islice(history, start, None))

    def oldest_known(self, bucket: str) -> int:
        return self._forgotten[bucket]

    def forget(self, revision: int | None = None) -> None:
        """Compact: changes up to a revision (default: now) can no longer be watched from."""
        limit = self.revision if revision is None else revision
        for bucket in set(self._history) | set(self._buckets):
            history = self._history[bucket]
            while history and history[0].revision <= limit:
                history.popleft()
            self._forgotten[bucket] = max(self._forgotten[bucket], limit)

    def subscribe(self, bucket: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` for each change of a bucket ("*": all) until the returned function is called."""
        listeners = self._everything if bucket == "*" else self._listeners[bucket]
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    def _numbered(self, obj: Json) -> Entry:
        self.revision = next(self._numbers)
        obj["metadata"] = {**obj["metadata"], "resourceVersion": str(self.revision)}
        return Entry(obj, self.revision)

    def _tell(self, change: Change) -> None:
        history = self._history[change.bucket]
        if len(history) == history.maxlen:
            self._forgotten[change.bucket] = history[0].revision
        history.append(change)
        for listener in tuple(self._listeners[change.bucket]):
            listener(change)
        for listener in tuple(self._everything):
            listener(change)

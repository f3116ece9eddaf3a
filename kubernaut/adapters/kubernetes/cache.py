"""The objects of one kind as the watch last told them, found by name or by the uid of their controller."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Container
from itertools import chain

from kubernaut.domain.resources import Kind

from .codec import Entry, Json, LazyObject, about, whole

Changed = Callable[[LazyObject | None, LazyObject | None], None]
Key = tuple[str, str]
ABOUT = "involvedObject.name="
"""Field selector by which Events are found: a namespace has thousands, and a failure concerns a handful."""
_MEMO = 256


class KindCache:
    """Keeps raw bytes; decodes on demand and remembers the last few hundred decoded objects.

    Args:
        changed: called with (before, after) for every difference, whether it came by the watch or by a new listing;
            an object that a listing repeats unchanged makes no call.
    """

    def __init__(self, kind: Kind, changed: Changed | None = None) -> None:
        self.kind = kind
        self._changed = changed
        self._entries: dict[str, dict[str, Entry]] = {}
        self._owned: dict[str, dict[Key, None]] = {}
        self._told: dict[str, dict[Key, None]] | None = {} if kind.kind == "Event" else None
        self._memo: OrderedDict[int, tuple[Entry, Json]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def put(self, fresh: Entry) -> None:
        """An object was added or modified."""
        key = (fresh.namespace, fresh.name)
        known = self._find(*key)
        if known is not None:
            if known.version == fresh.version and known.uid == fresh.uid:
                return
            if known.owner_uid and known.owner_uid != fresh.owner_uid:
                _take(self._owned, known.owner_uid, key)
            if self._told is not None:
                _take(self._told, known.about, key)
        self._entries.setdefault(fresh.namespace, {})[fresh.name] = fresh
        if fresh.owner_uid:
            self._owned.setdefault(fresh.owner_uid, {})[key] = None
        if self._told is not None:
            fresh.about = about(fresh.raw)
            self._told.setdefault(fresh.about, {})[key] = None
        self._tell(known, fresh)

    def drop(self, namespace: str, name: str) -> None:
        """An object was deleted; its last known state is told as `before`."""
        known = self._find(namespace, name)
        if known is None:
            return
        del self._entries[namespace][name]
        if not self._entries[namespace]:
            del self._entries[namespace]
        _take(self._owned, known.owner_uid, (namespace, name))
        if self._told is not None:
            _take(self._told, known.about, (namespace, name))
        self._tell(known, None)

    def retain(self, keys: Container[Key]) -> None:
        """Everything that is not among `keys` was deleted while nobody watched."""
        there = [(namespace, name) for namespace, entries in self._entries.items() for name in entries]
        for namespace, name in there:
            if (namespace, name) not in keys:
                self.drop(namespace, name)

    def get(self, namespace: str, name: str) -> Json | None:
        """One decoded object. It is shared: readers must not change it."""
        found = self._find(namespace, name)
        return None if found is None else self.decoded(found)

    def owned(self, owner_uid: str, namespace: str) -> list[Json]:
        """The objects whose controller has this uid."""
        return [self.decoded(found) for found in self._of(self._owned.get(owner_uid, ()), namespace)]

    def entries(self, namespace: str = "", fields: str = "") -> list[Entry]:
        """Objects undecoded, of one namespace if given, as they are at this moment: all that the field selector may select,
        and others where no index knows it."""
        name = fields.removeprefix(ABOUT)
        if self._told is not None and name != fields and not set(name) & set(" =,"):
            return self._of(self._told.get(name, ()), namespace)
        if namespace:
            return list(self._entries.get(namespace, {}).values())
        return list(chain.from_iterable(entries.values() for entries in self._entries.values()))

    def decoded(self, found: Entry) -> Json:
        """The whole object. It is shared: readers must not change it."""
        known = self._memo.get(id(found))
        if known is not None and known[0] is found:
            self._memo.move_to_end(id(found))
            return known[1]
        item = whole(found.raw, self.kind.kind, self.kind.api_version)
        self._memo[id(found)] = (found, item)
        if len(self._memo) > _MEMO:
            self._memo.popitem(last=False)
        return item

    def _find(self, namespace: str, name: str) -> Entry | None:
        return self._entries.get(namespace, {}).get(name)

    def _of(self, keys: Collection[Key], namespace: str) -> list[Entry]:
        return [self._entries[where][name] for where, name in keys if namespace in ("", where)]

    def _tell(self, before: Entry | None, after: Entry | None) -> None:
        if self._changed is None:
            return
        kind = self.kind
        self._changed(
            None if before is None else LazyObject(kind.kind, kind.api_version, before),
            None if after is None else LazyObject(kind.kind, kind.api_version, after),
        )


def _take(index: dict[str, dict[Key, None]], value: str, key: Key) -> None:
    keys = index.get(value)
    if keys is not None:
        keys.pop(key, None)
        if not keys:
            del index[value]

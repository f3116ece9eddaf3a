"""The objects of one kind as the watch last told them, found by name or by the uid of their controller."""

from collections import OrderedDict
from collections.abc import Callable, Container

from kubernaut.domain.resources import Kind

from .codec import Entry, Json, LazyObject, whole

Changed = Callable[[LazyObject | None, LazyObject | None], None]
Key = tuple[str, str]
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
        self._entries: dict[Key, Entry] = {}
        self._owned: dict[str, dict[Key, None]] = {}
        self._memo: OrderedDict[int, tuple[Entry, Json]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, fresh: Entry) -> None:
        """An object was added or modified."""
        key = (fresh.namespace, fresh.name)
        known = self._entries.get(key)
        if known is not None:
            if known.version == fresh.version and known.uid == fresh.uid:
                return
            if known.owner_uid and known.owner_uid != fresh.owner_uid:
                self._disown(known, key)
        self._entries[key] = fresh
        if fresh.owner_uid:
            self._owned.setdefault(fresh.owner_uid, {})[key] = None
        self._tell(known, fresh)

    def drop(self, namespace: str, name: str) -> None:
        """An object was deleted; its last known state is told as `before`."""
        key = (namespace, name)
        known = self._entries.pop(key, None)
        if known is None:
            return
        if known.owner_uid:
            self._disown(known, key)
        self._tell(known, None)

    def retain(self, keys: Container[Key]) -> None:
        """Everything that is not among `keys` was deleted while nobody watched."""
        for namespace, name in [key for key in self._entries if key not in keys]:
            self.drop(namespace, name)

    def get(self, namespace: str, name: str) -> Json | None:
        """One decoded object. It is shared: readers must not change it."""
        found = self._entries.get((namespace, name))
        return None if found is None else self.decoded(found)

    def owned(self, owner_uid: str, namespace: str) -> list[Json]:
        """The objects whose controller has this uid."""
        keys = self._owned.get(owner_uid, {})
        return [self.decoded(self._entries[key]) for key in keys if namespace in ("", key[0])]

    def entries(self, namespace: str = "") -> list[Entry]:
        """All objects undecoded, of one namespace if given, as they are at this moment."""
        return [found for (where, _), found in self._entries.items() if namespace in ("", where)]

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

    def _disown(self, known: Entry, key: Key) -> None:
        keys = self._owned.get(known.owner_uid)
        if keys is not None:
            keys.pop(key, None)
            if not keys:
                del self._owned[known.owner_uid]

    def _tell(self, before: Entry | None, after: Entry | None) -> None:
        if self._changed is None:
            return
        kind = self.kind
        self._changed(
            None if before is None else LazyObject(kind.kind, kind.api_version, before),
            None if after is None else LazyObject(kind.kind, kind.api_version, after),
        )

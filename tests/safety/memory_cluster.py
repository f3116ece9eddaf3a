"""A cluster in memory whose answers a test chooses: it loses replies, refuses, and lets somebody act in between."""

import copy
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from kubernaut.domain.errors import Conflict, NotFound
from kubernaut.domain.facts import Object, controller_uid
from kubernaut.domain.reading import section
from kubernaut.domain.resources import ResourceRef
from kubernaut.ports import ClusterHealth

Json = dict[str, Any]
Hook = Callable[[str, ResourceRef], Awaitable[None]]


class MemoryCluster:
    """`ports.Cluster` over a dict.

    Args:
        before: called before each write that is no dry run: may raise, so that nothing is written.
        after: called when it is written: may raise, so that the reply is lost.
        when_asked: called before each permission question.
    """

    def __init__(self, name: str = "prod") -> None:
        self.name = name
        self.objects: dict[tuple[str, str, str], Json] = {}
        self.writes: list[tuple[str, str]] = []
        self.before: Hook | None = None
        self.after: Hook | None = None
        self.when_asked: Callable[[], None] | None = None
        self._version = 100

    def put(self, item: Json) -> Json:
        """An object as the cluster has it from now on."""
        meta = item["metadata"]
        self._version += 1
        meta.setdefault("uid", f"uid-{item['kind']}-{meta['name']}")
        meta["resourceVersion"] = str(self._version)
        self.objects[(item["kind"], meta.get("namespace", ""), meta["name"])] = item
        return item

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """Somebody deleted it."""
        del self.objects[(kind, namespace, name)]

    def health(self) -> ClusterHealth:
        return ClusterHealth(self.name, "LIVE", 0.0)

    def cached(self, kind: str, namespace: str, name: str) -> Object | None:
        return self.objects.get((kind, namespace, name))

    async def get(self, kind: str, namespace: str, name: str, *, live: bool = False) -> Object | None:
        found = self.objects.get((kind, namespace, name))
        return copy.deepcopy(found)

    async def list(
        self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "", live: bool = False
    ) -> Sequence[Object]:
        found = [o for (k, ns, _), o in self.objects.items() if k == kind and namespace in ("", ns)]
        if fields.startswith("spec.nodeName="):
            node = fields.partition("=")[2]
            found = [o for o in found if section(o, "spec").get("nodeName", node) == node]
        return copy.deepcopy(found)

    async def owned(self, kind: str, owner_uid: str, namespace: str) -> Sequence[Object]:
        return [o for o in await self.list(kind, namespace) if controller_uid(o) == owner_uid]

    async def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, tail_lines: int = 100
    ) -> str:
        raise NotFound("no log")

    async def allowed(self, verb: str, kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
        if self.when_asked:
            self.when_asked()
        return ""

    async def patch(
        self, ref: ResourceRef, patch: Mapping[str, Any], *, expected: Mapping[str, str], dry_run: bool = False,
        **_: Any,
    ) -> Object:  # fmt: skip
        async def write() -> None:
            item = self._expected(ref, expected)
            if not dry_run:
                before = copy.deepcopy(item.get("spec"))
                _merge(item, copy.deepcopy(dict(patch)))
                generation = item["metadata"].get("generation")
                if item.get("spec") != before and isinstance(generation, int):
                    item["metadata"]["generation"] = generation + 1
                self.put(item)

        await self._write("patch", ref, write, dry_run)
        return copy.deepcopy(self.objects[(ref.kind, ref.namespace, ref.name)])

    async def delete(
        self, ref: ResourceRef, *, expected: Mapping[str, str], dry_run: bool = False, grace_s: int | None = None
    ) -> None:
        async def write() -> None:
            self._expected(ref, expected)
            if not dry_run:
                self.remove(ref.kind, ref.namespace, ref.name)

        await self._write("delete", ref, write, dry_run)

    async def evict(self, ref: ResourceRef, *, expected: Mapping[str, str], dry_run: bool = False) -> None:
        async def write() -> None:
            self._expected(ref, expected)
            if not dry_run:
                self.remove(ref.kind, ref.namespace, ref.name)

        await self._write("evict", ref, write, dry_run)

    def _expected(self, ref: ResourceRef, expected: Mapping[str, str]) -> Json:
        item = self.objects.get((ref.kind, ref.namespace, ref.name))
        if item is None:
            raise NotFound(f"{ref} is not there")
        if item["metadata"]["uid"] != expected["uid"]:
            raise Conflict(f"{ref} is another one")
        if expected.get("resourceVersion", item["metadata"]["resourceVersion"]) != item["metadata"]["resourceVersion"]:
            raise Conflict(f"{ref} has another version")
        return copy.deepcopy(item)

    async def _write(self, verb: str, ref: ResourceRef, write: Callable[[], Awaitable[None]], dry_run: bool) -> None:
        if not dry_run and self.before:
            await self.before(verb, ref)
        await write()
        if not dry_run:
            self.writes.append((verb, str(ref)))
            if self.after:
                await self.after(verb, ref)


def _merge(item: Json, patch: Mapping[str, Any]) -> None:
    for key, value in patch.items():
        if isinstance(value, Mapping) and isinstance(item.get(key), dict):
            _merge(item[key], value)  # what is no object is replaced, as in the API
        else:
            item[key] = value

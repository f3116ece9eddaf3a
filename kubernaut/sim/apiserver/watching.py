"""A watch is the list of changes after a revision, filtered for one client; each change is encoded once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

import msgspec

from kubernaut.sim.apiserver.listing import Query
from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.status import Json, StatusError
from kubernaut.sim.apiserver.store import Change, Entry, Store

Render = Callable[[Entry], bytes]
_BOOKMARK_S = 10.0  # genuine servers send one about every minute; sooner does no harm and tests reconnects
_INITIAL_END = "k8s.io/initial-events-end"


def line(kind: str, body: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), body)


class Watch:
    """One client's stream of lines."""

    def __init__(self, store: Store, resource: Resource, query: Query, render: Render) -> None:
        self._store = store
        self._resource = resource
        self._query = query
        self._render = render
        self._changes: deque[Change] = deque()
        self._arrived = asyncio.Event()
        self._seen = 0

    async def lines(
        self, revision: str, timeout_s: float, *, bookmarks: bool, initial: bool, stopped: asyncio.Event
    ) -> AsyncIterator[bytes]:
        """Lines until the time is over, the server stops or the revision proves too old."""
        unsubscribe = self._store.subscribe(self._resource.bucket, self._take)
        try:
            for first in self._beginning(revision, initial=initial):
                yield first
            loop = asyncio.get_running_loop()
            end = loop.time() + timeout_s
            bookmark_at = loop.time() + _BOOKMARK_S
            while not stopped.is_set() and loop.time() < end:
                batch = b"".join(self._drained())
                if batch:
                    yield batch
                    continue
                if bookmarks and loop.time() >= bookmark_at:
                    yield self._bookmark({})
                    bookmark_at = loop.time() + _BOOKMARK_S
                await self._wait(min(end, bookmark_at) - loop.time())
            if bookmarks and not stopped.is_set():
                yield self._bookmark({})
        finally:
            unsubscribe()

    def wake(self) -> None:
        """Look again whether to stop."""
        self._arrived.set()

    def _take(self, change: Change) -> None:
        self._changes.append(change)
        self._arrived.set()

    async def _wait(self, seconds: float) -> None:
        self._arrived.clear()
        if self._changes:
            return
        try:
            async with asyncio.timeout(max(seconds, 0.01)):
                await self._arrived.wait()
        except TimeoutError:
            return

    def _drained(self) -> list[bytes]:
        lines = []
        while self._changes:
            change = self._changes.popleft()
            if change.revision <= self._seen:
                continue
            self._seen = change.revision
            text = self._seen_as(change)
            if text:
                lines.append(text)
        return lines

    def _seen_as(self, change: Change) -> bytes:
        """A change may enter or leave what the client selected."""
        kind = change.kind
        now = self._query.wants(change.entry)
        if kind == "DELETED":
            return line(kind, self._render(change.entry)) if now else b""
        before = change.old is not None and self._query.wants(change.old)
        if now:
            return line("MODIFIED" if before else "ADDED", self._render(change.entry))
        if before and change.old is not None:
            left = dict(change.old.obj)
            left["metadata"] = left["metadata"] | {"resourceVersion": str(change.revision)}
            return line("DELETED", self._render(Entry(left, change.revision)))
        return b""

    def _beginning(self, revision: str, *, initial: bool) -> list[bytes]:
        if revision in ("", "0") or initial:
            self._seen = self._store.revision
            entries = self._store.entries(self._resource.bucket, self._query.namespace)
            lines = [line("ADDED", self._render(entry)) for entry in entries if self._query.wants(entry)]
            if initial:
                lines.append(self._bookmark({_INITIAL_END: "true"}))
            return lines
        self._seen = int(revision)
        missed = self._store.since(self._resource.bucket, self._seen)
        if missed is None:
            oldest = self._store.oldest_known(self._resource.bucket)
            error = StatusError(410, "Expired", f"too old resource version: {revision} ({oldest})")
            self._changes.clear()
            raise error
        self._changes.extendleft(reversed(missed))
        return []

    def _bookmark(self, annotations: Json) -> bytes:
        self._seen = max(self._seen, self._store.revision) if not self._changes else self._seen
        metadata: Json = {"resourceVersion": str(self._seen), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        body = {"kind": self._resource.kind, "apiVersion": self._resource.api_version, "metadata": metadata}
        return line("BOOKMARK", msgspec.json.encode(body))

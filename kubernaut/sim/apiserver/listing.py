"""Lists are consistent: every page of one list shows the same moment, until its continue token expires."""

from __future__ import annotations

import base64
from collections import OrderedDict
from dataclasses import dataclass

import msgspec

from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.selectors import Fields, Labels
from kubernaut.sim.apiserver.status import Json, StatusError, bad_request
from kubernaut.sim.apiserver.store import Entry, Store

_SNAPSHOTS = 64


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries of a list and where it goes on."""

    entries: list[Entry]
    revision: int
    continue_token: str = ""
    remaining: int = 0

    def metadata(self) -> Json:
        found: Json = {"resourceVersion": str(self.revision)}
        if self.continue_token:
            found["continue"] = self.continue_token
            if self.remaining:
                found["remainingItemCount"] = self.remaining
        return found


@dataclass(frozen=True, slots=True)
class Query:
    """What part of a resource somebody wants."""

    namespace: str
    labels: Labels
    fields: Fields
    limit: int = 0
    continue_token: str = ""

    def wants(self, entry: Entry) -> bool:
        """Whether an object is in the namespace and selected."""
        metadata = entry.obj["metadata"]
        if self.namespace and metadata.get("namespace") != self.namespace:
            return False
        return self.labels.matches(metadata.get("labels")) and (not self.fields or self.fields.matches(entry.obj))


class Lister:
    """Answers lists from the store, or from the snapshot a continue token names."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._snapshots: OrderedDict[tuple[str, int], list[Entry]] = OrderedDict()

    def page(self, resource: Resource, query: Query) -> Page:
        """One page.

        Raises:
            StatusError: 400 for a token nobody made, 410 Expired for one whose snapshot is gone.
        """
        if query.continue_token:
            revision, start = _read_token(query.continue_token)
            entries = self._snapshot(resource, revision)
        else:
            revision, start = self._store.revision, ("", "")
            entries = self._store.entries(resource.bucket, query.namespace)
        wanted = [entry for entry in entries if query.wants(entry) and _key(entry) > start]
        if not query.limit or len(wanted) <= query.limit:
            return Page(wanted, revision)
        page = wanted[: query.limit]
        self._snapshots.setdefault(
            (resource.bucket, revision), entries if query.continue_token else self._store.entries(resource.bucket)
        )
        while len(self._snapshots) > _SNAPSHOTS:
            self._snapshots.popitem(last=False)
        counted = 0 if query.labels or query.fields else len(wanted) - len(page)
        return Page(page, revision, _token(revision, _key(page[-1])), counted)

    def forget(self) -> None:
        """Expire every continue token given so far, as a compaction of etcd does."""
        self._snapshots.clear()

    def _snapshot(self, resource: Resource, revision: int) -> list[Entry]:
        entries = self._snapshots.get((resource.bucket, revision))
        if entries is None:
            raise StatusError(
                410,
                "Expired",
                "The provided continue parameter is too old to display a consistent list result. You can start a new "
                "list without the continue parameter, or use the continue token in this response to retrieve the "
                "remainder of the results. Continuing with the provided token results in an inconsistent list - "
                "objects that were created, modified, or deleted between the time the first chunk was returned and "
                "now may show up in the list.",
            )
        return entries


def _key(entry: Entry) -> tuple[str, str]:
    metadata = entry.obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _token(revision: int, after: tuple[str, str]) -> str:
    body = {"v": "meta.k8s.io/v1", "rv": revision, "start": "/".join(after)}
    return base64.urlsafe_b64encode(msgspec.json.encode(body)).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        body = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _, name = body["start"].partition("/")
        return int(body["rv"]), (namespace, name)
    except (ValueError, KeyError, TypeError, msgspec.DecodeError) as error:
        raise bad_request("invalid continue token: continue key is not valid: " + str(error)) from error

"""A snapshot holds the facts that an analysis is made of: plain objects as the API served them, and log tails.

It is the same value whether it was read from a live cluster or from a dump directory, so the analyst needs no cluster.
Secrets never enter it with their values: readers keep the names of the keys only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .resources import ResourceRef

Object = Mapping[str, Any]
"""One Kubernetes object as decoded JSON; `kind` is always filled in."""


@dataclass(frozen=True, slots=True)
class LogKey:
    """Which log: one container of one pod, of its present or its previous run."""

    namespace: str
    pod: str
    container: str
    previous: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit that touched the object's files, newest first in `Snapshot.commits`."""

    sha: str
    at: datetime
    author: str
    subject: str
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All facts about one target at one moment.

    Args:
        target: the object that is analysed (the top owner).
        objects: every object read, in no particular order.
        logs: log tails, redacted, newest lines last.
        commits: recent commits of the repository that owns the target, newest first.
        missing: what could not be read and why, one line each, so that an analysis never takes absence for evidence.
        signal: name of the signal that asked, and its labels (`pod`, `container`, …); empty for `diagnose`.
    """

    target: ResourceRef
    taken_at: datetime
    objects: tuple[Object, ...]
    logs: Mapping[LogKey, str] = field(default_factory=dict)
    commits: tuple[Commit, ...] = ()
    missing: tuple[str, ...] = ()
    signal: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def of_kind(self, kind: str, namespace: str | None = None) -> Iterator[Object]:
        """All objects of a kind, of one namespace if given."""
        for item in self.objects:
            if item["kind"] == kind and namespace in (None, item["metadata"].get("namespace", "")):
                yield item

    def get(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """One object, or None when it was not read."""
        return next((o for o in self.of_kind(kind, namespace) if o["metadata"]["name"] == name), None)

    @property
    def root(self) -> Object | None:
        """The target itself."""
        return self.get(self.target.kind, self.target.name, self.target.namespace)

    def owned(self, owner: Object, kind: str) -> list[Object]:
        """Objects of `kind` that `owner` controls, by uid."""
        uid = owner["metadata"].get("uid")
        return [o for o in self.of_kind(kind) if uid and controller_uid(o) == uid]

    def pods(self) -> list[Object]:
        """The target's pods: through its ReplicaSets, directly, scheduled on it (a Node), or the target itself (a Pod)."""
        root = self.root
        if root is None:
            return []
        if self.target.kind == "Pod":
            return [root]
        if self.target.kind == "Node":
            return [p for p in self.of_kind("Pod") if p.get("spec", {}).get("nodeName") == self.target.name]
        direct = self.owned(root, "Pod")
        if self.target.kind == "Deployment":
            direct += [p for rs in self.owned(root, "ReplicaSet") for p in self.owned(rs, "Pod")]
        return direct

    def events(self, item: Object) -> list[Object]:
        """Events about one object."""
        uid = item["metadata"].get("uid")
        return [e for e in self.of_kind("Event") if uid and e.get("involvedObject", {}).get("uid") == uid]

    def log(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> str:
        """One log tail; empty when it was not read."""
        return self.logs.get(LogKey(namespace, pod, container, previous), "")


_WHOLE = {"kind", "name", "uid"}


def controller_of(item: Object) -> Mapping[str, Any] | None:
    """The owner reference with `controller: true`, or None; one without kind, name or uid names nobody."""
    references = item.get("metadata", {}).get("ownerReferences")
    if not references or not isinstance(references, list | tuple):
        return None
    return next((r for r in references if isinstance(r, Mapping) and r.get("controller") and r.keys() >= _WHOLE), None)


def controller_uid(item: Object) -> str:
    """The controlling owner's uid; empty without one."""
    reference = controller_of(item)
    return str(reference["uid"]) if reference else ""


def ref_of(item: Object, cluster: str) -> ResourceRef:
    """An object's name."""
    meta = item["metadata"]
    return ResourceRef(cluster, item["kind"], meta["name"], meta.get("namespace") or "")

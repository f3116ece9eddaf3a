"""One cluster as the ports describe it: reads from the watch cache when it is fresh, live otherwise; guarded writes."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
import structlog

from kubernaut.domain.errors import BadInput, NotFound, Permanent, Temporary, Unknown
from kubernaut.domain.facts import Object, controller_uid
from kubernaut.domain.resources import KINDS, Kind, ResourceRef
from kubernaut.ports import Clock, ClusterHealth

from . import codec, selectors, writes
from .access import Access
from .cache import KindCache
from .credentials import Credentials
from .errors import Gone
from .pulse import Pulse
from .reflector import Reflector, State
from .session import Session

log = structlog.get_logger(__name__)

OnChange = Callable[[Object | None, Object | None], None]

OWNERS = (
    "Namespace",
    "Node",
    "ReplicaSet",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "PodDisruptionBudget",
    "Application",
)
"""Watched first: what a pod's trouble is attributed to."""
WATCHED = (*OWNERS, "Pod", "Event", "HorizontalPodAutoscaler")

_LOG_BYTES = 256 * 1024
_LOG_READ_BYTES = 4 * 1024 * 1024
_OWNERS_FIRST_S = 5.0
_BATCH = 500
_STALE_S = 30.0
_DOWN_S = 15.0
_NO_LOG = ("previous terminated container", "waiting to start", "not found", "not valid for pod", "trying and failing")


class KubernetesCluster:
    """Fills `ports.Cluster`. Made by `connect`, filled by `start`, ended by `close`."""

    def __init__(
        self, name: str, credentials: Credentials, clock: Clock, on_change: OnChange | None, watched: Sequence[str]
    ) -> None:
        self.name = name
        self._session = Session(credentials)
        self._access = Access(self._session, clock)
        self._pulse = Pulse(self._session, clock, self._recovered)
        self._on_change = on_change
        self._reflectors = {
            kind: Reflector(
                KINDS[kind],
                self._session,
                KindCache(KINDS[kind], self._changed if on_change is not None else None),
                self._pulse.heard,
            )
            for kind in watched
        }
        self._background: asyncio.Task[None] | None = None

    @classmethod
    async def connect(
        cls,
        name: str,
        kubeconfig: Path | None,
        context: str | None,
        clock: Clock,
        on_change: OnChange | None = None,
        *,
        watched: Sequence[str] = WATCHED,
    ) -> Self:
        """A cluster that answers live reads at once; nothing is asked of the server yet.

        Args:
            kubeconfig: a kubeconfig file; None for the service account of the pod that this runs in.
            context: a context of the file; None for its current one.
            on_change: called in the event loop with (before, after) for every change of a watched object. The values
                decode themselves when they are looked into; they must not be kept for long nor changed.
            watched: the kinds to keep in the cache.

        Raises:
            BadInput: the kubeconfig, its context, or what the context names is not there.
        """
        credentials = Credentials(kubeconfig, context)
        await asyncio.to_thread(credentials.check)
        return cls(name, credentials, clock, on_change, watched)

    async def start(self) -> None:
        """Starts the watches and returns; a server that does not answer makes the cluster DOWN and is asked again."""
        if self._background is None:
            self._background = asyncio.get_running_loop().create_task(self._run(), name=f"cluster-{self.name}")

    async def close(self) -> None:
        """Stops the watches and ends every connection."""
        task, self._background = self._background, None
        try:
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        finally:
            await self._session.close()

    async def synced(self) -> None:
        """Waits until every watched kind was listed once, or turned out to be absent or forbidden."""
        for reflector in self._reflectors.values():
            await reflector.settled.wait()

    # ------------------------------------------------------------------------------------------------ reader

    def health(self) -> ClusterHealth:
        """LIVE: the server answers and the watches run. STALE: one of the two does not. DOWN: no answer for a while."""
        age_s, error = self._pulse.age_s, self._pulse.error
        broken = [r for r in self._reflectors.values() if r.state in (State.STARTING, State.BROKEN)]
        forbidden = [r.kind.plural for r in self._reflectors.values() if r.state is State.FORBIDDEN]
        if error and (age_s > _DOWN_S or not self._pulse.ever):
            state, reason = "DOWN", error
        elif error or age_s > _STALE_S:
            state, reason = "STALE", error or "the watches are silent"
        elif broken and self._background is not None:
            state, reason = "STALE", broken[0].error or f"{broken[0].kind.plural} are not listed yet"
        else:
            state, reason = "LIVE", f"RBAC does not let kubernaut watch {', '.join(forbidden)}" if forbidden else ""
        return ClusterHealth(self.name, state, age_s, reason, self._pulse.server_version)

    def cached(self, kind: str, namespace: str, name: str) -> Object | None:
        """One object from the watch cache, or None; never waits."""
        reflector = self._reflectors.get(kind)
        return None if reflector is None else reflector.cache.get(namespace, name)

    async def get(self, kind: str, namespace: str, name: str, *, live: bool = False) -> Object | None:
        """One object, or None. Raises Temporary, Refused, Permanent. A Secret comes without its values."""
        if not live and (cache := self._fresh(kind)) is not None:
            return cache.get(namespace, name)
        spelled = _spelled(kind)
        what = f"get {ResourceRef(self.name, kind, name, namespace)}"
        try:
            body = await self._session.read(_path(spelled, namespace, name), what=what)
        except NotFound:
            return None
        self._pulse.heard()
        return _decoded(body, spelled, what)

    async def list(
        self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "", live: bool = False
    ) -> Sequence[Object]:
        """Objects of a kind; none if the server does not serve it. Raises Temporary, Refused, Permanent."""
        if not live and (cache := self._fresh(kind)) is not None:
            return await _selected(cache, namespace, labels, fields)
        spelled = _spelled(kind)
        try:
            listed = await self._list(spelled, namespace, labels, fields)
        except NotFound:
            return []
        except Gone:  # the pages took longer than the server keeps them: once more from the start
            listed = await self._list(spelled, namespace, labels, fields)
        reflector = self._reflectors.get(kind)
        if reflector is not None and reflector.state in (State.ABSENT, State.FORBIDDEN):
            reflector.retry()  # it is served, or allowed, by now
        return listed

    async def owned(self, kind: str, owner_uid: str, namespace: str) -> Sequence[Object]:
        """Objects of `kind` whose controller has this uid."""
        if (cache := self._fresh(kind)) is not None:
            return cache.owned(owner_uid, namespace)
        everything = await self.list(kind, namespace, live=True)
        return [item for item in everything if controller_uid(item) == owner_uid]

    async def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, tail_lines: int = 100
    ) -> str:
        """A log tail, at most the last 256 KiB. Raises NotFound, Temporary, Refused."""
        query = {"container": container, "tailLines": str(tail_lines), "limitBytes": str(_LOG_READ_BYTES)}
        if previous:
            query["previous"] = "true"
        what = f"read the log of {namespace}/{pod}[{container}]"
        try:
            body = await self._session.read(KINDS["Pod"].path(namespace, pod, "log"), query, what=what)
        except Permanent as e:  # 400: this container has no such log (yet)
            if not isinstance(e, NotFound) and any(text in str(e) for text in _NO_LOG):
                raise NotFound(str(e)) from e
            raise
        return body[-_LOG_BYTES:].decode(errors="replace")

    async def allowed(self, verb: str, kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Why kubernaut may not do this; empty when it may. Answers are kept for 30 s."""
        return await self._access.refusal(verb, _spelled(kind), namespace, name, subresource)

    # ------------------------------------------------------------------------------------------------ writer

    async def patch(
        self, ref: ResourceRef, patch: Mapping[str, Any], *, expected: Mapping[str, str], dry_run: bool = False
    ) -> Object:
        """Patch as `writes.patch_type` says. Raises as `ports.ClusterWriter` says."""
        kind = _spelled(ref.kind)
        what = f"{'dry run of ' if dry_run else ''}patch {ref}"
        body = await self._session.write(
            "PATCH",
            _path(kind, ref.namespace, ref.name),
            writes.patch_body(patch, expected),
            query=writes.patch_query(dry_run=dry_run),
            content_type=writes.patch_type(kind, patch),
            what=what,
            changes=not dry_run,
            sensitive=ref.kind == "Secret",
        )
        try:
            return codec.whole(body, kind.kind, kind.api_version)
        except msgspec.DecodeError as e:
            raise Unknown(f"{what}: the answer is not an object; whether it was carried out is not known") from e

    async def delete(
        self, ref: ResourceRef, *, expected: Mapping[str, str], dry_run: bool = False, grace_s: int | None = None
    ) -> None:
        """Delete the object with this uid. Raises as `ports.ClusterWriter` says."""
        await self._session.write(
            "DELETE",
            _path(_spelled(ref.kind), ref.namespace, ref.name),
            writes.delete_options(expected, dry_run=dry_run, grace_s=grace_s),
            query={"dryRun": "All"} if dry_run else None,  # the body decides; this tells whoever reads the audit log
            what=f"{'dry run of ' if dry_run else ''}delete {ref}",
            changes=not dry_run,
        )

    async def evict(self, ref: ResourceRef, *, expected: Mapping[str, str], dry_run: bool = False) -> None:
        """Evict the pod with this uid; a budget's refusal is Temporary. Raises as `ports.ClusterWriter` says."""
        if ref.kind != "Pod":
            raise BadInput(f"only pods can be evicted, not {ref}")
        await self._session.write(
            "POST",
            KINDS["Pod"].path(ref.namespace, ref.name, "eviction"),
            writes.eviction(ref, expected, dry_run=dry_run),
            query={"dryRun": "All"} if dry_run else None,
            what=f"{'dry run of ' if dry_run else ''}evict {ref}",
            changes=not dry_run,
        )

    # -------------------------------------------------------------------------------------------- background

    async def _run(self) -> None:
        owners = [r for kind, r in self._reflectors.items() if kind in OWNERS]
        others = [r for kind, r in self._reflectors.items() if kind not in OWNERS]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pulse.run())
            for reflector in owners:
                group.create_task(reflector.run())
            # A change of a pod is told when its owners can be looked up, but owners that never come must not hold it up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_OWNERS_FIRST_S):
                    for reflector in owners:
                        await reflector.settled.wait()
            for reflector in others:
                group.create_task(reflector.run())

    def _recovered(self, lost_at: float) -> None:
        for reflector in self._reflectors.values():
            reflector.renew(lost_at)

    def _changed(self, before: codec.LazyObject | None, after: codec.LazyObject | None) -> None:
        if self._on_change is None:
            return
        try:
            self._on_change(before, after)
        except Exception:  # a subscriber's mistake must not end the watch
            log.exception("subscriber failed", cluster=self.name)

    def _fresh(self, kind: str) -> KindCache | None:
        reflector = self._reflectors.get(kind)
        if reflector is None or not reflector.usable or self._pulse.age_s > _STALE_S:
            return None
        return reflector.cache

    async def _list(self, kind: Kind, namespace: str, labels: str, fields: str) -> Sequence[Object]:
        what = f"list {kind.plural}"
        query = {"limit": "500"}
        if labels:
            query["labelSelector"] = labels
        if fields:
            query["fieldSelector"] = fields
        items: list[Object] = []
        while True:
            body = await self._session.read(kind.path(namespace), query, what=what)
            self._pulse.heard()
            try:
                page = codec.page(body)
                items += [codec.whole(bytes(raw), kind.kind, kind.api_version) for raw in page.items or ()]
            except msgspec.DecodeError as e:
                raise Temporary(f"{what}: the answer is not a list of objects") from e
            if not page.metadata.next:
                return items
            query["continue"] = page.metadata.next


async def _selected(cache: KindCache, namespace: str, labels: str, fields: str) -> Sequence[Object]:
    """The cached objects that match; bytes are searched first, because decoding thousands of pods takes a while."""
    by_labels, by_fields = selectors.by_labels(labels), selectors.by_fields(fields)
    wanted = selectors.words(labels, fields)
    found = []
    for count, item in enumerate(cache.entries(namespace, fields), 1):
        if all(word in item.raw for word in wanted):
            decoded = cache.decoded(item)
            if by_labels(decoded) and by_fields(decoded):
                found.append(decoded)
        if count % _BATCH == 0:
            await asyncio.sleep(0)  # what was searched took a few milliseconds: let others run meanwhile
    return found


def _spelled(kind: str) -> Kind:
    try:
        return KINDS[kind]
    except KeyError:
        raise BadInput(f"kubernaut does not know the kind {kind!r}", field="kind") from None


def _path(kind: Kind, namespace: str, name: str) -> str:
    if not name or "/" in name or "/" in namespace or (kind.namespaced and not namespace):
        raise BadInput(f"{kind.kind} {namespace}/{name} is no name of an object", field="name")
    return kind.path(namespace, name)


def _decoded(body: bytes, kind: Kind, what: str) -> Object:
    try:
        return codec.whole(body, kind.kind, kind.api_version)
    except msgspec.DecodeError as e:
        raise Temporary(f"{what}: the answer is not an object") from e

"""Signals come in here: resolve the owner, give the fingerprint, persist; only then is the sender answered."""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from kubernaut.domain.errors import BadInput, KubernautError
from kubernaut.domain.owner import top_owner
from kubernaut.domain.resources import ResourceRef, is_address
from kubernaut.domain.signals import Signal, SignalSource, fingerprint
from kubernaut.ports import Clock, ClusterReader, Intake, Store, Taken

log = structlog.get_logger()
_PRESSED = 8
"""Senders that wait for the disk at once: one Alertmanager is one sender, so so many are a storm."""
_PRESSED_S = 0.2
_AT_A_TIME = 200
"""Signals of one transaction, some 80 µs each: it keeps the event loop and the store from everybody else."""
_SHOWN = 63
_ADDRESSES_S = 1.0
"""For looking up which node has an address: a sender waits for it."""


class IntakeDesk:
    """Takes signals from every source; safe to call from any number of tasks at once."""

    def __init__(
        self,
        store: Store,
        clusters: Mapping[str, ClusterReader],
        clock: Clock,
        dedup_window_s: float,
        nudge: Callable[[], None],
    ) -> None:
        self._store = store
        self._clusters = clusters
        self._clock = clock
        self._window_s = dedup_window_s
        self._nudge = nudge
        self._waiting = 0
        self._pressed_until = 0.0

    @property
    def pressed(self) -> bool:
        """Whether signals come in faster than they are persisted, or did a moment ago: each commit answers all that wait."""
        return time.monotonic() < self._pressed_until

    async def take(self, signals: Sequence[Signal]) -> Sequence[Taken]:
        """Persist signals, a group at a time; those that this returns are safe.

        Signals whose target is None are ignored: there is nothing to remediate.

        Returns:
            What became of them, in their order. Fewer than were given when the store failed on the way: of the rest nothing
            is persisted.

        Raises:
            Temporary: nothing was persisted; the sender should try again.
        """
        taken: list[Taken] = []
        nodes: dict[str, Mapping[str, str]] = {}
        while len(taken) < len(signals):
            group = signals[len(taken) : len(taken) + _AT_A_TIME]
            try:
                taken += await self._take(group, nodes)
            except KubernautError as error:
                if not any(one.remediation_id for one in taken):
                    raise
                log.warning("a delivery was persisted in part", persisted=len(taken), of=len(signals), error=str(error))
                break
        by_hand = any(signal.source is SignalSource.MANUAL for signal in signals)
        if by_hand or any(one.outcome in ("opened", "resolved") for one in taken):
            self._nudge()  # at the end: a storm is written down first and worked off then
        return taken

    async def _take(self, group: Sequence[Signal], nodes: dict[str, Mapping[str, str]]) -> Sequence[Taken]:
        """One transaction: all of the group or none."""
        now = self._clock.now()
        outcomes: list[Taken] = [Taken("", "ignored")] * len(group)
        places, intakes = [], []
        for place, signal in enumerate(group):
            if signal.target is None:
                continue
            owner = self.owner(await self._node_named(signal.target, nodes))
            mark = fingerprint(owner, signal.failure_class)
            places.append(place)
            intakes.append(Intake(signal, owner, mark, new_id(), now, self._window_s))
        if not intakes:
            # A long delivery of heartbeats waits for no disk, and must not hold up others either.
            await asyncio.sleep(0)
            return outcomes
        for place, taken in zip(places, await self._persisted(intakes), strict=True):
            outcomes[place] = taken
        return outcomes

    async def _node_named(self, target: ResourceRef, nodes: dict[str, Mapping[str, str]]) -> ResourceRef:
        """An alert that knows a node by its address only means the node that has the address.

        Args:
            nodes: cluster → address → node, as far as this delivery has asked; a silent cluster is waited for once.
        """
        cluster = self._clusters.get(target.cluster)
        if target.kind != "Node" or cluster is None or not is_address(target.name):
            return target
        if cluster.cached("Node", "", target.name) is not None:
            return target  # the node is called by its address
        if target.cluster not in nodes:
            nodes[target.cluster] = await _addresses(cluster)
        name = nodes[target.cluster].get(target.name, target.name)
        return ResourceRef(target.cluster, "Node", name)

    async def _persisted(self, intakes: Sequence[Intake]) -> Sequence[Taken]:
        self._waiting += 1
        if self._waiting >= _PRESSED:
            self._pressed_until = time.monotonic() + _PRESSED_S
        try:
            return await self._store.take(intakes)
        finally:
            self._waiting -= 1

    def check_cluster(self, name: str) -> None:
        """Whether signals of this cluster can be taken.

        Raises:
            BadInput: no such cluster is configured.
        """
        if name not in self._clusters:
            known = ", ".join(sorted(self._clusters)) or "none"
            raise BadInput(f"no cluster {name[:_SHOWN]!r} is configured (configured: {known})", field="cluster")

    def only_cluster(self) -> str | None:
        """The cluster's name where just one is configured: alerts without a cluster label belong to it."""
        return next(iter(self._clusters)) if len(self._clusters) == 1 else None

    def owner(self, target: ResourceRef) -> ResourceRef:
        """The top owner as far as the watch cache knows; never waits, because the sender does."""
        cluster = self._clusters.get(target.cluster)
        if cluster is None:
            return target
        return top_owner(target, lambda ref: cluster.cached(ref.kind, ref.namespace, ref.name))


async def _addresses(cluster: ClusterReader) -> Mapping[str, str]:
    """Which node has which address; nothing where the cluster does not say so at once."""
    try:
        async with asyncio.timeout(_ADDRESSES_S):
            nodes = await cluster.list("Node")
    except (KubernautError, TimeoutError):
        return {}
    return {
        str(address.get("address")): str(node["metadata"]["name"])
        for node in nodes
        for address in (node.get("status") or {}).get("addresses") or ()
    }


def new_id() -> str:
    """`rr-` and six characters of lower-case base 32 without padding."""
    return "rr-" + base64.b32encode(secrets.token_bytes(5)).decode().lower()[:6]

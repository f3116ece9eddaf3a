"""Turns changes of object state into signals: at once where the state names the trouble, after a grace where only time tells.

Every occurrence is told once. Symptoms are held back while their cause is told: unready pods of a lost node, and a
Deployment short of pods whose pods say themselves why they do not run.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from kubernaut.domain.facts import Object, controller_of, controller_uid
from kubernaut.domain.reading import section
from kubernaut.domain.signals import FailureFamily, Signal
from kubernaut.ports import Clock

from . import state_signals as state
from .codec import LazyObject
from .state_signals import Trouble

log = structlog.get_logger(__name__)

_TICK_S = 1.0
_FLAPS = 4
_FLAPPING = timedelta(minutes=15)
_RECENT = timedelta(minutes=15)
_YOUNG_NODE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Graces:
    """How long a state must last before it is a trouble, in seconds.

    Args:
        repeat_s: a crash loop is told again for a later crash after this time at the earliest.
    """

    pod_s: float = 60.0
    deployment_s: float = 60.0
    node_s: float = 10.0
    repeat_s: float = 300.0


@dataclass(slots=True)
class _Node:
    """What is remembered of a node: `item` only while something is wrong with it."""

    name: str
    lost: bool
    item: Object | None = None
    changes: deque[datetime] = field(default_factory=lambda: deque(maxlen=_FLAPS))


class StateWatcher:
    """Fed by a cluster's `on_change` and by a timer; gives signals to a callback.

    Args:
        deliver: called in the event loop with each new signal; must not block.
    """

    def __init__(
        self, cluster: str, deliver: Callable[[Signal], None], clock: Clock, graces: Graces | None = None
    ) -> None:
        self._cluster = cluster
        self._deliver = deliver
        self._clock = clock
        self._graces = graces or Graces()
        self._told: dict[str, dict[str, tuple[str, datetime]]] = {}
        self._pods: dict[str, Object] = {}
        self._ready: dict[str, set[str]] = {}
        self._named: dict[str, set[str]] = {}
        self._controller: dict[str, str] = {}
        self._deployments: dict[str, Object] = {}
        self._replica_sets: dict[str, set[str]] = {}
        self._nodes: dict[str, _Node] = {}

    def feed(self, before: Object | None, after: Object | None) -> None:
        """Takes one change; the callback may be called before it returns."""
        item = after if after is not None else before
        if item is None:
            return
        kind = item["kind"]
        if kind not in ("Pod", "ReplicaSet", "Deployment", "Node"):
            return
        if before is not None and (after is None or _uid(before) != _uid(after)):
            self._forget(before)
        if after is None:
            return
        if isinstance(after, LazyObject):
            after = after.item  # looked into many times from here on
        if kind == "Pod":
            self._pod(after)
        elif kind == "ReplicaSet":
            self._replica_sets.setdefault(controller_uid(after), set()).add(_uid(after))
        elif kind == "Deployment":
            self._deployments[_uid(after)] = after
            self._check_deployment(after)
        else:
            self._node(after)

    def tick(self) -> None:
        """Looks at what is waiting for time to pass."""
        for node in list(self._nodes.values()):
            if node.item is not None:
                self._judge(self._check_node, node.item)
        for pod in list(self._pods.values()):
            self._judge(self._check_pod, pod)
        for deployment in list(self._deployments.values()):
            self._judge(self._check_deployment, deployment)

    def _judge(self, check: Callable[[Object], object], item: Object) -> None:
        """An object that can't be judged is let go until it changes; the others, and the daemon, go on."""
        try:
            check(item)
        except Exception:
            log.exception("an object can't be judged", kind=item["kind"], name=item["metadata"].get("name"))
            self._forget(item)

    async def run(self) -> None:
        """Ticks every second until it is cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(_TICK_S)

    # ---------------------------------------------------------------------------------------------------- pods

    def _pod(self, pod: Object) -> None:
        uid, owner = _uid(pod), controller_uid(pod)
        found = state.troubles(pod, self._cluster)
        if self._controller.get(uid, owner) != owner:  # released or adopted
            self._unmark(uid)
        self._controller[uid] = owner
        ready = (state.condition(pod, "Ready") or {}).get("status") == "True"
        _mark(self._ready, owner, uid, there=ready)
        if ready or state.is_over(pod):
            _mark(self._named, owner, uid, there=False)
        elif any(trouble.signal.name in state.WAITING for trouble in found):
            _mark(self._named, owner, uid, there=True)  # and between two crashes it still counts as crashing
        for trouble in found:
            self._tell(trouble)
        if state.pod_unready_since(pod) is None:
            self._pods.pop(uid, None)
        else:
            self._pods[uid] = pod
            self._check_pod(pod)

    def _check_pod(self, pod: Object) -> None:
        since = state.pod_unready_since(pod)
        if since is None or not self._lasts(since, self._graces.pod_s) or self._is_symptom(pod):
            return
        self._tell(state.pod_not_ready(pod, self._cluster, since))

    def _is_symptom(self, pod: Object) -> bool:
        """Its node is lost, or it is one of many: then the node or the Deployment is what has to be told about."""
        node = section(pod, "spec").get("nodeName")
        if any(known.lost and known.name == node for known in self._nodes.values()):
            return True
        controller = controller_of(pod) or {}
        return controller.get("kind") == "ReplicaSet" and not self._ready.get(controller_uid(pod))

    # --------------------------------------------------------------------------------------------- deployments

    def _check_deployment(self, deployment: Object) -> None:
        found = state.troubles(deployment, self._cluster)
        since = state.deployment_unavailable_since(deployment)
        if since is not None and self._lasts(since, self._graces.deployment_s):
            found.append(state.deployment_unavailable(deployment, self._cluster, since))
        elif not found and since is None:
            self._deployments.pop(_uid(deployment), None)
        if any(self._named.get(replica_set) for replica_set in self._replica_sets.get(_uid(deployment), ())):
            return
        for trouble in found:
            self._tell(trouble)

    # --------------------------------------------------------------------------------------------------- nodes

    def _node(self, node: Object) -> None:
        ready = state.condition(node, "Ready")
        lost = ready is not None and ready.get("status") != "True"
        known = self._nodes.get(_uid(node))
        if known is None:
            known = self._nodes[_uid(node)] = _Node(str(node["metadata"]["name"]), lost)
        elif known.lost != lost:
            known.changes.append(self._clock.now())
        known.lost = lost
        known.item = node if self._check_node(node) else None
        if len(known.changes) == _FLAPS and self._clock.now() - known.changes[0] <= _FLAPPING:
            self._tell(state.node_flapping(node, self._cluster, known.changes[0], _FLAPS))
            known.changes.clear()

    def _check_node(self, node: Object) -> bool:
        """Tells what is wrong with a node; returns whether anything is."""
        found = state.troubles(node, self._cluster)
        for trouble in found:
            not_ready = trouble.signal.failure_class == FailureFamily.NODE_NOT_READY
            if not_ready and not self._lasts(trouble.signal.starts_at, self._graces.node_s):
                continue
            if not_ready and self._is_young(node):
                continue
            self._tell(trouble)
        return bool(found)

    def _is_young(self, node: Object) -> bool:
        """A node that has just joined is not ready yet; nothing is wrong with it."""
        created = state.moment(node["metadata"].get("creationTimestamp"))
        return created is not None and self._clock.now() - created < _YOUNG_NODE

    # -------------------------------------------------------------------------------------------------- telling

    def _tell(self, trouble: Trouble) -> None:
        signal, now = trouble.signal, self._clock.now()
        told = self._told.setdefault(trouble.uid, {})
        known = told.get(trouble.episode)
        if known is not None:
            if known[0] == signal.occurrence:
                return
            loops = signal.failure_class == FailureFamily.CRASH_LOOP
            if loops and now - known[1] < timedelta(seconds=self._graces.repeat_s):
                return
        elif signal.name == "OOMKilled" and now - signal.starts_at > _RECENT:
            return  # `lastState` remembers for as long as the pod lives; an old kill is history
        told[trouble.episode] = (signal.occurrence, now)
        self._deliver(signal)

    def _forget(self, item: Object) -> None:
        uid = _uid(item)
        self._told.pop(uid, None)
        self._pods.pop(uid, None)
        self._deployments.pop(uid, None)
        self._nodes.pop(uid, None)
        self._unmark(uid)
        if item["kind"] == "ReplicaSet":
            _mark(self._replica_sets, controller_uid(item), uid, there=False)

    def _unmark(self, uid: str) -> None:
        owner = self._controller.pop(uid, "")
        _mark(self._ready, owner, uid, there=False)
        _mark(self._named, owner, uid, there=False)

    def _lasts(self, since: datetime, grace_s: float) -> bool:
        return self._clock.now() - since >= timedelta(seconds=grace_s)


def _mark(sets: dict[str, set[str]], key: str, uid: str, *, there: bool) -> None:
    """Puts a uid into the set of its key, or takes it out; empty sets are not kept."""
    if there:
        sets.setdefault(key, set()).add(uid)
    elif key in sets:
        sets[key].discard(uid)
        if not sets[key]:
            del sets[key]


def _uid(item: Object) -> str:
    return item.uid if isinstance(item, LazyObject) else str(item["metadata"].get("uid", ""))

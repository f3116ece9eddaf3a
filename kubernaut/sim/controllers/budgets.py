"""A PodDisruptionBudget's status says how many pods may go now.

Source: k8s.io/kubernetes/pkg/controller/disruption
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.clock import parse_time, stamp
from kubernaut.sim.apiserver.selectors import selects
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key, controller_of, key_of
from kubernaut.sim.controllers.pods import is_active, is_ready, with_condition
from kubernaut.sim.controllers.rolling import share

_BUDGETS = "poddisruptionbudgets.policy"
_SCALES = {"ReplicaSet": "replicasets.apps", "StatefulSet": "statefulsets.apps", "Deployment": "deployments.apps"}
_DISRUPTION_S = 120.0


class DisruptionController(Controller):
    """Counts healthy pods against what a budget wants."""

    name = "controllermanager"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {_BUDGETS: lambda change: [key_of(change.entry.obj)], "pods": self._of_pod}

    def _of_pod(self, change: Change) -> list[Key]:
        metadata = change.entry.obj["metadata"]
        return [
            key_of(one)
            for one in self.store.objects(_BUDGETS, metadata["namespace"])
            if selects((one.get("spec") or {}).get("selector"), metadata.get("labels"))
        ]

    def reconcile(self, key: Key) -> float | None:
        budget = self.held(_BUDGETS, key)
        if budget is None or budget["metadata"].get("deletionTimestamp"):
            return None
        spec = budget.get("spec") or {}
        pods = [
            pod
            for pod in self.store.objects("pods", key[0])
            if selects(spec.get("selector"), pod["metadata"].get("labels")) and is_active(pod)
        ]
        expected, desired = self._wanted(spec, pods)
        disrupted = self._still_disrupted(budget)
        healthy = sum(is_ready(pod) and pod["metadata"]["name"] not in disrupted for pod in pods)
        allowed = max(healthy - desired, 0) if expected > 0 else 0
        status: Json = {
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": budget["metadata"]["generation"],
        }
        if disrupted:
            status["disruptedPods"] = disrupted
        status["conditions"] = self._condition(budget, allowed)
        self.api.write_status(_BUDGETS, budget, status)
        return _DISRUPTION_S if disrupted else None

    def _wanted(self, spec: Json, pods: list[Json]) -> tuple[int, int]:
        """Expected pods and how many of them must be healthy."""
        minimum, maximum = spec.get("minAvailable"), spec.get("maxUnavailable")
        if isinstance(minimum, int):
            return len(pods), minimum
        expected = self._scale_of(pods)
        if maximum is not None:
            return expected, max(expected - share(maximum, expected, up=True), 0)
        return expected, share(minimum if minimum is not None else 1, expected, up=True)

    def _scale_of(self, pods: list[Json]) -> int:
        """The sum of what the pods' controllers want."""
        wanted: dict[str, int] = {}
        for pod in pods:
            owner = controller_of(pod)
            if owner is None or owner["kind"] not in _SCALES:
                continue
            held = self.held(_SCALES[owner["kind"]], (pod["metadata"]["namespace"], owner["name"]))
            above = controller_of(held) if held else None
            if held is not None and above is not None and above["kind"] in _SCALES:
                held = self.held(_SCALES[above["kind"]], (pod["metadata"]["namespace"], above["name"])) or held
            if held is not None:
                wanted[held["metadata"]["uid"]] = held["spec"].get("replicas", 0)
        return sum(wanted.values())

    def _still_disrupted(self, budget: Json) -> Json:
        """Evicted pods that are not yet gone, for two minutes at most."""
        held = (budget.get("status") or {}).get("disruptedPods") or {}
        now, namespace = self.api.now(), budget["metadata"]["namespace"]
        kept: Json = {}
        for name, since in held.items():
            pod = self.held("pods", (namespace, name))
            if pod is None or pod["metadata"].get("deletionTimestamp"):
                continue
            if (now - parse_time(since)).total_seconds() < _DISRUPTION_S:
                kept[name] = since
        return kept

    def _condition(self, budget: Json, allowed: int) -> list[Json]:
        held = (budget.get("status") or {}).get("conditions") or []
        reason = "SufficientPods" if allowed else "InsufficientPods"
        new = {"type": "DisruptionAllowed", "status": "True" if allowed else "False", "reason": reason, "message": ""}
        new |= {"observedGeneration": budget["metadata"]["generation"], "lastTransitionTime": stamp(self.api.now())}
        return with_condition(held, new)

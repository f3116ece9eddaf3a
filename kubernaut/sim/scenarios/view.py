"""What a scenario reads of the cluster before it says how things are."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from kubernaut.domain.errors import NotFound
from kubernaut.sim.client import ApiClient, Json


@dataclass(frozen=True, slots=True)
class View:
    """One namespace and all nodes, as read at one moment."""

    namespace: str
    deployments: Sequence[Json]
    pods: Sequence[Json]
    nodes: Sequence[Json]

    @classmethod
    async def read(cls, api: ApiClient, namespace: str) -> Self:
        """Reads it from any API server. Raises Temporary."""
        paths = (
            f"/apis/apps/v1/namespaces/{namespace}/deployments",
            f"/api/v1/namespaces/{namespace}/pods",
            "/api/v1/nodes",
        )
        try:
            listed = await asyncio.gather(*(api.get(path) for path in paths))
        except NotFound:
            return cls(namespace, (), (), ())
        return cls(namespace, *(answer.get("items") or () for answer in listed))

    def deployment(self, name: str) -> Json | None:
        """The Deployment of that name."""
        return next((d for d in self.deployments if d["metadata"]["name"] == name), None)

    def node(self, name: str) -> Json | None:
        """The Node of that name."""
        return next((n for n in self.nodes if n["metadata"]["name"] == name), None)

    def rolled_out(self, name: str) -> bool:
        """Whether all replicas are of the newest template and available, and none is in trouble."""
        found = self.deployment(name)
        if found is None:
            return False
        wanted, status = found["spec"].get("replicas", 1), found.get("status") or {}
        if found["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
            return False
        counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
        return counts == [wanted] * 4 and all(ready(pod) for pod in self.pods_of(name))

    def pods_of(self, name: str) -> list[Json]:
        """The pods of a Deployment that are not on their way out, by name."""
        found = self.deployment(name)
        wanted = {} if found is None else found["spec"]["selector"].get("matchLabels") or {}
        mine = [
            pod
            for pod in self.pods
            if wanted.items() <= (pod["metadata"].get("labels") or {}).items()
            and "deletionTimestamp" not in pod["metadata"]
        ]
        return sorted(mine, key=lambda pod: str(pod["metadata"]["name"]))


def ready(pod: Json) -> bool:
    """Whether the pod's Ready condition is True."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def waiting_reason(pod: Json) -> str:
    """Why the first waiting container waits; empty when none does."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    reasons = (((status.get("state") or {}).get("waiting") or {}).get("reason", "") for status in statuses)
    return next((reason for reason in reasons if reason), "")


def last_reason(pod: Json) -> str:
    """Why a container of the pod ended last; empty when none did."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    ended = (((status.get("lastState") or {}).get("terminated") or {}).get("reason", "") for status in statuses)
    return next((reason for reason in ended if reason), "")


def cordoned(node: Json | None) -> bool:
    """Whether the scheduler leaves the node alone."""
    return node is not None and bool(node["spec"].get("unschedulable"))


def node_ready(node: Json | None) -> bool:
    """Whether the node's Ready condition is True."""
    conditions = ((node or {}).get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

"""How many pods each ReplicaSet of a Deployment is to have next; pure, a list of (ReplicaSet, replicas).

Source: k8s.io/kubernetes/pkg/controller/deployment/rolling.go and sync.go
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from kubernaut.sim.apiserver.status import Json

Sizes = list[tuple[Json, int]]


def share(value: Any, total: int, *, up: bool) -> int:
    """A number, or a percentage of the total rounded up or down."""
    if isinstance(value, int):
        return value
    part = total * int(str(value).rstrip("%")) / 100
    return math.ceil(part) if up else math.floor(part)


def wanted_by(deployment: Json) -> int:
    """How many pods a Deployment asks for."""
    return int(deployment["spec"].get("replicas", 1))


def surge_and_unavailable(deployment: Json) -> tuple[int, int]:
    """How many pods above, and how many available ones below the wanted number a rollout may have."""
    rolling = deployment["spec"]["strategy"].get("rollingUpdate")
    if not rolling:
        return 0, 0
    wanted = wanted_by(deployment)
    surge = share(rolling["maxSurge"], wanted, up=True)
    unavailable = min(share(rolling["maxUnavailable"], wanted, up=False), wanted)
    return surge, unavailable or (0 if surge else 1)


def size(replica_set: Json) -> int:
    """How many pods a ReplicaSet is to have now."""
    return int(replica_set["spec"].get("replicas", 0))


def counted(sets: Iterable[Json], field: str) -> int:
    """The sum of one number of their statuses."""
    return sum((one.get("status") or {}).get(field, 0) for one in sets)


def first_size(deployment: Json, sets: list[Json]) -> int:
    """What a new ReplicaSet begins with: all that the surge leaves room for."""
    wanted = wanted_by(deployment)
    if deployment["spec"]["strategy"]["type"] != "RollingUpdate":
        return wanted
    surge, _ = surge_and_unavailable(deployment)
    return min(max(wanted + surge - sum(map(size, sets)), 0), wanted)


def evenly(deployment: Json, sets: list[Json], new: Json | None) -> Sizes:
    """A change of the wanted number in mid-rollout is shared among the ReplicaSets by their size."""
    active = [one for one in sets if size(one) > 0]
    wanted = wanted_by(deployment)
    if len(active) <= 1:
        only = active[0] if active else new
        return [] if only is None else [(only, wanted)]
    surge, _ = surge_and_unavailable(deployment)
    total = sum(map(size, active))
    left = spare = (wanted + surge if wanted else 0) - total
    sizes: Sizes = []
    for index, one in enumerate(sorted(active, key=lambda one: -size(one))):
        part = left if index == len(active) - 1 else round(spare * size(one) / total)
        part = max(-size(one), part)
        left -= part
        sizes.append((one, size(one) + part))
    return sizes


def step(deployment: Json, sets: list[Json], new: Json) -> Sizes:
    """The next step of a rolling update: up as far as the surge allows, else down as far as what is available allows."""
    wanted = wanted_by(deployment)
    surge, unavailable = surge_and_unavailable(deployment)
    if size(new) > wanted:
        return [(new, wanted)]
    room = wanted + surge - sum(map(size, sets))
    if size(new) < wanted and room > 0:
        return [(new, size(new) + min(room, wanted - size(new)))]
    return [(new, size(new)), *_down(sets, new, wanted - unavailable)]


def _down(sets: list[Json], new: Json, minimum: int) -> Sizes:
    """Old pods that serve nobody go first, then as many others as are available above the minimum."""
    old = [one for one in sets if one is not new and size(one) > 0]
    most = sum(map(size, sets)) - minimum - (size(new) - counted([new], "availableReplicas"))
    if not old or most <= 0:
        return []
    sizes = [size(one) for one in old]
    for index, one in enumerate(old):
        unhealthy = min(most, sizes[index] - counted([one], "availableReplicas"))
        if unhealthy > 0:
            sizes[index] -= unhealthy
            most -= unhealthy
    spare = counted(sets, "availableReplicas") - minimum
    for index, _ in enumerate(old):
        taken = min(max(spare, 0), sizes[index])
        sizes[index] -= taken
        spare -= taken
    return list(zip(old, sizes, strict=True))

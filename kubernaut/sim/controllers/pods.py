"""Facts about pods that several controllers need."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from kubernaut.sim.apiserver.clock import parse_time
from kubernaut.sim.apiserver.status import Json

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def condition(obj: Json, kind: str) -> Json | None:
    """The condition of a type, or None."""
    return next((item for item in (obj.get("status") or {}).get("conditions") or () if item["type"] == kind), None)


def is_ready(pod: Json) -> bool:
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def is_active(pod: Json) -> bool:
    """Neither finished nor going away."""
    return phase(pod) not in ("Succeeded", "Failed") and not pod["metadata"].get("deletionTimestamp")


def phase(pod: Json) -> str:
    return str((pod.get("status") or {}).get("phase") or "Pending")


def available_in_s(pod: Json, min_ready_s: int, now: datetime) -> float | None:
    """Seconds until a ready pod counts as available (0: it does now), or None if it is not ready."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True":
        return None
    if not min_ready_s or not found.get("lastTransitionTime"):
        return 0.0
    age = (now - parse_time(found["lastTransitionTime"])).total_seconds()
    return max(0.0, min_ready_s - age)


def template_hash(template: Json, collisions: int = 0) -> str:
    """A short name for a pod template, equal for equal templates."""
    raw = msgspec.json.encode(template, order="sorted") + (str(collisions).encode() if collisions else b"")
    number = int.from_bytes(hashlib.sha256(raw).digest()[:6], "big")
    text = ""
    for _ in range(10):
        number, rest = divmod(number, len(_ALPHABET))
        text += _ALPHABET[rest]
    return text


def deletion_rank(pod: Json) -> tuple[bool, int, bool, int, float]:
    """Sorts first the pods a controller should remove first: unscheduled, pending, not ready, restarted, young.

    Source: ActivePods in k8s.io/kubernetes/pkg/controller/controller_utils.go
    """
    phases = {"Pending": 0, "Unknown": 1, "Running": 2}
    restarts = sum(one.get("restartCount", 0) for one in (pod.get("status") or {}).get("containerStatuses") or ())
    created = parse_time(pod["metadata"]["creationTimestamp"]).timestamp()
    scheduled = bool(pod["spec"].get("nodeName"))
    return scheduled, phases.get(phase(pod), 3), is_ready(pod), -restarts, -created


def with_condition(conditions: list[Json], new: Json) -> list[Json]:
    """The list with one condition set; an unchanged status keeps its transition time."""
    old = next((item for item in conditions if item["type"] == new["type"]), None)
    if old is not None and old["status"] == new["status"] and "lastTransitionTime" in old:
        new = new | {"lastTransitionTime": old["lastTransitionTime"]}
    return [item for item in conditions if item["type"] != new["type"]] + [new]

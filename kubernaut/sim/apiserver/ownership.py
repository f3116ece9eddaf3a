"""Whose a field is after a write: the bookkeeping around managedFields, kubectl's own annotation included."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kubernaut.sim.apiserver import managers
from kubernaut.sim.apiserver.caller import Caller
from kubernaut.sim.apiserver.clock import stamp
from kubernaut.sim.apiserver.fieldsets import Path, leaves
from kubernaut.sim.apiserver.managers import Writer
from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.schema import root
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Entry

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def record_creation(resource: Resource, obj: Json, caller: Caller, now: datetime) -> None:
    """What the creator sent is the creator's; what admission and the server add is nobody's."""
    seen = obj
    if resource.has_status and resource.bucket != "nodes":
        seen = {key: value for key, value in obj.items() if key != "status"}
    if resource.bucket == "namespaces":
        seen = {key: value for key, value in seen.items() if key != "spec"}
    writer = Writer(caller.manager)
    fields = managers.record_update(None, seen, root(resource.model), writer, stamp(now), [])
    if fields:
        obj["metadata"]["managedFields"] = fields


def record(
    resource: Resource,
    old: Entry,
    obj: Json,
    caller: Caller,
    subresource: str,
    applied: Json | None = None,
    *,
    now: datetime,
) -> None:
    """Note in the new version who wrote what of it."""
    kind, at, entries = root(resource.model), stamp(now), obj["metadata"].get("managedFields") or []
    through = subresource or caller.through
    if applied is not None:
        writer = Writer(caller.manager, "Apply", through)
        fields = managers.record_apply(old.obj, applied, obj, kind, writer, at)
    else:
        writer = Writer(caller.manager, "Update", through)
        fields = managers.record_update(old.obj, obj, kind, writer, at, entries)
    if fields:
        obj["metadata"]["managedFields"] = fields


def last_applied_fields(resource: Resource, live: Json, caller: Caller) -> set[Path]:
    """What kubectl may take over without force: what it applied on the client's side and is still so.

    Source: k8s.io/apimachinery/pkg/util/managedfields/internal/lastappliedmanager.go
    """
    text = (live["metadata"].get("annotations") or {}).get(_LAST_APPLIED, "")
    if caller.manager != "kubectl" or not text:
        return set()
    try:
        said = leaves(msgspec.json.decode(text, type=dict[str, Any]), root(resource.model))
    except (msgspec.DecodeError, AttributeError, TypeError):
        return set()
    held = leaves(live, root(resource.model))
    return {path for path, value in said.items() if path in held and held[path] == value}


def sync_last_applied(merged: Json, applied: Json) -> None:
    """Keep what kubectl's client-side apply compares with, where it is kept already.

    Source: k8s.io/apimachinery/pkg/util/managedfields/internal/lastappliedupdater.go
    """
    held = merged["metadata"].get("annotations") or {}
    if not held.get(_LAST_APPLIED):
        return
    said = applied | {"metadata": dict(applied.get("metadata") or {})}
    if _LAST_APPLIED in (said["metadata"].get("annotations") or {}):
        said["metadata"]["annotations"] = dict(said["metadata"]["annotations"])
        del said["metadata"]["annotations"][_LAST_APPLIED]
    text = msgspec.json.encode(said, order="sorted").decode() + "\n"
    merged["metadata"] = merged["metadata"] | {"annotations": held | {_LAST_APPLIED: text}}

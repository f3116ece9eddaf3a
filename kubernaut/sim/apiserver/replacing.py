"""What a new version of an object must agree with, and what it may not touch."""

from __future__ import annotations

from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.status import Json, conflict, invalid, invalid_value


def agrees(resource: Resource, before: Json, metadata: Json) -> None:
    """Refuse a replacement that was made for another object or another version of it."""
    revision, uid, name = metadata.get("resourceVersion", ""), metadata.get("uid", ""), before["name"]
    if uid and uid != before["uid"]:
        raise invalid(resource.group, resource.kind, name, [invalid_value("metadata.uid", uid, "field is immutable")])
    if revision and revision != before["resourceVersion"]:
        if not revision.isdigit():
            cause = invalid_value(
                "metadata.resourceVersion", revision, f'strconv.ParseUint: parsing "{revision}": invalid syntax'
            )
            raise invalid(resource.group, resource.kind, name, [cause])
        raise conflict(resource.group, resource.plural, name)


def scoped(resource: Resource, old: Json, new: Json, subresource: str) -> Json:
    """Keep what this way of writing may not touch."""
    if subresource == "status":
        kept = {**old, "metadata": {**old["metadata"]}}
        if resource.bucket in ("pods", "nodes"):
            for key in ("labels", "annotations", "finalizers"):
                if key in new["metadata"]:
                    kept["metadata"][key] = new["metadata"][key]
                else:
                    kept["metadata"].pop(key, None)
        kept.pop("status", None)
        return kept | ({"status": new["status"]} if new.get("status") is not None else {})
    if resource.has_status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = old["status"]
    return new


def desired(obj: Json) -> Json:
    """What a generation counts changes of."""
    return {key: value for key, value in obj.items() if key not in ("metadata", "status", "kind", "apiVersion")}


def without_managers(obj: Json) -> Json:
    """What decides whether a write changes anything."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}

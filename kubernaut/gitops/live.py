"""Whether the cluster has what Git was given: "Synced" alone does not say so."""

from collections.abc import Mapping
from typing import Any

from kubernaut.domain.facts import Object

from . import quantity, workload


def live_equals(item: Object, action: str, parameters: Mapping[str, Any]) -> bool:
    """Whether the live object's field has the value that the declarative action wants (`to`).

    An action that is not known, or a field that is not there, is never equal.
    """
    wanted = parameters.get("to")
    value = live_value(item, action, parameters)
    if value is None or wanted is None:
        return False
    if action == "update-resources":
        return quantity.same(value, str(wanted))
    return value == str(wanted)


def live_value(item: Object, action: str, parameters: Mapping[str, Any]) -> str | None:
    """The field's live value as text; None when it is not set."""
    if action == "update-configmap":
        data = item.get("data")
        found: Any = data.get(str(parameters.get("key", ""))) if isinstance(data, Mapping) else None
        return None if found is None else str(found)
    found = _container(item, str(parameters.get("container", "")))
    if action == "update-image":
        keys = ["image"]
    elif action == "update-resources":
        keys = ["resources", *str(parameters.get("field", "")).split(".", 1)]
    else:
        return None
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return None if found is None else str(found)


def _container(item: Object, name: str) -> Mapping[str, Any] | None:
    spec: Any = item
    for key in workload.pod_spec(item["kind"]):
        spec = spec.get(key) if isinstance(spec, Mapping) else None
    groups = [spec.get(group) for group in ("containers", "initContainers")] if isinstance(spec, Mapping) else []
    containers = [c for group in groups if isinstance(group, list) for c in group if isinstance(c, Mapping)]
    return next((c for c in containers if c.get("name") == name), None)

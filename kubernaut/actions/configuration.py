"""Which pods still run with a ConfigMap's value from before: environment variables are read once, when a container starts.

Only volumes follow a change by themselves, and not those that are mounted with a subPath. "Synced" and "ready" therefore say
nothing of what the program runs with.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from kubernaut.domain.facts import Object


def outdated(pods: Sequence[Object], config_map: Object, key: str) -> list[str]:
    """Names of the pods with a container that reads the key only at its start, and that started before the key was written.

    Times are the API server's and the kubelet's, to the second. A ConfigMap that does not tell when it was written (no
    managedFields) has no outdated pods.
    """
    written_at = _written_at(config_map, key)
    if written_at is None:
        return []
    name = str(config_map["metadata"]["name"])
    found = []
    for pod in pods:
        readers = {str(c.get("name")) for c in _containers(pod) if _reads_at_start(c, pod, name, key)}
        if any(at < written_at for at in _starts(pod, readers)) and not pod["metadata"].get("deletionTimestamp"):
            found.append(str(pod["metadata"]["name"]))
    return sorted(found)


def _written_at(config_map: Object, key: str) -> datetime | None:
    """When the key's owner wrote last; None when nobody says so."""
    times = []
    for entry in config_map["metadata"].get("managedFields") or ():
        data = (entry.get("fieldsV1") or {}).get("f:data") or {}
        if f"f:{key}" in data and (at := _moment(entry.get("time"))):
            times.append(at)
    return max(times, default=None)


def _containers(pod: Object) -> list[dict[str, Any]]:
    spec = pod.get("spec") or {}
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def _reads_at_start(container: dict[str, Any], pod: Object, name: str, key: str) -> bool:
    if any((source.get("configMapRef") or {}).get("name") == name for source in container.get("envFrom") or ()):
        return True
    for variable in container.get("env") or ():
        told = (variable.get("valueFrom") or {}).get("configMapKeyRef") or {}
        if told.get("name") == name and told.get("key") == key:
            return True
    volumes = {
        volume.get("name")
        for volume in (pod.get("spec") or {}).get("volumes") or ()
        if (volume.get("configMap") or {}).get("name") == name
    }
    return any(m.get("subPath") and m.get("name") in volumes for m in container.get("volumeMounts") or ())


def _starts(pod: Object, names: set[str]) -> Iterable[datetime]:
    status = pod.get("status") or {}
    for told in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        state = told.get("state") or {}
        started = (state.get("running") or {}).get("startedAt")
        if told.get("name") in names and (at := _moment(started)):
            yield at


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None

"""Which pods still run with a ConfigMap's value from before: environment variables are read once, when a container starts.

Only volumes follow a change by themselves, and not those that are mounted with a subPath. "Synced" and "ready" therefore say
nothing of what the program runs with.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kubernaut.domain.facts import Object
from kubernaut.domain.reading import entries, section


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
    for entry in entries(config_map, "metadata", "managedFields"):
        if f"f:{key}" in section(entry, "fieldsV1", "f:data") and (at := _moment(entry.get("time"))):
            times.append(at)
    return max(times, default=None)


def _containers(pod: Object) -> list[Mapping[str, Any]]:
    return [*entries(pod, "spec", "initContainers"), *entries(pod, "spec", "containers")]


def _reads_at_start(container: Mapping[str, Any], pod: Object, name: str, key: str) -> bool:
    if any(section(source, "configMapRef").get("name") == name for source in entries(container, "envFrom")):
        return True
    for variable in entries(container, "env"):
        told = section(variable, "valueFrom", "configMapKeyRef")
        if told.get("name") == name and told.get("key") == key:
            return True
    volumes = [v.get("name") for v in entries(pod, "spec", "volumes") if section(v, "configMap").get("name") == name]
    return any(m.get("subPath") and m.get("name") in volumes for m in entries(container, "volumeMounts"))


def _starts(pod: Object, names: set[str]) -> Iterable[datetime]:
    told = [*entries(pod, "status", "initContainerStatuses"), *entries(pod, "status", "containerStatuses")]
    for status in told:
        at = _moment(section(status, "state", "running").get("startedAt"))
        if str(status.get("name")) in names and at:
            yield at


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None

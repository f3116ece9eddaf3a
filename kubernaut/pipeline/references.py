"""Which containers are unhealthy, and what configuration their pods refer to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kubernaut.domain.facts import Object
from kubernaut.domain.reading import count, entries, section

_NEEDS_SECRETS = (
    "CreateContainerConfigError",
    "ImagePullBackOff",
    "ErrImagePull",
    "ContainerCreating",
    "PodInitializing",
)
_EVERYWHERE = "kube-root-ca.crt"


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """A container that is not ready, or was started again. waiting: the reason it waits, empty when it does not."""

    pod: str
    name: str
    ready: bool
    restarts: int
    waiting: str
    has_run: bool


def unhealthy(pods: Sequence[Object]) -> list[Unhealthy]:
    """The unhealthy containers, the worst first, different containers before different pods of the same one."""
    found: list[Unhealthy] = []
    for pod in pods:
        if pod["metadata"].get("deletionTimestamp") or section(pod, "status").get("phase") == "Succeeded":
            continue
        for field in ("initContainerStatuses", "containerStatuses"):
            for told in entries(pod, "status", field):
                done = field == "initContainerStatuses" and section(told, "state", "terminated").get("exitCode") == 0
                restarts = count(told.get("restartCount"))
                if not done and (not told.get("ready") or restarts):
                    waiting = str(section(told, "state", "waiting").get("reason") or "")
                    has_run = any(section(told, "state").get(state) is not None for state in ("running", "terminated"))
                    pod_name, name = pod["metadata"]["name"], str(told.get("name") or "")
                    found.append(Unhealthy(pod_name, name, bool(told.get("ready")), restarts, waiting, has_run))
    found.sort(key=lambda c: (c.ready, -c.restarts))
    seen: dict[str, int] = {}
    rank: list[tuple[int, int, Unhealthy]] = []
    for i, container in enumerate(found):
        seen[container.name] = seen.get(container.name, 0) + 1
        rank.append((seen[container.name], i, container))
    return [container for _, _, container in sorted(rank, key=lambda r: r[:2])]


def referenced(top: Object, pods: Sequence[Object], sick: Sequence[Unhealthy]) -> list[tuple[str, str]]:
    """Kind and name of the configuration that unhealthy pods need: ConfigMaps; Secrets and volumes only if they can't start, and
    only then the cluster's own certificate, which is mounted into every pod and configures none."""
    if not sick:
        return []
    starting = any(c.waiting in _NEEDS_SECRETS for c in sick)
    specs = [section(top, "spec", "template", "spec")]
    names = {c.pod for c in sick}
    specs += [section(pod, "spec") for pod in pods if pod["metadata"]["name"] in names][:2]
    found = dict.fromkeys(reference for spec in specs for reference in _of(spec))
    return [
        (kind, name) for kind, name in found if name and (starting or (kind == "ConfigMap" and name != _EVERYWHERE))
    ]


def config_maps(spec: Object) -> list[str]:
    """Names of the ConfigMaps that a pod of this spec reads."""
    return list(dict.fromkeys(name for kind, name in _of(spec) if kind == "ConfigMap" and name))


def _of(spec: Object) -> Iterator[tuple[str, str]]:
    for field in ("initContainers", "containers"):
        for container in entries(spec, field):
            for source in entries(container, "envFrom"):
                yield "ConfigMap", _name(source, "configMapRef")
                yield "Secret", _name(source, "secretRef")
            for variable in entries(container, "env"):
                yield "ConfigMap", _name(variable, "valueFrom", "configMapKeyRef")
                yield "Secret", _name(variable, "valueFrom", "secretKeyRef")
    for secret in entries(spec, "imagePullSecrets"):
        yield "Secret", _name(secret)
    for volume in entries(spec, "volumes"):
        yield "ConfigMap", _name(volume, "configMap")
        yield "Secret", _name(volume, "secret", key="secretName")
        yield "PersistentVolumeClaim", _name(volume, "persistentVolumeClaim", key="claimName")
        for source in entries(volume, "projected", "sources"):
            yield "ConfigMap", _name(source, "configMap")
            yield "Secret", _name(source, "secret")


def _name(item: Object, *keys: str, key: str = "name") -> str:
    return str(section(item, *keys).get(key) or "")

"""Which containers are unhealthy, and what configuration their pods refer to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kubernaut.domain.facts import Object

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
        status = pod.get("status") or {}
        if pod["metadata"].get("deletionTimestamp") or status.get("phase") == "Succeeded":
            continue
        for field in ("initContainerStatuses", "containerStatuses"):
            for told in status.get(field) or ():
                state = told.get("state") or {}
                done = field == "initContainerStatuses" and (state.get("terminated") or {}).get("exitCode") == 0
                restarts = int(told.get("restartCount") or 0)
                if not done and (not told.get("ready") or restarts):
                    waiting = str((state.get("waiting") or {}).get("reason", ""))
                    has_run = "running" in state or "terminated" in state
                    name = pod["metadata"]["name"]
                    found.append(Unhealthy(name, told["name"], bool(told.get("ready")), restarts, waiting, has_run))
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
    specs = [((top.get("spec") or {}).get("template") or {}).get("spec") or {}]
    names = {c.pod for c in sick}
    specs += [pod.get("spec") or {} for pod in pods if pod["metadata"]["name"] in names][:2]
    found = dict.fromkeys(reference for spec in specs for reference in _of(spec))
    return [
        (kind, name) for kind, name in found if name and (starting or (kind == "ConfigMap" and name != _EVERYWHERE))
    ]


def config_maps(spec: Object) -> list[str]:
    """Names of the ConfigMaps that a pod of this spec reads."""
    return list(dict.fromkeys(name for kind, name in _of(spec) if kind == "ConfigMap" and name))


def _of(spec: Object) -> Iterator[tuple[str, str]]:
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            for source in container.get("envFrom") or ():
                yield "ConfigMap", str((source.get("configMapRef") or {}).get("name") or "")
                yield "Secret", str((source.get("secretRef") or {}).get("name") or "")
            for variable in container.get("env") or ():
                value = variable.get("valueFrom") or {}
                yield "ConfigMap", str((value.get("configMapKeyRef") or {}).get("name") or "")
                yield "Secret", str((value.get("secretKeyRef") or {}).get("name") or "")
    for secret in spec.get("imagePullSecrets") or ():
        yield "Secret", str(secret.get("name") or "")
    for volume in spec.get("volumes") or ():
        yield "ConfigMap", str((volume.get("configMap") or {}).get("name") or "")
        yield "Secret", str((volume.get("secret") or {}).get("secretName") or "")
        yield "PersistentVolumeClaim", str((volume.get("persistentVolumeClaim") or {}).get("claimName") or "")
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield "ConfigMap", str((source.get("configMap") or {}).get("name") or "")
            yield "Secret", str((source.get("secret") or {}).get("name") or "")

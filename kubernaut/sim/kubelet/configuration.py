"""What a container finds in its environment and in its mounted files."""

import base64
from collections.abc import Mapping

from kubernaut.sim.client import Json

Objects = Mapping[tuple[str, str], Json]


class Missing(Exception):
    """A ConfigMap, a Secret or a key of one is not there; the message is the kubelet's."""


def environment(pod: Json, container: Json, configmaps: Objects, secrets: Objects) -> dict[str, str]:
    """Resolves `env` and `envFrom`.

    Raises:
        Missing: something not optional is missing: CreateContainerConfigError.
    """
    namespace = pod["metadata"]["namespace"]
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        kind, objects = ("configMapRef", configmaps) if "configMapRef" in source else ("secretRef", secrets)
        wanted = source[kind]
        data = _data(kind[:-3], namespace, wanted, objects)
        found |= {source.get("prefix", "") + key: value for key, value in (data or {}).items()}
    for entry in container.get("env") or []:
        origin = entry.get("valueFrom") or {}
        if "configMapKeyRef" in origin:
            value = _key("configMap", namespace, origin["configMapKeyRef"], configmaps)
        elif "secretKeyRef" in origin:
            value = _key("secret", namespace, origin["secretKeyRef"], secrets)
        elif "fieldRef" in origin:
            value = _field(pod, origin["fieldRef"]["fieldPath"])
        else:
            value = entry.get("value", "")
        if value is not None:
            found[entry["name"]] = value
    return found


def files(pod: Json, container: Json, configmaps: Objects, secrets: Objects) -> dict[str, str]:
    """Reads the mounted ConfigMaps and Secrets as path → text.

    Raises:
        Missing: something not optional is missing: the pod stays in ContainerCreating with FailedMount.
    """
    namespace = pod["metadata"]["namespace"]
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or []}
    found: dict[str, str] = {}
    for mount in container.get("volumeMounts") or []:
        volume = volumes.get(mount["name"], {})
        for kind, objects in (("configMap", configmaps), ("secret", secrets)):
            if kind not in volume:
                continue
            wanted = dict(volume[kind])
            wanted.setdefault("name", wanted.get("secretName", ""))
            try:
                data = _data(kind, namespace, wanted, objects) or {}
            except Missing as e:
                raise Missing(f'MountVolume.SetUp failed for volume "{mount["name"]}" : {e}') from e
            items = wanted.get("items") or [{"key": key, "path": key} for key in data]
            found |= {
                f"{mount['mountPath'].rstrip('/')}/{i['path']}": data[i["key"]] for i in items if i["key"] in data
            }
    return found


def _data(kind: str, namespace: str, wanted: Json, objects: Objects) -> dict[str, str] | None:
    held = objects.get((namespace, wanted["name"]))
    if held is None:
        if wanted.get("optional"):
            return None
        raise Missing(f'{kind.lower()} "{wanted["name"]}" not found')
    data: dict[str, str] = held.get("data") or {}
    if kind == "secret":
        return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
    return data


def _key(kind: str, namespace: str, wanted: Json, objects: Objects) -> str | None:
    data = _data(kind, namespace, wanted, objects)
    if data is None or wanted["key"] in data:
        return (data or {}).get(wanted["key"])
    if wanted.get("optional"):
        return None
    name = {"configMap": "ConfigMap", "secret": "Secret"}[kind]
    raise Missing(f"couldn't find key {wanted['key']} in {name} {namespace}/{wanted['name']}")


def _field(pod: Json, path: str) -> str:
    here: object = pod
    for part in path.split("."):
        here = here.get(part, "") if isinstance(here, dict) else ""
    return str(here)

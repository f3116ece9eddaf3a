"""OpenAPI v3 schemas of the kinds that are served: what `kubectl explain` prints and `kubectl apply` merges by.

Fields, types and their descriptions come from the client library's generated models, which were made from the genuine
server's own document; what the kinds are for is described there only.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from kubernetes_asyncio.client import models

from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.schema import LIST_KEYS, PATCH_ONLY_KEYS, SET, Type, members
from kubernaut.sim.apiserver.status import Json

_ROOT = "A kind that this simulated API server serves; a genuine one says here what it is for."
_SCALARS: dict[str, Json] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "str": {"type": "string"},
    "datetime": {"type": "string", "format": "date-time"},
    "object": {},
}
# Source: patchStrategy tags in k8s.io/api: of a union only the members that the patch names are kept.
_RETAIN_KEYS = {("V1DeploymentSpec", "strategy"): "retainKeys", ("V1PodSpec", "volumes"): "merge,retainKeys"}
_NAME = re.compile(r"(?P<group>[A-Z][a-z]+)?V(?P<version>\d+(?:(?:alpha|beta)\d+)?)(?P<kind>[A-Z]\w*)")


def name_of(model: str) -> str:
    """The name of a model's schema; clients show what is behind the last dot."""
    found = _NAME.fullmatch(model)
    if found is None:
        return f"io.k8s.{model}"
    return f"io.k8s.{(found['group'] or 'api').lower()}.v{found['version']}.{found['kind']}"


def schemas_of(resources: list[Resource]) -> dict[str, Json]:
    """The schemas of these kinds and of everything in them, by name."""
    found: dict[str, Json] = {}
    pending = [resource.model for resource in resources if resource.model]
    while pending:
        model = pending.pop()
        if name_of(model) not in found:
            found[name_of(model)] = schema(model)
            pending += [inner for kind in members(model).values() if (inner := _model_in(kind))]
    for resource in resources:
        kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        found[root_name(resource)] = _root(resource) | {"x-kubernetes-group-version-kind": [kind]}
    return found


def root_name(resource: Resource) -> str:
    """The name of the schema of a kind itself."""
    if resource.model:
        return name_of(resource.model)
    return f"{'.'.join(reversed(resource.group.split('.')))}.{resource.version}.{resource.kind}"


def _root(resource: Resource) -> Json:
    if resource.custom is None:
        return schema(resource.model) | {"description": _ROOT}
    said: Json = (resource.custom.get("schema") or {}).get("openAPIV3Schema") or {}
    own = {"metadata": _reference("V1ObjectMeta")} | dict.fromkeys(("apiVersion", "kind"), _SCALARS["str"])
    return {**said, "type": "object", "properties": (said.get("properties") or {}) | own}


@cache
def schema(model: str) -> Json:
    """The schema of one model; do not change it."""
    return {
        "type": "object",
        "properties": {key: _property(model, key, kind) for key, kind in members(model).items()},
    }


def _property(model: str, key: str, kind: Type) -> Json:
    found = _typed(kind)
    if "$ref" in found:
        found = {"allOf": [found]}
    if text := _described(model, key):
        found = {"description": text, **found}
    return found | _merging(model, key)


def _typed(kind: Type) -> Json:
    if kind.name == "model":
        return _reference(kind.model) if members(kind.model) else {}
    if kind.name == "list":
        return {"type": "array", "items": _typed(kind.item or Type("object"))}
    if kind.name == "map":
        return {"type": "object", "additionalProperties": _typed(kind.item or Type("object"))}
    return dict(_SCALARS[kind.name])


def _reference(model: str) -> Json:
    return {"$ref": f"#/components/schemas/{name_of(model)}"}


def _model_in(kind: Type) -> str:
    """The model that a type leads to, in a list or map too; empty if there is none."""
    while kind.item is not None:
        kind = kind.item
    return kind.model if kind.model and members(kind.model) else ""


def _merging(model: str, key: str) -> Json:
    """How lists merge: by which keys, and in which kinds of patches."""
    keys = LIST_KEYS.get((model, key), ())
    found: Json = {}
    if (model, key) in PATCH_ONLY_KEYS:
        found["x-kubernetes-patch-merge-key"] = PATCH_ONLY_KEYS[(model, key)]
        found["x-kubernetes-patch-strategy"] = "merge"
    elif keys == (SET,):
        found |= {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"}
    elif keys:
        found |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}
        found |= {"x-kubernetes-patch-merge-key": keys[0], "x-kubernetes-patch-strategy": "merge"}
    if (model, key) in _RETAIN_KEYS:
        found["x-kubernetes-patch-strategy"] = _RETAIN_KEYS[(model, key)]
    return found


def _described(model: str, key: str) -> str:
    """What the library's model says of a field."""
    source: Any = getattr(models, model, None)
    names = {json: attribute for attribute, json in source.attribute_map.items()} if source else {}
    text = (getattr(source, names[key]).__doc__ or "") if key in names else ""
    paragraphs = [part.split("# noqa")[0].strip() for part in text.split("\n\n")]
    return paragraphs[1] if len(paragraphs) > 2 and not paragraphs[1].startswith(":") else ""

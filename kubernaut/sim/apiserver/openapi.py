"""OpenAPI documents: version 3 by group for clients that look before they write, and the empty version 2.

kubectl asks version 3 whether PATCH takes `fieldValidation`, and then leaves validation to the server; it also merges
by it and explains with it. Older versions of kubectl read version 2, and find that it says nothing.
"""

from __future__ import annotations

from aiohttp import web

from kubernaut.sim.apiserver.answers import json_response
from kubernaut.sim.apiserver.openapi_schemas import root_name, schemas_of
from kubernaut.sim.apiserver.resources import Catalogue, Resource
from kubernaut.sim.apiserver.status import Json

_INFO = {"title": "Kubernetes", "version": "v1.36.3"}
_PROTO = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force", "pretty")


def answer(path: str, catalogue: Catalogue, accept: str) -> web.Response | None:
    """The document at a path, or None if there is none."""
    if path == "/openapi/v2":
        if "protobuf" in accept and "json" not in accept:
            return _minimal_proto()
        return json_response({"swagger": "2.0", "info": _INFO, "paths": {}, "definitions": {}})
    if path == "/openapi/v3":
        return json_response({"paths": _index(catalogue)})
    if path.startswith("/openapi/v3/"):
        found = _group_document(path.removeprefix("/openapi/v3/"), catalogue)
        return json_response(found) if found else None
    return None


def _minimal_proto() -> web.Response:
    """The v2 document as protobuf: swagger "2.0" and the title, no paths."""

    def text(field: int, value: str) -> bytes:
        raw = value.encode()
        return bytes([field << 3 | 2, len(raw)]) + raw

    info = text(1, _INFO["title"]) + text(2, _INFO["version"])
    body = text(1, "2.0") + bytes([2 << 3 | 2, len(info)]) + info + bytes([8 << 3 | 2, 0])
    return web.Response(body=body, headers={"Content-Type": _PROTO})


def _prefix(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _index(catalogue: Catalogue) -> Json:
    found = dict.fromkeys(_prefix(item.group, item.version) for item in catalogue)
    return {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={catalogue.revision}"} for path in found}


def _group_document(prefix: str, catalogue: Catalogue) -> Json | None:
    held = [item for item in catalogue if _prefix(item.group, item.version) == prefix]
    if not held:
        return None
    paths = {_path(item): _operations(item) for item in held}
    return {"openapi": "3.0.0", "info": _INFO, "paths": paths, "components": {"schemas": schemas_of(held)}}


def _path(item: Resource) -> str:
    scope = "/namespaces/{namespace}" if item.namespaced else ""
    return f"/{_prefix(item.group, item.version)}{scope}/{item.plural}/{{name}}"


def _operations(item: Resource) -> Json:
    gvk = {"group": item.group, "version": item.version, "kind": item.kind}
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _PARAMETERS]
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{root_name(item)}"}}}
    answers = {"200": {"description": "OK", "content": content}}
    return {
        "patch": {
            "parameters": parameters,
            "responses": answers,
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": gvk,
        },
    }

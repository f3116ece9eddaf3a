"""How answers are written: objects, lists, tables and partial metadata, as the Accept header asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from kubernaut.sim.apiserver.events_view import from_core
from kubernaut.sim.apiserver.listing import Page
from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.status import Json, StatusError
from kubernaut.sim.apiserver.store import Entry
from kubernaut.sim.apiserver.tables import SCALE, columns_of, table

encode = msgspec.json.encode
_JSON = "application/json"
_MEDIA = re.compile(r"application/json|\*/\*|application/\*|application/yaml")


@dataclass(frozen=True, slots=True)
class Form:
    """What the client wants to see: "" (whole objects), Table or PartialObjectMetadata."""

    shape: str = ""
    include: str = "Metadata"


def form_of(accept: str, query: Any) -> Form:
    """The first acceptable form of an Accept header.

    Raises:
        StatusError: 406 if the client accepts nothing that JSON can serve.
    """
    if not accept:
        return Form()
    for part in accept.split(","):
        if not _MEDIA.search(part):
            continue
        shape = re.search(r"as=(\w+)", part)
        if shape is None or shape[1] == "Table":
            return Form(shape[1] if shape else "", query.get("includeObject") or "Metadata")
        if shape[1].startswith("PartialObjectMetadata"):
            return Form("PartialObjectMetadata")
    text = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml"
    raise StatusError(406, "NotAcceptable", text, {})


def json_response(body: Json | bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    raw = body if isinstance(body, bytes) else encode(body)
    return web.Response(body=raw, status=status, content_type=_JSON, headers=headers)


def warning(text: str) -> str:
    """A text as the Warning header carries it."""
    quoted = text.replace(chr(34), chr(92) + chr(34))
    return f'299 - "{quoted}"'


def status_response(error: StatusError) -> web.Response:
    headers = {}
    retry = (error.details or {}).get("retryAfterSeconds")
    if retry:
        headers["Retry-After"] = str(retry)
    return json_response(error.body(), error.code, headers)


def scale_response(scale: Json, form: Form, now: datetime) -> web.Response:
    """A Scale, or a Table of one."""
    if form.shape != "Table":
        return json_response(scale)
    metadata = {"resourceVersion": scale["metadata"]["resourceVersion"]}
    return json_response(table(SCALE, [scale], now, form.include, metadata))


def success(resource: Resource, obj: Json) -> Json:
    """The Status that answers a finished deletion of most kinds."""
    details: Json = {"name": obj["metadata"]["name"]}
    if resource.group:
        details["group"] = resource.group
    details |= {"kind": resource.plural, "uid": obj["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _partial(obj: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


class Writer:
    """Writes entries of one resource in one form."""

    def __init__(self, resource: Resource, form: Form, now: Callable[[], datetime]) -> None:
        self._resource = resource
        self._form = form
        self._now = now
        self._headed = False

    def entry(self, found: Entry) -> bytes:
        """One object."""
        if self._form.shape == "Table":
            metadata = {"resourceVersion": found.obj["metadata"].get("resourceVersion", "")}
            return encode(table(columns_of(self._resource), [found.obj], self._now(), self._form.include, metadata))
        if self._form.shape:
            return found.view("partial", _partial)
        return self._whole(found)

    def watched(self, found: Entry) -> bytes:
        """One object in a watch; of tables only the first has column definitions."""
        if self._form.shape != "Table":
            return self.entry(found)
        header, self._headed = not self._headed, True
        metadata = {"resourceVersion": found.obj["metadata"]["resourceVersion"]}
        return encode(
            table(columns_of(self._resource), [found.obj], self._now(), self._form.include, metadata, header=header)
        )

    def page(self, page: Page) -> bytes:
        """A list."""
        if self._form.shape == "Table":
            objects = [entry.obj for entry in page.entries]
            return encode(table(columns_of(self._resource), objects, self._now(), self._form.include, page.metadata()))
        kind, version = self._resource.list_kind, self._resource.api_version
        if self._form.shape:
            kind, version = "PartialObjectMetadataList", "meta.k8s.io/v1"
            items = [entry.view("partial", _partial) for entry in page.entries]
        elif self._resource.custom is not None or self._resource.view_of:
            items = [self._whole(entry) for entry in page.entries]
        else:
            items = [entry.bare() for entry in page.entries]
        head = encode({"kind": kind, "apiVersion": version, "metadata": page.metadata()})
        return head[:-1] + b',"items":[' + b",".join(items) + b"]}"

    def _whole(self, found: Entry) -> bytes:
        if self._resource.view_of == "events":
            return found.view("events.k8s.io", from_core)
        if self._resource.custom is not None and found.obj["apiVersion"] != self._resource.api_version:
            version = self._resource.api_version
            return found.view(version, lambda obj: obj | {"apiVersion": version})
        return found.full()

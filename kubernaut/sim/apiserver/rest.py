"""One REST request on a resource: read the parameters, call the rules, write the answer."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import msgspec
import yaml
from aiohttp import web

from kubernaut.sim.apiserver import answers, parameters, patches, protobuf
from kubernaut.sim.apiserver.access import User
from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.caller import Caller
from kubernaut.sim.apiserver.deletion import DeleteOptions
from kubernaut.sim.apiserver.events_view import from_core, to_core
from kubernaut.sim.apiserver.listing import Lister, Query
from kubernaut.sim.apiserver.requests import Target
from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.schema import root
from kubernaut.sim.apiserver.selectors import parse_fields, parse_labels
from kubernaut.sim.apiserver.status import (
    Json,
    StatusError,
    bad_request,
    forbidden_field,
    invalid,
    method_not_allowed,
    not_supported,
    required,
    unsupported_media_type,
)
from kubernaut.sim.apiserver.watching import Watch, line

JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC_PATCH, APPLY_PATCH = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
_RETURNS_DELETED = (
    "pods",
    "serviceaccounts",
    "persistentvolumes",
    "persistentvolumeclaims",
    "resourcequotas",
    "services",
)
_MAX_PATCH_OPERATIONS = 10_000


def caller_of(request: web.BaseRequest, user: User) -> Caller:
    """Who writes, by fieldManager or else the client's name, and whether it is only a rehearsal."""
    query = request.query
    dry = query.getall("dryRun", [])
    if any(value != "All" for value in dry):
        cause = not_supported("dryRun", dry, ["All"])
        raise invalid("meta.k8s.io", "CreateOptions", "", [cause])
    validation = query.get("fieldValidation") or "Warn"
    if validation not in ("Ignore", "Warn", "Strict"):
        cause = not_supported("fieldValidation", validation, ["Ignore", "Strict", "Warn"])
        raise invalid("meta.k8s.io", "CreateOptions", "", [cause])
    parameters.check_manager(request.method, query.get("fieldManager", ""))
    manager = query.get("fieldManager") or (request.headers.get("User-Agent") or "unknown").split("/")[0][:128]
    return Caller(user, manager, bool(dry), validation)


async def read_body(request: web.BaseRequest) -> Any:
    """The JSON or YAML of a body; nothing is an empty object."""
    raw = await request.read()
    if not raw:
        return {}
    kind = request.content_type
    if kind == protobuf.MEDIA_TYPE:
        return protobuf.decode(raw)
    try:
        if kind in ("application/yaml", APPLY_PATCH):
            return yaml.safe_load(raw)
        if kind in ("application/json", "application/octet-stream", JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH):
            return msgspec.json.decode(raw)
    except (msgspec.DecodeError, yaml.YAMLError) as error:
        text = f"couldn't get version/kind; json parse error: {error}"
        raise bad_request(f"the object provided is unrecognized: {text}") from error
    raise unsupported_media_type(("application/json", "application/yaml", protobuf.MEDIA_TYPE))


def an_object(body: Any) -> Json:
    if not isinstance(body, dict):
        raise bad_request("couldn't get version/kind; json parse error: the body must be an object")
    return body


class Rest:
    """Create, read, update, delete and watch over HTTP."""

    def __init__(self, api: Api, lister: Lister, stopping: asyncio.Event) -> None:
        self._api = api
        self._lister = lister
        self._stopping = stopping
        self._watches: set[Watch] = set()

    def wake_watches(self) -> None:
        """Make every watch look at whether the server stops."""
        for watch in self._watches:
            watch.wake()

    async def answer(
        self, request: web.BaseRequest, resource: Resource, target: Target, verb: str, user: User
    ) -> web.StreamResponse:
        """The answer to one authorised request."""
        form = answers.form_of(request.headers.get("Accept", ""), request.query)
        writer = answers.Writer(resource, form, self._api.now)
        if verb == "get":
            entry = self._api.entry(resource, target.namespace, target.name)
            return answers.json_response(writer.entry(entry))
        if verb in ("list", "watch"):
            parameters.check_listing(request.query, watch=verb == "watch")
        if verb == "list":
            self._check_revision(request)
            return answers.json_response(
                writer.page(self._lister.page(resource, self._query(request, resource, target)))
            )
        if verb == "watch":
            return await self._watch(request, resource, target, writer)
        caller = caller_of(request, user)
        body = await read_body(request)
        if verb == "create":
            sent, stored = self._stored(resource, an_object(body))
            made = self._api.create(stored, target.namespace, sent, caller)
            return answers.json_response(writer.entry(made), 201, _warnings(caller))
        if verb == "update":
            parameters.name_of(an_object(body), target.name)
            sent, stored = self._stored(resource, body)
            done = self._api.update(stored, target.namespace, target.name, sent, caller, target.subresource)
            return answers.json_response(writer.entry(done), 200, _warnings(caller))
        if verb == "patch":
            done, made_new = self.patch(request, resource, target, body, caller)
            return answers.json_response(writer.entry(done), 201 if made_new else 200, _warnings(caller))
        options = DeleteOptions.read(an_object(body), request.query)
        if options.dry_run:
            caller = replace(caller, dry_run=True)
        if verb == "delete":
            return self._delete(resource, target, options, caller, writer)
        if verb == "deletecollection":
            page = self._lister.page(resource, self._query(request, resource, target))
            for entry in page.entries:
                metadata = entry.obj["metadata"]
                self._api.delete(resource, metadata.get("namespace", ""), metadata["name"], options, caller)
            return answers.json_response(writer.page(page))
        raise method_not_allowed()

    def patch(
        self, request: web.BaseRequest, resource: Resource, target: Target, body: Any, caller: Caller
    ) -> tuple[Any, bool]:
        """Apply a patch of any of the four types."""
        kind = request.content_type
        accepted = (
            (JSON_PATCH, MERGE_PATCH, APPLY_PATCH)
            if resource.custom
            else (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)
        )
        if kind not in accepted:
            raise unsupported_media_type(accepted)
        if kind == APPLY_PATCH:
            return self._apply(request, resource, target, an_object(body), caller)
        if request.query.get("force"):
            cause = forbidden_field("force", "may not be specified for non-apply patch")
            raise invalid("meta.k8s.io", "PatchOptions", "", [cause])

        if kind != JSON_PATCH and not isinstance(body, dict):
            raise bad_request(
                f"json: cannot unmarshal {_json_name(body)} into Go value of type map[string]interface {{}}"
            )

        def change(held: Json) -> Json:
            seen = from_core(held) if resource.view_of == "events" else held
            changed = patched(kind, seen, body, resource)
            return to_core(changed) if resource.view_of == "events" else changed

        owner = self._api.catalogue.of_bucket(resource.bucket) if resource.view_of else resource
        strategic = body if kind == STRATEGIC_PATCH else None
        done = self._api.patch(owner, target.namespace, target.name, change, caller, target.subresource, strategic)
        return done, False

    def _apply(
        self, request: web.BaseRequest, resource: Resource, target: Target, body: Json, caller: Caller
    ) -> tuple[Any, bool]:
        if not request.query.get("fieldManager"):
            cause = required("fieldManager", "is required for apply patch")
            raise invalid("meta.k8s.io", "PatchOptions", "", [cause])
        if not body.get("kind") or not body.get("apiVersion"):
            raise bad_request("invalid object type: apiVersion and kind must be set")
        force = request.query.get("force", "") in ("true", "1")
        return self._api.apply(
            resource, target.namespace, target.name, body, caller, force=force, subresource=target.subresource
        )

    def _stored(self, resource: Resource, body: Json) -> tuple[Json, Resource]:
        """The object and the resource as the store holds them, when this kind is a view of another."""
        if resource.view_of != "events":
            return body, resource
        return to_core(body), self._api.catalogue.of_bucket("events")

    def _query(self, request: web.BaseRequest, resource: Resource, target: Target) -> Query:
        found = request.query
        labels = parse_labels(found.get("labelSelector", ""))
        fields = parse_fields(found.get("fieldSelector", ""), resource)
        limit = found.get("limit", "0")
        if not limit.isdigit():
            raise bad_request(f'strconv.ParseInt: parsing "{limit}": invalid syntax')
        return Query(target.namespace, labels, fields, int(limit), found.get("continue", ""))

    def _check_revision(self, request: web.BaseRequest) -> None:
        wanted = request.query.get("resourceVersion", "")
        if not wanted:
            return
        if not wanted.isdigit():
            raise bad_request(
                f'resourceVersion: Invalid value: "{wanted}": strconv.ParseUint: parsing "{wanted}": invalid syntax'
            )
        current = self._api.store.revision
        if int(wanted) > current:
            causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
            text = f"Timeout: Too large resource version: {wanted}, current: {current}"
            raise StatusError(504, "Timeout", text, {"causes": causes, "retryAfterSeconds": 1})
        if request.query.get("resourceVersionMatch") == "Exact" and int(wanted) < current:
            raise StatusError(410, "Expired", f"The resourceVersion for the provided list is too old: {wanted}")

    def _delete(
        self, resource: Resource, target: Target, options: DeleteOptions, caller: Caller, writer: answers.Writer
    ) -> web.Response:
        entry, gone = self._api.delete(resource, target.namespace, target.name, options, caller)
        if gone and resource.bucket not in _RETURNS_DELETED:
            return answers.json_response(answers.success(resource, entry.obj))
        return answers.json_response(writer.entry(entry))

    async def _watch(
        self, request: web.BaseRequest, resource: Resource, target: Target, writer: answers.Writer
    ) -> web.StreamResponse:
        query = request.query
        watch = Watch(self._api.store, resource, self._query(request, resource, target), writer.watched)
        revision = query.get("resourceVersion", "")
        if revision and not revision.isdigit():
            raise bad_request(f'resourceVersion: Invalid value: "{revision}"')
        seconds = float(query.get("timeoutSeconds") or random.uniform(1800, 3600))  # noqa: S311 - spreads reconnects
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        self._watches.add(watch)
        try:
            lines = watch.lines(
                revision,
                seconds,
                bookmarks=query.get("allowWatchBookmarks") in ("true", "1"),
                initial=query.get("sendInitialEvents") in ("true", "1"),
                stopped=self._stopping,
            )
            async for text in lines:
                await answer.write(text)
        except StatusError as error:
            await answer.write(line("ERROR", answers.encode(error.body())))
        except ConnectionResetError:
            return answer
        finally:
            self._watches.discard(watch)
        if not self._stopping.is_set():
            await answer.write_eof()
        return answer


def patched(kind: str, held: Json, body: Any, resource: Resource) -> Json:
    """The object after a JSON, merge or strategic merge patch."""
    if kind == JSON_PATCH:
        if isinstance(body, list) and len(body) > _MAX_PATCH_OPERATIONS:
            text = f"The allowed maximum operations in a JSON patch is {_MAX_PATCH_OPERATIONS}, got {len(body)}"
            raise StatusError(413, "RequestEntityTooLarge", text)
        return patches.json_patch(held, body)
    if kind == MERGE_PATCH:
        merged: Json = patches.merge(held, an_object(body))
        return merged
    changed: Json = patches.strategic(held, an_object(body), root(resource.model))
    return changed


def _json_name(value: Any) -> str:
    names: dict[type, str] = {str: "string", bool: "bool", int: "number", float: "number", list: "array"}
    return names.get(type(value), "null")


def _warnings(caller: Caller) -> dict[str, str]:
    if not caller.warnings:
        return {}
    return {"Warning": ", ".join(map(answers.warning, caller.warnings))}

"""The HTTP front: authentication, authorisation, routing. Everything below it knows no HTTP."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import structlog
from aiohttp import web

from kubernaut.sim.apiserver import answers, openapi
from kubernaut.sim.apiserver.access import NOBODY, Attributes, Authenticator, Authorizer, User
from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.discovery import VERSION, Discovery
from kubernaut.sim.apiserver.impersonation import acting_as
from kubernaut.sim.apiserver.listing import Lister
from kubernaut.sim.apiserver.requests import Target, parse_path
from kubernaut.sim.apiserver.rest import Rest, an_object, caller_of, read_body
from kubernaut.sim.apiserver.reviews import PLURALS, Reviews
from kubernaut.sim.apiserver.selectors import parse_fields
from kubernaut.sim.apiserver.status import Json, StatusError, bad_request, internal, method_not_allowed, unauthorized
from kubernaut.sim.apiserver.subresources import Subresources
from kubernaut.sim.apiserver.tokens import Tokens

_log = structlog.get_logger(__name__)
_MAX_BODY_BYTES = 3 * 1024 * 1024
_AGGREGATED = "as=APIGroupDiscoveryList"
_ENDPOINTS = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
_WARNING: web.RequestKey[str] = web.RequestKey("warning", str)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}
_WHOLE = ("create", "delete", "deletecollection")
_UPGRADES = ("exec", "attach", "portforward")
_OWN_SUBRESOURCES = ("scale", "eviction", "binding", "log", "finalize", "token", *_UPGRADES)
_NO_PROCESS = (
    "this pod is played: no process runs in it, and nothing listens. Its logs, events and status are all there is of it"
)


class Server:
    """Serves one Api; it can go away and come back on the same port, as in an outage."""

    def __init__(self, api: Api, authenticator: Authenticator, authorizer: Authorizer, tokens: Tokens) -> None:
        self._api = api
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._tokens = tokens
        self._discovery = Discovery(api.catalogue)
        self._reviews = Reviews(authenticator, authorizer)
        self._subresources = Subresources(api)
        self._stopping = asyncio.Event()
        self.lister = Lister(api.store)
        self._rest = Rest(api, self.lister, self._stopping)
        self._runner: web.ServerRunner | None = None
        self._address = ""

    async def listen(self, host: str, port: int, context: ssl.SSLContext) -> int:
        """Serve on host:port (0: any free one) and return the port."""
        self._stopping.clear()
        server = web.Server(self._handle, request_factory=_request, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=context, reuse_address=True)
        await site.start()
        bound = self._runner.addresses[0][1]
        self._address = f"{host}:{bound}"
        return int(bound)

    async def close(self) -> None:
        """Refuse connections and end the open ones, watches too."""
        self._stopping.set()
        self._rest.wake_watches()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            answer = await self._answer(request)
            if request.get(_WARNING) and not answer.prepared:
                answer.headers.add("Warning", answers.warning(request[_WARNING]))
            return answer
        except StatusError as error:
            return answers.status_response(error)
        except web.HTTPRequestEntityTooLarge:
            text = "Request entity too large: limit is 3145728"
            return answers.status_response(StatusError(413, "RequestEntityTooLarge", text))
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:
            _log.exception("simulated API server failed on a request", path=request.path, method=request.method)
            return answers.status_response(internal(repr(error)))

    def _user(self, request: web.BaseRequest) -> User:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if not kind:
            return NOBODY
        user = self._authenticator.user(token.strip()) if kind.lower() == "bearer" else None
        if user is None:
            raise unauthorized()
        return user

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        user = self._user(request)
        target = parse_path(request.path)
        if target is None or not target.resource:
            return self._plain(request, user)
        resource = self._api.catalogue.find(target.group, target.version, target.resource)
        verb = _VERBS.get(request.method, "")
        if verb == "get" and not target.name:
            verb = "watch" if request.query.get("watch") in ("true", "1") else "list"
        elif verb == "delete" and not target.name:
            verb = "deletecollection"
        if target.subresource in _UPGRADES:
            verb = "create"  # a web socket's GET lets do as much as a POST
        user = self._authorized(user, target, verb, request)
        if PLURALS.get(target.resource) == target.group and target.version == "v1":
            if request.method != "POST":
                raise method_not_allowed()
            body = an_object(await read_body(request))
            return answers.json_response(self._reviews.answer(target.resource, target.namespace, body, user), 201)
        if resource is None or (target.subresource and target.subresource not in resource.subresources):
            return _unknown()
        if not verb or (verb == "create" and target.name and not target.subresource):
            raise method_not_allowed()
        if (verb in ("update", "patch") and not target.name) or (verb in _WHOLE and target.subresource == "status"):
            raise method_not_allowed()
        if resource.namespaced and not target.namespace and verb not in ("list", "watch"):
            return _unknown() if verb != "create" else self._needs_namespace()
        if target.subresource in _OWN_SUBRESOURCES:
            return await self._below(request, target, verb, user)
        if resource.bucket == "endpoints":
            request[_WARNING] = _ENDPOINTS
        return await self._rest.answer(request, resource, target, verb, user)

    def _needs_namespace(self) -> web.StreamResponse:
        raise StatusError(400, "BadRequest", "an empty namespace may not be set during creation")

    def _authorized(self, user: User, target: Target, verb: str, request: web.BaseRequest) -> User:
        """Whom the request is made as, who may do what it asks."""
        name = target.name
        if not name and (selector := request.query.get("fieldSelector", "")):
            resource = self._api.catalogue.find(target.group, target.version, target.resource)
            name = parse_fields(selector, resource).name() if resource else ""
        wanted = Attributes(verb, target.group, target.resource, target.subresource, _namespace_of(target), name)
        user = acting_as(user, request.headers, self._authorizer, wanted)
        if not self._authorizer.allows(user, wanted):
            raise wanted.refusal(user)
        return user

    async def _below(self, request: web.BaseRequest, target: Target, verb: str, user: User) -> web.StreamResponse:
        resource = self._api.catalogue.find(target.group, target.version, target.resource)
        if resource is None:
            return _unknown()
        if target.subresource == "log":
            if verb != "get":
                raise method_not_allowed()
            return await self._subresources.logs(request, target)
        if target.subresource in _UPGRADES:
            self._api.entry(resource, target.namespace, target.name)
            raise bad_request(_NO_PROCESS)
        caller = caller_of(request, user)
        body = await read_body(request) if verb != "get" else {}
        if target.subresource == "scale" and verb in ("get", "update", "patch"):
            kind = request.content_type
            scale = self._subresources.scale(resource, target, verb, body, kind, caller)
            form = answers.form_of(request.headers.get("Accept", ""), request.query)
            return answers.scale_response(scale, form, self._api.now())
        if target.subresource == "eviction" and verb == "create":
            return answers.json_response(self._subresources.evict(resource, target, an_object(body), caller), 201)
        if target.subresource == "binding" and verb == "create":
            return answers.json_response(self._subresources.bind(target, an_object(body)), 201)
        if target.subresource == "token" and verb == "create":
            return answers.json_response(self._tokens.request(target.namespace, target.name, an_object(body)), 201)
        if target.subresource == "finalize" and verb == "update":
            done = self._api.update(resource, target.namespace, target.name, an_object(body), caller)
            return answers.json_response(done.full())
        raise method_not_allowed()

    def _plain(self, request: web.BaseRequest, user: User) -> web.StreamResponse:
        path = request.path.rstrip("/") or "/"
        wanted = Attributes("get" if request.method in ("GET", "HEAD") else request.method.lower(), path=path)
        user = acting_as(user, request.headers, self._authorizer, wanted)
        if not self._authorizer.allows(user, wanted):
            raise wanted.refusal(user)
        if path in ("/healthz", "/livez", "/readyz") or path.startswith(("/livez/", "/readyz/")):
            verbose = "verbose" in request.query
            return web.Response(text=f"[+]ping ok\n{path.split('/')[1]} check passed\n" if verbose else "ok")
        body = self._document(path, request.headers.get("Accept", ""))
        if body is None:
            spec = openapi.answer(path, self._api.catalogue, request.headers.get("Accept", ""))
            return spec or _unknown()
        if body.get("kind") == "APIGroupDiscoveryList":
            kind = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            return web.Response(body=answers.encode(body), headers={"Content-Type": kind, "Vary": "Accept"})
        return answers.json_response(body)

    def _document(self, path: str, accept: str) -> Json | None:
        if path == "/version":
            return VERSION
        if path in ("/api", "/apis") and _AGGREGATED in accept and "v=v2;" in accept + ";":
            return self._discovery.aggregated(core=path == "/api")
        if path == "/api":
            return self._discovery.legacy_versions(self._address)
        if path == "/apis":
            return self._discovery.groups()
        if path == "/":
            names = [
                f"/apis/{group}/{version}" if group else "/api/v1"
                for group, version in self._discovery.group_versions()
            ]
            return {
                "paths": [
                    "/api",
                    "/apis",
                    "/healthz",
                    "/livez",
                    "/openapi/v2",
                    "/openapi/v3",
                    "/readyz",
                    "/version",
                    *names,
                ]
            }
        parts = path.strip("/").split("/")
        if parts[0] == "apis" and len(parts) == 2:
            return self._discovery.group(parts[1])
        if parts[0] == "apis" and len(parts) == 3:
            return self._discovery.resources(parts[1], parts[2])
        return self._discovery.resources("", parts[1]) if parts[0] == "api" and len(parts) == 2 else None


def _namespace_of(target: Target) -> str:
    """Rights on one namespace object are asked within that namespace."""
    if target.resource == "namespaces" and not target.group:
        return target.name
    return target.namespace


def _unknown() -> web.Response:
    return web.Response(status=404, text="404 page not found\n")


def _request(*arguments: Any) -> web.BaseRequest:
    message, payload, protocol, writer, task = arguments
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_MAX_BODY_BYTES)

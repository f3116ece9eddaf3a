"""Requests to one API server: bytes out, bytes in, each failure an error of the tree, each write sent at most once."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import msgspec

from kubernaut.domain.errors import KubernautError, Temporary

from .credentials import Credentials
from .errors import Unauthorized, from_answer, from_transport

_CONNECT_S = 10.0
READ_S = 15.0
WRITE_S = 30.0
_DOUBT_S = 15.0
"""An API server that has just started refuses everybody until its authorizer has read the roles (seen on 1.36: a second)."""


class Session:
    """The connections to one API server.

    kubernetes-asyncio makes the TLS context, the proxy settings and the connection pool from the kubeconfig; requests
    go to its aiohttp session directly, because its models would cost fifty times the decoding.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._configuration: Any = None
        self._rest: Any = None
        self._loading = asyncio.Lock()
        self._doubtful_until = 0.0

    async def close(self) -> None:
        """Ends every connection; the next request opens new ones."""
        if self._rest is not None:
            await self._rest.close()
            await asyncio.sleep(0)  # aborted TLS transports close in the next turn of the loop
        self._configuration = self._rest = None

    @property
    def doubtful(self) -> bool:
        """Whether the server was not to be reached a moment ago, so that a refusal of it may not last."""
        return asyncio.get_running_loop().time() < self._doubtful_until

    def _unreached(self) -> None:
        self._doubtful_until = asyncio.get_running_loop().time() + _DOUBT_S

    async def read(self, path: str, query: Mapping[str, str] | None = None, *, what: str) -> bytes:
        """The body of a GET, within 15 s. Raises NotFound, Refused, Permanent, Temporary, Gone."""
        try:
            return await self._request("GET", path, query, None, "", what, write=False)
        except aiohttp.ServerDisconnectedError as e:  # an idle connection that the server had closed
            try:
                return await self._request("GET", path, query, None, "", what, write=False)
            except aiohttp.ServerDisconnectedError:
                raise from_transport(e, what, write=False) from e

    async def write(
        self,
        method: str,
        path: str,
        body: object,
        *,
        what: str,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        changes: bool = True,
        sensitive: bool = False,
    ) -> bytes:
        """The answer to a request with a body, within 30 s. Sent once; sent again only after a 401.

        Args:
            changes: whether the request can change the cluster: if so, a lost answer is Unknown, else Temporary.
            sensitive: the object is a Secret, whose values must not appear in messages.
        """
        data = msgspec.json.encode(body)
        try:
            return await self._request(
                method, path, query, data, content_type, what, write=changes, sensitive=sensitive
            )
        except aiohttp.ServerDisconnectedError as e:
            raise from_transport(e, what, write=changes) from e

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str, query: Mapping[str, str], *, silence_s: float, what: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer whose body is read as it comes; silent for longer than `silence_s` it is Temporary."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=silence_s)
        try:
            async with await self._open("GET", path, query, None, {"Accept-Encoding": "identity"}, timeout) as got:
                if got.status >= 400:
                    if got.status == 401:
                        await self._reload(self._configuration)
                    error = from_answer(got.status, await got.read(), got.headers, what, write=False)
                    raise Temporary(str(error)) if got.status == 403 and self.doubtful else error
                try:
                    yield got
                finally:
                    abort(got)
        except (aiohttp.ClientError, OSError, TimeoutError) as e:
            self._unreached()
            raise from_transport(e, what, write=False) from e

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        data: bytes | None,
        content_type: str,
        what: str,
        *,
        write: bool,
        sensitive: bool = False,
    ) -> bytes:
        headers = {"Content-Type": content_type} if content_type else {}
        first = True
        while True:
            configuration = await self._ready()
            try:
                timeout = aiohttp.ClientTimeout(total=WRITE_S if write else READ_S, sock_connect=_CONNECT_S)
                async with await self._open(method, path, query, data, headers, timeout) as got:
                    body, code, answered = await got.read(), got.status, got.headers
            except aiohttp.ServerDisconnectedError:
                raise
            except (aiohttp.ClientError, OSError, TimeoutError) as e:
                self._unreached()
                raise from_transport(e, what, write=write) from e
            if code < 400:
                return body
            error = from_answer(code, body, answered, what, write=write, sensitive=sensitive)
            if code == 403 and self.doubtful:
                raise Temporary(f"{error} (it has just come back: its refusals may not last)")
            if not first or not isinstance(error, Unauthorized):
                raise error
            first = False
            await self._reload(configuration)

    async def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        data: bytes | None,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        configuration = await self._ready()
        rest = self._rest
        token = await configuration.get_api_key_with_prefix("BearerToken")
        sent = {"Accept": "application/json", "User-Agent": "kubernaut", **headers}
        if token:
            sent["Authorization"] = token
        answer: aiohttp.ClientResponse = await rest.pool_manager.request(
            method,
            configuration.host + path,
            params=query or None,
            data=data,
            headers=sent,
            timeout=timeout,
            allow_redirects=False,
            proxy=rest.proxy,
            proxy_headers=rest.proxy_headers,
            server_hostname=rest.server_hostname,
        )
        return answer

    async def _ready(self) -> Any:
        if self._configuration is None or self._credentials.expired:
            await self._reload(self._configuration)
        return self._configuration

    async def _reload(self, rejected: Any) -> None:
        """Loads credentials again, once for all requests that were rejected with the same ones."""
        async with self._loading:
            if self._configuration is not rejected:
                return
            fresh = await self._credentials.load()
            if self._rest is None or _tls(fresh) != _tls(rejected):
                await self._replace(fresh)
            self._configuration = fresh

    async def _replace(self, configuration: Any) -> None:
        from kubernetes_asyncio.client.rest import RESTClientObject

        old = self._rest
        self._rest = RESTClientObject(configuration)
        # aiohttp would send a DELETE again when a kept connection breaks, and nobody could tell what the first one did.
        self._rest.pool_manager._retry_connection = False
        if old is not None:
            await old.close()


def abort(answer: aiohttp.ClientResponse) -> None:
    """Drops a connection whose answer goes on for ever: a polite TLS shutdown would wait for the other side."""
    if answer.connection is not None and answer.connection.transport is not None:
        answer.connection.transport.abort()


def _tls(configuration: Any) -> tuple[Any, ...]:
    """What a connection pool is bound to; a token is not part of it."""
    names = ("host", "ssl_ca_cert", "cert_file", "key_file", "verify_ssl", "tls_server_name", "proxy")
    return tuple(getattr(configuration, name, None) for name in names)


class Backoff:
    """Pauses that double up to a limit, with full jitter on the upper half so that clients do not march in step."""

    def __init__(self, first_s: float = 0.2, limit_s: float = 10.0) -> None:
        self._first_s, self._limit_s = first_s, limit_s
        self._next_s = first_s

    def reset(self) -> None:
        self._next_s = self._first_s

    def pause_s(self, error: KubernautError | None = None) -> float:
        """How long to wait now, in seconds: at least what the error asks for if that is more than the default."""
        pause_s, self._next_s = self._next_s, min(self._next_s * 2, self._limit_s)
        return pause_s * random.uniform(0.5, 1.0)  # noqa: S311 — jitter is no secret

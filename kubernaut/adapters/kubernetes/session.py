"""Requests to one API server: bytes out, bytes in, each failure an error of the tree, each write sent at most once."""

import asyncio
import contextlib
import random
import socket
import ssl
import weakref
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from kubernaut.domain.errors import KubernautError, Temporary

from .credentials import Credentials, unusable
from .errors import Unauthorized, from_answer, from_transport
from .proxy import Proxy

if TYPE_CHECKING:
    from .kubeconfig import Login

_CONNECT_S = 10.0
READ_S = 15.0
WRITE_S = 30.0
_DOUBT_S = 15.0
"""An API server that has just started refuses everybody until its authorizer has read the roles (seen on 1.36: a second)."""
_LONGEST_LINE_BYTES = 2**21
"""More than the largest object that etcd takes (1.5 MiB): it comes as one line of a watch."""
_TURNS = 100
"""Turns of the event loop in which a transport ends whose socket was shut down: three are enough on an idle machine."""


class Session:
    """The connections to one API server.

    kubernetes-asyncio reads the kubeconfig and runs its plugins; requests do not go through it, because its models would cost
    fifty times the decoding.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._login: Login | None = None
        self._pool: aiohttp.ClientSession | None = None
        self._proxy = Proxy()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._loading = asyncio.Lock()
        self._doubtful_until = 0.0

    async def close(self) -> None:
        """Ends every connection; the next request opens new ones."""
        if self._pool is not None:
            await self._pool.close()
            await self._drop_left_behind()
        self._login = self._pool = None

    async def _drop_left_behind(self) -> None:
        """Ends what requests have left behind that were cancelled while they connected, or in flight.

        asyncio says good-bye to the server then and waits half a minute for its answer, in a transport that nobody holds any
        more. Its socket is told that nothing comes, and the transport ends by itself.
        """
        for _ in range(_TURNS):
            await asyncio.sleep(0)  # a turn in which transports see what was done to their sockets
            left = [made for made in self._sockets if made.fileno() >= 0]
            if not left:
                return
            for made in left:
                with contextlib.suppress(OSError):  # it was never connected, or is not any more
                    made.shutdown(socket.SHUT_RDWR)

    @property
    def logged_in(self) -> bool:
        """Whether credentials were loaded at all: a plugin may take its time, or hang."""
        return self._login is not None

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
                        await self._reload(self._login)
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
            login = await self._ready()
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
            await self._reload(login)

    async def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        data: bytes | None,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        login = await self._ready()
        try:
            authorization = await login.authorization()
        except Exception as e:  # a file of a token that is renewed may be anything
            raise unusable(e) from e
        sent = {"Accept": "application/json", "User-Agent": "kubernaut", **headers}
        if authorization:
            sent["Authorization"] = authorization
        pool = self._pool  # after the last wait: another one's reload may have closed the pool before it
        assert pool is not None  # noqa: S101 - there is one since the first login
        return await pool.request(
            method,
            login.configuration.host + path,
            params=query or None,
            data=data,
            headers=sent,
            timeout=timeout,
            allow_redirects=False,
            proxy=self._proxy.url,
            proxy_headers=self._proxy.headers,
            server_hostname=login.tls.server_name,
        )

    async def _ready(self) -> "Login":
        if self._login is None or self._credentials.expired:
            await self._reload(self._login)
        assert self._login is not None  # noqa: S101 - loaded, or an error was raised
        return self._login

    async def _reload(self, rejected: "Login | None") -> None:
        """Loads credentials again, once for all requests that were rejected with the same ones."""
        async with self._loading:
            if self._login is not rejected:
                return
            fresh = await self._credentials.load()
            if self._pool is None or rejected is None or _bound(fresh) != _bound(rejected):
                await self._replace(fresh)
            self._login = fresh

    async def _replace(self, login: "Login") -> None:
        """A new pool of connections; the old one's are ended, because they belong to other credentials."""
        try:
            context = login.tls.context()
        except OSError as e:  # what is no certificate or no key of it, or no file can be opened any more
            raise Temporary(f"can't load the credentials: {_reason(e)}", 5.0) from e
        old = self._pool
        connector = aiohttp.TCPConnector(limit=0, ssl=context, socket_factory=self._socket)
        self._pool = aiohttp.ClientSession(connector=connector, read_bufsize=_LONGEST_LINE_BYTES)
        self._proxy = Proxy.towards(login.configuration.host, login.configuration.proxy)
        # aiohttp would send a DELETE again when a kept connection breaks, and nobody could tell what the first one did.
        self._pool._retry_connection = False
        if old is not None:
            await old.close()

    def _socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        self._sockets.add(made)
        return made


def abort(answer: aiohttp.ClientResponse) -> None:
    """Drops a connection whose answer goes on for ever: a polite TLS shutdown would wait for the other side."""
    if answer.connection is not None and answer.connection.transport is not None:
        answer.connection.transport.abort()


def _bound(login: "Login") -> tuple[Any, ...]:
    """What a connection is bound to; a token is not part of it."""
    return login.configuration.host, login.configuration.proxy, login.tls


def _reason(e: OSError) -> str:
    return f"a certificate or a key is wrong ({e.reason or 'no PEM'})" if isinstance(e, ssl.SSLError) else str(e)


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

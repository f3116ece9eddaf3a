"""The daemon's API over its Unix socket, for asyncio; aiohttp is imported with the first call, after the first paint."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubernaut.domain.errors import BadInput, Conflict, KubernautError, NotFound, Refused, Temporary, Unknown

if TYPE_CHECKING:
    import aiohttp

_READ_S = 15.0
_WRITE_S = 40.0
_SILENCE_S = 30.0
_CONNECT_S = 5.0
_LINE_BYTES = 4 * 1024 * 1024
_PLACES = (Path("state/kubernaut.sock"), Path("config/state/kubernaut.sock"), Path("/run/kubernaut/kubernaut.sock"))
"""The same places, in the same order, at which the command line looks."""
_ERRORS: dict[str, type[KubernautError]] = {
    "not_found": NotFound, "refused": Refused, "read_only": Refused, "conflict": Conflict, "unavailable": Temporary,
    "unknown": Unknown,
}  # fmt: skip


def socket_path(given: Path | None = None) -> Path:
    """The socket to use: the one given, KUBERNAUT_API__SOCKET, or the first of the usual places that exists.

    Looked up again at each connection, so a daemon that starts later is found.
    """
    if given is not None:
        return given
    if named := os.environ.get("KUBERNAUT_API__SOCKET"):
        return Path(named)
    return next((place for place in _PLACES if place.exists()), _PLACES[0])


class Client:
    """Calls to one daemon. Raises the errors of the domain; Temporary when nobody answers."""

    def __init__(self, given: Path | None = None) -> None:
        self._given = given
        self._session: aiohttp.ClientSession | None = None
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        """The socket that the next connection goes to."""
        return socket_path(self._given)

    async def close(self) -> None:
        """End all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """GET a document."""
        import aiohttp

        session = await self._open()
        timeout = aiohttp.ClientTimeout(total=_READ_S, sock_connect=_CONNECT_S)
        try:
            async with session.get(f"http://kubernaut{path}", params=params, timeout=timeout) as response:
                return _document(response.status, await response.read())
        except (
            aiohttp.ClientError,
            OSError,
            RuntimeError,
        ) as error:  # RuntimeError: closed, for there is another socket now
            raise Temporary(self._why(error)) from error

    async def send(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST or DELETE, exactly once.

        Raises:
            Unknown: it was sent and the reply was lost. Temporary: it was never sent.
        """
        import aiohttp

        session = await self._open()
        timeout = aiohttp.ClientTimeout(total=_WRITE_S, sock_connect=_CONNECT_S)
        try:
            async with session.request(method, f"http://kubernaut{path}", json=dict(body), timeout=timeout) as response:
                return _document(response.status, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Temporary(f"{self._why(error)}; nothing was sent") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unknown("the daemon's reply was lost") from error

    async def journal(self, after: int) -> AsyncIterator[dict[str, Any]]:
        """The journal's lines behind `after`, heartbeats included, for as long as the stream is open."""
        import aiohttp

        session = await self._open()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
        params = {"follow": "true", "after": str(after)}
        try:
            async with session.get("http://kubernaut/v1/journal", params=params, timeout=timeout) as response:
                if response.status >= 400:
                    _document(response.status, await response.read())
                async for raw in response.content:
                    yield json.loads(raw)
        except (aiohttp.ClientError, OSError) as error:
            raise Temporary(self._why(error)) from error

    async def _open(self) -> "aiohttp.ClientSession":
        import aiohttp

        path = self.path
        if self._session is None or path != self._path:
            await self.close()
            connector = aiohttp.UnixConnector(str(path), limit=8)
            self._session, self._path = aiohttp.ClientSession(connector=connector, read_bufsize=_LINE_BYTES), path
        return self._session

    def _why(self, error: Exception) -> str:
        cause = getattr(error, "os_error", None) or error
        if isinstance(cause, PermissionError):
            return f"you may not open {self.path}: ask to be added to its group (api.group)"
        if isinstance(cause, FileNotFoundError | ConnectionRefusedError):
            return (
                f"no daemon listens on {self.path}: start one with `kubernaut daemon`, or name its socket with --socket"
            )
        if isinstance(cause, TimeoutError):
            return "the daemon did not answer in time"
        return f"the daemon's connection ended ({type(cause).__name__})"


def _document(status: int, raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except ValueError as error:
        if status >= 400:
            raise KubernautError(f"the daemon answered with status {status}") from error
        raise Unknown("the daemon's reply can't be read") from error
    if status < 400:
        return document if isinstance(document, dict) else {"items": document}
    told = document.get("error") if isinstance(document, dict) else None
    told = told if isinstance(told, dict) else {}
    code, message = str(told.get("code")), str(told.get("message") or f"the daemon answered with status {status}")
    if code == "bad_input":
        raise BadInput(message, field=str(told.get("field") or ""))
    raise _ERRORS.get(code, KubernautError)(message)

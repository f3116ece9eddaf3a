"""The daemon's API over its Unix socket, for the command line."""

import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from kubernaut.domain.errors import BadInput, Conflict, KubernautError, NotFound, Refused, Temporary, Unknown

from .exits import NoDaemonError

_TIMEOUT_S = 30.0
_SILENCE_S = 20.0
"""A stream has a heartbeat every 5 s; one that says nothing for so long is dead."""
_PLACES = (Path("state/kubernaut.sock"), Path("config/state/kubernaut.sock"), Path("/run/kubernaut/kubernaut.sock"))
_LOST = "the daemon's reply was lost, so whether it was done is not known: look before you repeat"
_ERRORS: dict[str, type[KubernautError]] = {
    "not_found": NotFound, "refused": Refused, "read_only": Refused, "conflict": Conflict, "unavailable": Temporary,
    "unknown": Unknown,
}  # fmt: skip


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def find_socket(given: Path | None = None) -> Path:
    """The socket to use: the one given, the one that the environment names, or the first of the usual places that exists.

    Raises:
        NoDaemonError: there is none; says where was looked.
    """
    named = given or _of_environment()
    if named is not None:
        return named
    for place in _PLACES:
        if place.exists():
            return place
    looked = ", ".join(str(place) for place in _PLACES)
    raise NoDaemonError(
        f"no daemon was found (looked at {looked}). Start one with `kubernaut daemon`, or name its socket with --socket "
        "or KUBERNAUT_API__SOCKET"
    )


def _of_environment() -> Path | None:
    """The daemon's socket by the variables that its configuration would have, too."""
    if socket_path := os.environ.get("KUBERNAUT_API__SOCKET"):
        return Path(socket_path)
    if config := os.environ.get("KUBERNAUT_CONFIG"):
        from kubernaut.settings import load  # pydantic takes a while, and most calls don't need it

        try:
            return load(Path(config)).socket
        except BadInput:
            return None  # a file of the daemon that its users may not read is no fault of theirs
    state_dir = os.environ.get("KUBERNAUT_STATE_DIR")
    return Path(state_dir) / "kubernaut.sock" if state_dir else None


class ApiClient:
    """Calls to one daemon. Raises the errors of the domain, NoDaemonError when nobody answers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """GET a document."""
        return self._call("GET", _with(path, params), None)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST a document; a lost reply is Unknown, never repeated."""
        return self._call("POST", _with(path, None), body)

    def stream(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Lines of an open stream, for as long as it is open. Raises Temporary when it breaks."""
        connection = _UnixConnection(self._path, _SILENCE_S)
        try:
            try:
                response = self._send(connection, "GET", _with(path, params), None)
            except (OSError, http.client.HTTPException) as error:
                raise Temporary(f"the daemon did not answer: {error}") from error
            if response.status >= 400:
                raise _error(response.status, response.read())
            while line := _line(response):
                yield json.loads(line)
        finally:
            connection.close()

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        connection = _UnixConnection(self._path, _TIMEOUT_S)
        try:
            response = self._send(connection, method, path, body)
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            if method == "GET":
                raise Temporary(f"the daemon did not answer: {error}") from error
            raise Unknown(_LOST) from error
        except KeyboardInterrupt as error:
            if method == "GET":
                raise
            raise Unknown(_LOST) from error
        finally:
            connection.close()
        if response.status >= 400:
            raise _error(response.status, raw)
        document = json.loads(raw)
        return document if isinstance(document, dict) else {"items": document}

    def _send(
        self, connection: _UnixConnection, method: str, path: str, body: Mapping[str, Any] | None
    ) -> http.client.HTTPResponse:
        try:
            connection.connect()
        except FileNotFoundError as error:
            raise NoDaemonError(f"no daemon listens on {self._path}: start one with `kubernaut daemon`") from error
        except PermissionError as error:
            raise Refused(f"you may not open {self._path}: ask to be added to its group (api.group)") from error
        except OSError as error:
            raise NoDaemonError(f"no daemon answers on {self._path}: {error.strerror or error}") from error
        data = json.dumps(body).encode() if body is not None else None
        connection.request(method, path, data, {"Content-Type": "application/json"} if data else {})
        return connection.getresponse()


def _line(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.readline()
    except (OSError, http.client.HTTPException) as error:
        raise Temporary(f"the daemon's stream broke: {error}") from error


def _with(path: str, params: Mapping[str, Any] | None) -> str:
    given = {key: value for key, value in (params or {}).items() if value not in (None, "")}
    return f"{quote(path, safe='/')}?{urlencode(given, doseq=True)}" if given else quote(path, safe="/")


def _error(status: int, raw: bytes) -> KubernautError:
    try:
        error = json.loads(raw)["error"]
        code, message, field = error["code"], error["message"], error.get("field", "")
    except (ValueError, KeyError, TypeError):
        return KubernautError(f"the daemon answered with status {status}")
    if code == "bad_input":
        return BadInput(message, field=field)
    return _ERRORS.get(code, KubernautError)(message)

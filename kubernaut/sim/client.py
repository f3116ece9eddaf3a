"""A REST client small enough to read at once: what the stand-ins of a cluster's parts need of its API server.

The kubelets, the faults and the simulated Argo CD are ordinary clients, so they run against the simulator and against a
genuine API server alike. They do not share the daemon's client on purpose: a mistake there must not hide itself here.
"""

import asyncio
import base64
import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TypeAlias

import aiohttp
import msgspec
import yaml

from kubernaut.domain.errors import BadInput, Conflict, KubernautError, NotFound, Permanent, Refused, Temporary

Json: TypeAlias = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
_ERRORS: Mapping[int, type[KubernautError]] = {404: NotFound, 409: Conflict, 401: Refused, 403: Refused}


class Gone(Temporary):
    """The resource version asked for is no longer kept: list again."""


class ApiClient:
    """Speaks to one API server.

    Args:
        url: as `https://127.0.0.1:6443`.
        token: a bearer token; empty to send none.
        tls: what to trust, and who to be; unused for plain HTTP.
        timeout_s: the deadline of every request that is not a watch.
    """

    def __init__(
        self, url: str, *, token: str = "", tls: ssl.SSLContext | None = None, timeout_s: float = 15.0
    ) -> None:
        self.url = url.rstrip("/")
        self._headers = {"User-Agent": "kubernaut-sim"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._tls = tls
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def from_kubeconfig(cls, path: Path, context: str = "") -> Self:
        """Reads server, trust and identity from a kubeconfig file.

        Raises:
            BadInput: the context, its cluster or its user is not in the file.
        """
        config = yaml.safe_load(path.read_text())
        current = context or config.get("current-context", "")
        chosen = _named(config, "contexts", current, path)["context"]
        cluster = _named(config, "clusters", chosen["cluster"], path)["cluster"]
        user = _named(config, "users", chosen["user"], path)["user"]
        return cls(cluster["server"], token=user.get("token", ""), tls=_tls(cluster, user, path.parent))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends every connection; the client may be used again afterwards."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, **query: str) -> Json:
        """Reads an object or a list. Raises NotFound, Refused, Temporary."""
        return await self.request("GET", path, query=query)

    async def create(self, path: str, body: Json) -> Json:
        """Posts an object to its collection. Raises Conflict if it is there."""
        return await self.request("POST", path, body=body)

    async def replace(self, path: str, body: Json) -> Json:
        """Puts an object; its resourceVersion, if any, must be the current one, else Conflict."""
        return await self.request("PUT", path, body=body)

    async def patch(self, path: str, body: Json, content_type: str = MERGE_PATCH) -> Json:
        """Applies a JSON merge patch unless told another type."""
        return await self.request("PATCH", path, body=body, content_type=content_type)

    async def delete(self, path: str, *, grace_s: int | None = None, uid: str = "") -> Json:
        """Deletes an object; `uid` guards against deleting its namesake."""
        options: Json = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        if uid:
            options["preconditions"] = {"uid": uid}
        return await self.request("DELETE", path, body=options)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """One request, one decoded answer, every failure as an error of the tree."""
        data = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": content_type} if data is not None else {}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._open().request(method, self.url + path, data=data, params=query or None, headers=headers) as got,
            ):
                payload = await got.read()
                status = got.status
        except (TimeoutError, aiohttp.ClientError, OSError) as e:
            raise Temporary(f"{method} {path}: the API server did not answer ({type(e).__name__})") from e
        if status >= 400:
            raise _error(status, f"{method} {path}: {_message(payload)}")
        decoded: Json = msgspec.json.decode(payload)
        return decoded

    async def text(self, path: str, **query: str) -> str:
        """Reads what is not JSON, such as logs."""
        try:
            async with asyncio.timeout(self._timeout_s), self._open().get(self.url + path, params=query) as got:
                body, status = await got.text(), got.status
        except (TimeoutError, aiohttp.ClientError, OSError) as e:
            raise Temporary(f"GET {path}: the API server did not answer ({type(e).__name__})") from e
        if status >= 400:
            raise _error(status, f"GET {path}: {body}")
        return body

    async def watch(self, path: str, resource_version: str, **query: str) -> AsyncIterator[tuple[str, Json]]:
        """Yields (type, object) until the server ends the stream.

        Raises:
            Gone: list again.
            Temporary: the connection broke.
        """
        asked = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": "290",
            "resourceVersion": resource_version,
        } | query
        patience = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout_s, sock_read=310)
        try:
            async with self._open().get(self.url + path, params=asked, timeout=patience) as got:
                if got.status != 200:
                    raise _error(got.status, f"watch {path}: {_message(await got.read())}")
                rest = b""
                async for chunk in got.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        if line.strip():
                            yield _event(line, path)
        except (TimeoutError, aiohttp.ClientError, OSError) as e:
            raise Temporary(f"watch {path}: the connection broke ({type(e).__name__})") from e

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self._tls if self._tls is not None else True)
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout_s)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers, timeout=timeout)
        return self._session


class Mirror:
    """The objects of one collection as the API server last told them, kept fresh by list and watch.

    Args:
        changed: called with (type, object) after `objects` was brought up to date; must not block.
    """

    def __init__(
        self, api: ApiClient, path: str, changed: Callable[[str, Json], None] | None = None, **query: str
    ) -> None:
        self.objects: dict[tuple[str, str], Json] = {}
        self.synced = asyncio.Event()
        self._api, self._path, self._query = api, path, query
        self._changed = changed or (lambda _kind, _object: None)

    async def run(self) -> None:
        """Follows the collection for ever; a broken connection is opened again after a moment."""
        pause_s = 0.05
        while True:
            try:
                version = await self._relist()
                pause_s = 0.05
                while True:
                    version = await self._follow(version)
            except Gone:
                continue
            except KubernautError:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 1.0)

    def put(self, item: Json) -> bool:
        """Takes an object as it is now, as from the reply to a write; False if a newer one is already held.

        Versions are compared as numbers, which every API server's are: an event of an older write must not undo what
        the reply to a newer one told.
        """
        key, version = key_of(item), version_of(item)
        held = self.objects.get(key)
        if held is not None and held["metadata"]["uid"] == item["metadata"]["uid"]:
            before = version_of(held)
            if before.isdigit() and version.isdigit() and int(version) < int(before):
                return False
        self.objects[key] = item
        return True

    async def _relist(self) -> str:
        listed = await self._api.get(self._path, **self._query)
        fresh = {key_of(item): item for item in listed.get("items") or []}
        for key in self.objects.keys() - fresh.keys():
            self._changed("DELETED", self.objects.pop(key))
        for key, item in fresh.items():
            known = self.objects.get(key)
            self.objects[key] = item
            if known is None or version_of(known) != version_of(item):
                self._changed("ADDED" if known is None else "MODIFIED", item)
        self.synced.set()
        version: str = listed["metadata"]["resourceVersion"]
        return version

    async def _follow(self, version: str) -> str:
        async with contextlib.aclosing(self._api.watch(self._path, version, **self._query)) as events:  # type: ignore[type-var]
            async for kind, item in events:
                version = version_of(item)
                if kind == "BOOKMARK":
                    continue
                if kind == "DELETED":
                    self.objects.pop(key_of(item), None)
                elif not self.put(item):
                    continue
                self._changed(kind, item)
        return version


def key_of(item: Json) -> tuple[str, str]:
    """(namespace, name); the namespace of a cluster-wide object is empty."""
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def version_of(item: Json) -> str:
    """The opaque resourceVersion of an object."""
    version: str = item["metadata"].get("resourceVersion", "")
    return version


def _event(line: bytes, path: str) -> tuple[str, Json]:
    event = msgspec.json.decode(line)
    if event["type"] == "ERROR":
        status = event["object"]
        raise _error(int(status.get("code", 500)), f"watch {path}: {status.get('message', '')}")
    return event["type"], event["object"]


def _error(status: int, message: str) -> KubernautError:
    if status == 410:
        return Gone(message)
    if status in _ERRORS:
        return _ERRORS[status](message)
    if status == 429 or status >= 500:
        return Temporary(message)
    return Permanent(f"{message} (status {status})")


def _message(payload: bytes) -> str:
    try:
        return str(msgspec.json.decode(payload).get("message", ""))
    except (msgspec.DecodeError, AttributeError):
        return payload[:200].decode(errors="replace")


def _named(config: Json, section: str, name: str, path: Path) -> Json:
    entries: Iterable[Json] = config.get(section) or []
    for entry in entries:
        if entry.get("name") == name:
            return entry
    raise BadInput(f"no entry named {name!r}", field=section, place=str(path))


def _tls(cluster: Json, user: Json, folder: Path) -> ssl.SSLContext | None:
    if not cluster["server"].startswith("https"):
        return None
    context = ssl.create_default_context()
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif "certificate-authority-data" in cluster:
        context.load_verify_locations(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    elif "certificate-authority" in cluster:
        context.load_verify_locations(cafile=str(folder / cluster["certificate-authority"]))
    if "client-certificate-data" in user:
        with tempfile.TemporaryDirectory() as folder_name:
            certificate, key = Path(folder_name, "tls.crt"), Path(folder_name, "tls.key")
            certificate.write_bytes(base64.b64decode(user["client-certificate-data"]))
            key.touch(mode=0o600)
            key.write_bytes(base64.b64decode(user["client-key-data"]))
            context.load_cert_chain(certificate, key)
    elif "client-certificate" in user:
        context.load_cert_chain(folder / user["client-certificate"], folder / user["client-key"])
    return context

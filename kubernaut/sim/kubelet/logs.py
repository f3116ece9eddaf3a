"""The kubelet's log endpoint: what `kubectl logs` reads through the API server."""

import asyncio
import ipaddress
import ssl
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

FOLLOW_POLL_S = 0.05  # shorter than a container takes to stop, so that its last words are seen
Lines = Sequence[tuple[float, str]]
Lookup = Callable[[str, str, str, bool], Lines | None]  # (namespace, pod, container, previous) → (Unix time, line)


class LogServer:
    """Serves HTTPS `GET /containerLogs/{namespace}/{pod}/{container}` on loopback with a certificate of its own.

    Args:
        lookup: finds the lines of a container; None when there is no such container here.
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, port: int = 0) -> None:
        """Listens; `port` tells where."""
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._serve)
        app.router.add_get("/healthz", _well)
        app.router.add_route("*", "/{what:exec|attach|portForward|run}/{rest:.*}", _no_process)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=self_signed())
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Closes the port and every follower's connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        where = request.match_info
        previous = request.query.get("previous") == "true"
        name = (where["namespace"], where["pod"], where["container"])
        lines = self._lookup(*name, previous)
        if lines is None:
            return web.Response(
                status=404, text=f"container {name[2]!r} of pod {name[0]}/{name[1]} is not running here\n"
            )
        if previous and not lines:
            return web.Response(
                status=400,
                text=f'previous terminated container "{name[2]}" in pod "{name[1]}" not found',
            )
        timestamps = request.query.get("timestamps") == "true"
        text = "".join(_line(at, line, timestamps) for at, line in _recent(lines, request)).encode()
        limit = request.query.get("limitBytes")
        if limit is not None:
            text = text[: int(limit)]
        if request.query.get("follow") != "true" or previous:
            return web.Response(body=text, content_type="text/plain")
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        await answer.write(text)
        await self._follow(answer, name, lines, timestamps)
        return answer

    async def _follow(
        self, answer: web.StreamResponse, name: tuple[str, str, str], lines: Lines, timestamps: bool
    ) -> None:
        told = lines[-1][0] if lines else 0.0
        while True:
            await asyncio.sleep(FOLLOW_POLL_S)
            now = self._lookup(*name, False)
            if now is None:
                return
            fresh = [(at, line) for at, line in now if at > told]
            if fresh:
                told = fresh[-1][0]
                await answer.write("".join(_line(at, line, timestamps) for at, line in fresh).encode())


async def _no_process(_: web.Request) -> web.Response:
    text = "this pod is played: no process runs in it, and nothing listens. Its logs, events and status are all there is of it"
    return web.Response(status=501, text=text)


async def _well(_: web.Request) -> web.Response:
    return web.Response(text="ok")


def _recent(lines: Lines, request: web.Request) -> Lines:
    if "sinceSeconds" in request.query:
        oldest = datetime.now(UTC).timestamp() - float(request.query["sinceSeconds"])
        lines = [(at, line) for at, line in lines if at >= oldest]
    if "tailLines" in request.query:
        tail = int(request.query["tailLines"])
        return list(lines)[-tail:] if tail > 0 else []
    return list(lines)


def _line(at: float, line: str, timestamps: bool) -> str:
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z ") if timestamps else ""
    return f"{stamp}{line}\n"


def self_signed() -> ssl.SSLContext:
    """A server context with a fresh certificate; API servers don't verify a kubelet's unless told to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "system:node:stand-in")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "kubelet.pem")
        pem.touch(mode=0o600)
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(pem)
    return context

"""The gateway's HTTP server: signals in, health and metrics out.

It stands on aiohttp's low-level server, without router and middlewares: an alert storm pays for every layer, and there
are a handful of paths. Every answer but health and metrics is JSON.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from aiohttp import web

from kubernaut.domain.errors import BadInput, KubernautError
from kubernaut.domain.signals import Signal
from kubernaut.pipeline.intake import IntakeDesk
from kubernaut.ports import Taken
from kubernaut.server.metrics import Metrics

from .alertmanager import Notification, read
from .signals import read_signal
from .tokens import Tokens

log = structlog.get_logger()
_ALERTMANAGER = "/v1/alertmanager"
_SIGNALS = "/v1/signals"
_IDLE_S = 60.0
"""How long a connection may say nothing, or dawdle over its request's head."""
_LINGER_S = 2.0
"""How long the rest of a refused body is read, so that the sender gets to see the answer."""
_RETRY = {"Retry-After": "5"}
Handler = Callable[[web.BaseRequest], Awaitable[web.Response]]


class _Refusal(Exception):
    """A request that is answered before anybody looks into it."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Gateway:
    """Handlers of the gateway.

    Args:
        ready: why signals are not taken now, one sentence; empty when they are.
        max_body_bytes: larger bodies are refused.
        read_deadline_s: how long a sender may take to send its body.
    """

    def __init__(
        self, intake: IntakeDesk, tokens: Tokens, metrics: Metrics, ready: Callable[[], str], *, max_body_bytes: int,
        read_deadline_s: float,
    ) -> None:  # fmt: skip
        self._intake = intake
        self._tokens = tokens
        self._metrics = metrics
        self._ready = ready
        self._max_body_bytes = max_body_bytes
        self._read_deadline_s = read_deadline_s
        self._doors: dict[str, tuple[str, Handler]] = {
            _ALERTMANAGER: ("POST", self.alertmanager),
            _SIGNALS: ("POST", self.signal),
            "/healthz": ("GET", self.health),
            "/livez": ("GET", self.health),
            "/readyz": ("GET", self.readiness),
            "/metrics": ("GET", self.metrics),
        }

    def server(self, idle_s: float = _IDLE_S) -> web.Server:
        """The server, to be listened with; belongs to the running event loop."""
        loop = asyncio.get_running_loop()
        limit = self._max_body_bytes

        def request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
            return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=limit)

        return web.Server(
            self.answer, request_factory=request, access_log=None, keepalive_timeout=idle_s, lingering_time=_LINGER_S,
            auto_decompress=False,
        )  # fmt: skip

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request, one response; what nobody foresaw is logged here and told without its details."""
        try:
            response = await self._handler(request)(request)
        except _Refusal as refusal:
            response = refusal.answer
        except ConnectionError:
            raise
        except Exception:
            log.exception("a request failed", path=request.path[:200])
            response = _problem(500, "internal error: see the daemon's log")
        if request.method == "POST":
            self._metrics.answered(response.status)
        return response

    def _handler(self, request: web.BaseRequest) -> Handler:
        path = request.path
        method, handler = self._doors.get(path) or ("POST", self.alertmanager)
        if path not in self._doors and not _cluster_in(path):
            raise _Refusal(_problem(404, f"no such path; signals go to {_ALERTMANAGER}[/CLUSTER] or {_SIGNALS}"))
        if request.method != method and (request.method, method) != ("HEAD", "GET"):
            raise _Refusal(_problem(405, f"{path[:200]} takes {method} only", headers={"Allow": method}))
        return handler

    async def alertmanager(self, request: web.BaseRequest) -> web.Response:
        """POST of Alertmanager: 2xx once every readable alert is persisted, 503 when none could be, 507 when some were.

        4xx is never retried by Alertmanager, so it is only said of what would be wrong the next time, too.
        """
        body = await self._admitted(request)
        try:
            if named := _cluster_in(request.path):
                self._intake.check_cluster(named)
            notification = await read(body, self._cluster_of(named))
        except BadInput as error:
            self._metrics.rejected("alertmanager", 1)
            return _problem(400, error.message, field=error.field)
        return await self._take(notification)

    async def signal(self, request: web.BaseRequest) -> web.Response:
        """POST of anybody else: one signal, persisted before the 2xx, which says what became of it."""
        body = await self._admitted(request)
        try:
            signal = read_signal(body, self._cluster_of("", "cluster"), datetime.now(UTC))
        except BadInput as error:
            self._metrics.rejected("webhook", 1)
            return _problem(400, error.message, field=error.field)
        [taken] = await self._persisted([signal], "webhook")
        return _json(200, {"remediation_id": taken.remediation_id, "outcome": taken.outcome})

    async def _admitted(self, request: web.BaseRequest) -> bytes:
        """The body of somebody who may post. Raises _Refusal, before the body is read where that is possible."""
        if not self._tokens.accepts(request.headers.get("Authorization")):
            challenge = {"WWW-Authenticate": "Bearer"}
            raise _Refusal(_problem(401, "a bearer token of gateway.tokens_file is needed", headers=challenge))
        if obstacle := self._ready():
            raise _Refusal(_problem(503, f"nothing was persisted, send again: {obstacle}", headers=_RETRY))
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise _Refusal(_problem(415, "send the body as it is, without Content-Encoding"))
        too_large = f"the body is larger than {self._max_body_bytes} bytes (gateway.max_body_bytes)"
        if (request.content_length or 0) > self._max_body_bytes:
            raise _Refusal(_problem(413, too_large))
        try:
            return await self._body_of(request)
        except web.HTTPRequestEntityTooLarge as error:
            raise _Refusal(_problem(413, too_large)) from error
        except TimeoutError as error:
            late = f"the body did not arrive within {self._read_deadline_s:g} s (gateway.read_deadline_s)"
            raise _Refusal(_problem(408, late)) from error

    async def _body_of(self, request: web.BaseRequest) -> bytes:
        if request.content.is_eof():  # it came with the head, as small ones do: nothing to wait for
            return await request.read()
        async with asyncio.timeout(self._read_deadline_s):
            if request.headers.get("Expect", "").lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                request.writer.output_size = 0
            return await request.read()

    async def _persisted(self, signals: Sequence[Signal], source: str) -> Sequence[Taken]:
        """What became of the first of them, all of them as a rule. Raises _Refusal when nothing could be persisted."""
        try:
            taken = await self._intake.take(signals)
        except KubernautError as error:
            log.warning("signals could not be persisted", error=str(error), count=len(signals))
            raise _Refusal(_problem(503, f"nothing was persisted, send again: {error}", headers=_RETRY)) from error
        self._metrics.taken(source, Counter(one.outcome for one in taken))
        return taken

    async def _take(self, notification: Notification) -> web.Response:
        taken = await self._persisted(notification.signals, "alertmanager")
        if notification.truncated:
            self._metrics.truncated(notification.truncated)
            log.warning("alertmanager left alerts out", count=notification.truncated)
        rejected = [{"index": r.index, "field": r.field, "message": r.message} for r in notification.rejected]
        if rejected:
            self._metrics.rejected("alertmanager", len(rejected))
            log.warning("alerts could not be read", count=len(rejected), first=rejected[0])
        document: dict[str, Any] = {
            "taken": len(taken),
            "outcomes": Counter(one.outcome for one in taken),
            "rejected": rejected,
            "truncated": notification.truncated,
        }
        if len(taken) < len(notification.signals):
            part = f"{len(taken)} of {len(notification.signals)} alerts were persisted"
            again = {"message": f"{part}, send all again: what is on disk is not opened twice", "field": ""}
            return _json(507, document | {"error": again}, _RETRY)
        if rejected and not notification.signals:
            unreadable = {"message": "none of the alerts could be read", "field": rejected[0]["field"]}
            return _json(400, document | {"error": unreadable})
        return _json(200, document)

    def _cluster_of(self, named: str, field: str = "labels.cluster") -> Callable[[dict[str, str]], str]:
        """Which cluster a signal belongs to: the path's, else its label's, else the only one configured."""

        def find(labels: dict[str, str]) -> str:
            name = named or labels.get("cluster") or self._intake.only_cluster()
            if not name:
                where = "set it, or post to /v1/alertmanager/CLUSTER"
                raise BadInput(f"is missing, and not exactly one cluster is configured: {where}", field=field)
            try:
                self._intake.check_cluster(name)
            except BadInput as error:
                raise BadInput(error.message, field=field) from error
            return name

        return find

    async def health(self, request: web.BaseRequest) -> web.Response:
        """Alive: the event loop turns."""
        return web.Response(text="ok\n")

    async def readiness(self, request: web.BaseRequest) -> web.Response:
        """Ready: signals are taken."""
        obstacle = self._ready()
        return web.Response(status=503, text=f"{obstacle}\n") if obstacle else web.Response(text="ok\n")

    async def metrics(self, request: web.BaseRequest) -> web.Response:
        """Prometheus text format."""
        body, content_type = await self._metrics.render()
        return web.Response(body=body, headers={"Content-Type": content_type})


def _cluster_in(path: str) -> str:
    """The cluster that the path names; empty where it names none."""
    prefix = f"{_ALERTMANAGER}/"
    rest = path[len(prefix) :] if path.startswith(prefix) else ""
    return "" if "/" in rest else rest


def _problem(status: int, message: str, *, field: str = "", headers: dict[str, str] | None = None) -> web.Response:
    return _json(status, {"error": {"message": message, "field": field}}, headers)


def _json(status: int, document: object, headers: dict[str, str] | None = None) -> web.Response:
    body = msgspec.json.encode(document)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)

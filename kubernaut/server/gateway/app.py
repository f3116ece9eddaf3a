"""The gateway's HTTP application: signals in, health and metrics out."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog
from aiohttp import web

from kubernaut.domain.errors import BadInput, Temporary
from kubernaut.pipeline.intake import IntakeDesk
from kubernaut.server.metrics import Metrics

from .alertmanager import Notification, read
from .tokens import Tokens

log = structlog.get_logger()


class Gateway:
    """Handlers of the gateway.

    Args:
        ready: why signals are not taken now, one sentence; empty when they are.
        read_deadline_s: how long a sender may take to send its body.
    """

    def __init__(
        self, intake: IntakeDesk, tokens: Tokens, metrics: Metrics, ready: Callable[[], str], read_deadline_s: float
    ) -> None:
        self._intake = intake
        self._tokens = tokens
        self._metrics = metrics
        self._ready = ready
        self._read_deadline_s = read_deadline_s

    def application(self, max_body_bytes: int) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=max_body_bytes)
        app.router.add_post("/v1/alertmanager", self.alertmanager)
        app.router.add_post("/v1/alertmanager/{cluster}", self.alertmanager)
        app.router.add_get("/healthz", self.health)
        app.router.add_get("/livez", self.health)
        app.router.add_get("/readyz", self.readiness)
        app.router.add_get("/metrics", self.metrics)
        return app

    async def alertmanager(self, request: web.Request) -> web.Response:
        """POST of Alertmanager: 2xx once every readable alert is persisted, 503 when none could be.

        4xx is never retried by Alertmanager, so it is only said of what would be wrong the next time, too.
        """
        if not self._tokens.accepts(request.headers.get("Authorization")):
            return _problem(
                401, "a bearer token of gateway.tokens_file is needed", headers={"WWW-Authenticate": "Bearer"}
            )
        try:
            async with asyncio.timeout(self._read_deadline_s):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _problem(413, f"the body is larger than {request.client_max_size} bytes (gateway.max_body_bytes)")
        except TimeoutError:
            return _problem(408, f"the body did not arrive within {self._read_deadline_s:.0f} s")
        try:
            notification = read(body, self._cluster_of(request.match_info.get("cluster")))
        except BadInput as error:
            self._metrics.rejected("alertmanager", 1)
            return _problem(400, error.message, field=error.field)
        return await self._take(notification)

    async def _take(self, notification: Notification) -> web.Response:
        try:
            taken = await self._intake.take(notification.signals)
        except Temporary as error:
            log.warning("signals could not be persisted", error=str(error), count=len(notification.signals))
            return _problem(503, f"nothing was persisted, send again: {error}")
        outcomes: dict[str, int] = {}
        for one in taken:
            outcomes[one.outcome] = outcomes.get(one.outcome, 0) + 1
        self._metrics.taken("alertmanager", outcomes)
        if notification.truncated:
            log.warning("alertmanager left alerts out", count=notification.truncated)
        rejected = [{"index": r.index, "field": r.field, "message": r.message} for r in notification.rejected]
        if rejected:
            self._metrics.rejected("alertmanager", len(rejected))
            log.warning("alerts could not be read", count=len(rejected), first=rejected[0])
        status = 400 if rejected and not notification.signals else 200
        document = {
            "taken": len(taken),
            "outcomes": outcomes,
            "rejected": rejected,
            "truncated": notification.truncated,
        }
        return web.Response(status=status, body=msgspec.json.encode(document), content_type="application/json")

    def _cluster_of(self, named: str | None) -> Callable[[dict[str, str]], str]:
        """Which cluster an alert belongs to: the path's, else its label's, else the only one configured."""

        def find(labels: dict[str, str]) -> str:
            name = named or labels.get("cluster") or self._intake.only_cluster()
            if not name:
                raise BadInput(
                    "is missing and several clusters are configured: post to /v1/alertmanager/CLUSTER or set the label",
                    field="labels.cluster",
                )
            try:
                self._intake.check_cluster(name)
            except BadInput as error:
                raise BadInput(error.message, field="labels.cluster") from error
            return name

        return find

    async def health(self, request: web.Request) -> web.Response:
        """Alive: the event loop turns."""
        return web.Response(text="ok\n")

    async def readiness(self, request: web.Request) -> web.Response:
        """Ready: signals are taken."""
        obstacle = self._ready()
        return web.Response(status=503, text=f"{obstacle}\n") if obstacle else web.Response(text="ok\n")

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus text format."""
        body, content_type = await self._metrics.render()
        return web.Response(body=body, headers={"Content-Type": content_type})


def _problem(status: int, message: str, *, field: str = "", headers: dict[str, str] | None = None) -> web.Response:
    document = {"error": {"message": message, "field": field}}
    body = msgspec.json.encode(document)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)

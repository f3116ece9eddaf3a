"""The journal as a stream: one entry a line, resumable by `after`, alive by heartbeats."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
import structlog
from aiohttp import web

from kubernaut.domain.errors import KubernautError
from kubernaut.domain.journal import JournalEntry
from kubernaut.server import present

from .reading import flag_of, number_in
from .replies import only
from .services import Services

log = structlog.get_logger()
_HEARTBEAT_S = 5.0
_PAGE = 500


class JournalStream:
    """GET /v1/journal."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """The one route."""
        return [web.get("/v1/journal", self.journal)]

    def close(self) -> None:
        """End all open streams, so that the server can stop."""
        self._closing.set()

    async def journal(self, request: web.Request) -> web.StreamResponse:
        """A page, or a stream that stays open."""
        s = self._services
        s.caller(request)
        only(request, "after", "limit", "remediation", "follow")
        follow = flag_of(request, "follow")
        after = number_in(request.query.get("after", "0"), "after", 0, 2**62)
        limit = number_in(request.query.get("limit", str(_PAGE)), "limit", 1, 10_000)
        remediation_id = request.query.get("remediation", "")
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
        if not follow:
            entries = await s.store.journal(after, limit, remediation_id)
            await response.prepare(request)
            await response.write(b"".join(_line(e) for e in entries))
            return response
        await response.prepare(request)
        try:
            await self._follow(response, s.store.follow(after), after, remediation_id)
        except ConnectionError:
            return response  # the follower left
        except KubernautError as error:  # the head is sent: all that is left is to end, and the follower resumes
            log.warning("a journal stream ended early", error=str(error))
        return response

    async def _follow(
        self, response: web.StreamResponse, entries: AsyncIterator[JournalEntry], seq: int, remediation_id: str
    ) -> None:
        """Each entry as it is committed; a heartbeat when there is none, so that silence can be told from death."""
        closing = asyncio.ensure_future(self._closing.wait())
        following = asyncio.ensure_future(anext(entries, None))
        loop = asyncio.get_running_loop()
        beat_at = loop.time() + _HEARTBEAT_S
        try:
            while True:
                left_s = max(0.0, beat_at - loop.time())
                done, _ = await asyncio.wait({closing, following}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
                if closing in done:
                    return
                if loop.time() >= beat_at:  # also while entries of others pass by, which this follower did not ask for
                    beat = {"heartbeat": present.when(self._services.clock.now()), "seq": seq}
                    await response.write(msgspec.json.encode(beat) + b"\n")
                    beat_at = loop.time() + _HEARTBEAT_S
                if following not in done:
                    continue
                entry = following.result()
                if entry is None:
                    return
                seq = entry.seq
                if not remediation_id or entry.remediation_id == remediation_id:
                    await response.write(_line(entry))
                    beat_at = loop.time() + _HEARTBEAT_S
                following = asyncio.ensure_future(anext(entries, None))
        finally:
            for task in (closing, following):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, KubernautError):
                await following
            close = getattr(entries, "aclose", None)
            if close is not None:
                await close()


def _line(entry: JournalEntry) -> bytes:
    return msgspec.json.encode(present.entry(entry)) + b"\n"

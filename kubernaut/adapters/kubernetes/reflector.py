"""A reflector keeps the cache of one kind equal to the server: list, watch, and after any break list or watch again.

A broken watch continues where it ended, so nothing is lost; when the server has forgotten that version (410) everything
is listed again and only the differences are told.
"""

import asyncio
import random
from collections.abc import Callable
from enum import StrEnum

import aiohttp
import msgspec
import structlog

from kubernaut.domain.errors import KubernautError, NotFound, Refused, Temporary
from kubernaut.domain.resources import Kind

from . import codec
from .cache import KindCache
from .errors import Gone, Unauthorized, from_answer
from .session import Backoff, Session, abort

log = structlog.get_logger(__name__)

_PAGE = "500"
_BATCH = 200
_SELDOM_S = 60.0
_GRACE_S = 15.0


class State(StrEnum):
    """What is known about one kind."""

    STARTING = "starting"
    LIVE = "live"
    BROKEN = "broken"
    ABSENT = "absent"
    FORBIDDEN = "forbidden"


class Reflector:
    """Follows one kind for ever.

    Args:
        heard: called whenever the server said anything.
        watch_s: how long one watch lasts at most, in seconds; the server is asked to end it, and it is given up when
            it is silent for that long (bookmarks come every minute).
    """

    def __init__(
        self, kind: Kind, session: Session, cache: KindCache, heard: Callable[[], None], *, watch_s: float = 240.0
    ) -> None:
        self.kind = kind
        self.cache = cache
        self.state = State.STARTING
        self.error = ""
        self.settled = asyncio.Event()
        """The first attempt has an outcome: synced, absent or forbidden."""
        self._session = session
        self._heard = heard
        self._watch_s = watch_s
        self._wake = asyncio.Event()
        self._answer: aiohttp.ClientResponse | None = None
        self._opened_at = 0.0
        self.version = ""

    @property
    def usable(self) -> bool:
        """Whether the cache may answer in place of the server."""
        return self.state is State.LIVE

    def retry(self) -> None:
        """Tries again now instead of after the pause."""
        self._wake.set()

    def renew(self, opened_before: float) -> None:
        """Tries again now, and drops a stream that was opened before this time of the event loop."""
        self._wake.set()
        if self._answer is not None and self._opened_at <= opened_before:
            abort(self._answer)

    async def run(self) -> None:
        """Lists and watches until it is cancelled; no failure ends it."""
        backoff = Backoff()
        while True:
            try:
                if not self.version:
                    await self._list()
                await self._watch(backoff)
            except Gone:
                self.version = ""
                self.state = State.STARTING  # until it is listed again, the cache is behind by nobody knows what
                pause_s = backoff.pause_s()
            except Unauthorized as e:
                self._broken(State.BROKEN, e)
                pause_s = backoff.pause_s()
            except NotFound as e:
                self.cache.retain(())
                self._broken(State.ABSENT, e)
                pause_s = _SELDOM_S * random.uniform(0.8, 1.2)  # noqa: S311 — jitter
            except Refused as e:
                self._broken(State.FORBIDDEN, e)
                pause_s = _SELDOM_S * random.uniform(0.8, 1.2)  # noqa: S311 — jitter
            except KubernautError as e:
                self._broken(State.BROKEN, e)
                pause_s = backoff.pause_s()
            except (
                Exception
            ) as e:  # a mistake of our own must not end the watch, and what it told may not have been taken
                log.exception("watch failed", kind=self.kind.kind)
                self.version = ""
                self._broken(State.BROKEN, Temporary(f"internal error: {type(e).__name__}: see the daemon's log"))
                pause_s = backoff.pause_s()
            else:
                pause_s = backoff.pause_s()
            await self._pause(pause_s)

    def _broken(self, state: State, error: KubernautError) -> None:
        if state in (State.ABSENT, State.FORBIDDEN):
            self.version = ""
            self.settled.set()
        if self.state is not state:
            note = log.debug if state is State.ABSENT else log.warning
            note("watch stopped", kind=self.kind.kind, state=state.value, error=str(error))
        self.state = state
        self.error = str(error)

    async def _pause(self, pause_s: float) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _list(self) -> None:
        """Reads all pages, then tells the differences. A page token that expired meanwhile raises Gone: from the start."""
        what = f"list {self.kind.plural}"
        listed: list[codec.Entry] = []
        query = {"limit": _PAGE}
        while True:
            body = await self._session.read(self.kind.path(), query, what=what)
            self._heard()
            try:
                page = codec.page(body)
                listed += [codec.entry(bytes(raw)) for raw in page.items or ()]
            except msgspec.DecodeError as e:
                raise Temporary(f"{what}: the answer is not a list of objects") from e
            if not page.metadata.next:
                break
            query = {"limit": _PAGE, "continue": page.metadata.next}
        self.cache.retain({(item.namespace, item.name) for item in listed})
        for count, item in enumerate(listed, 1):
            self.cache.put(item)
            if count % _BATCH == 0:
                await asyncio.sleep(0)  # subscribers decode each object: let others run meanwhile
        self.version = page.metadata.resource_version
        self._live()

    def _live(self) -> None:
        self.state, self.error = State.LIVE, ""
        self.settled.set()

    async def _watch(self, backoff: Backoff) -> None:
        """Follows the changes from the version that is known to the end of the stream."""
        watch_s = int(self._watch_s * random.uniform(0.8, 1.2)) + 1  # noqa: S311 — jitter
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(watch_s),
            "resourceVersion": self.version,
        }
        what = f"watch {self.kind.plural}"
        async with self._session.stream(self.kind.path(), query, silence_s=watch_s + _GRACE_S, what=what) as answer:
            self._answer, self._opened_at = answer, asyncio.get_running_loop().time()
            self._live()
            self._heard()
            try:
                await self._follow(answer.content, backoff, what)
            finally:
                self._answer = None

    async def _follow(self, stream: aiohttp.StreamReader, backoff: Backoff, what: str) -> None:
        rest = b""
        async for chunk in stream.iter_any():
            *lines, rest = (rest + chunk).split(b"\n") if rest else chunk.split(b"\n")
            for line in lines:
                if line:
                    self._take(line, what)
            self._heard()
            backoff.reset()

    def _take(self, line: bytes, what: str) -> None:
        try:
            kind, raw = codec.event(line)
            if kind == "ERROR":
                self._fail(raw, what)
            fresh = codec.entry(raw)
        except (msgspec.DecodeError, ValueError) as e:
            self.version = ""  # a line was lost, so the cache can't be trusted until all is listed again
            raise Temporary(f"{what}: the stream is not a watch") from e
        if kind == "DELETED":
            self.cache.drop(fresh.namespace, fresh.name)
        elif kind != "BOOKMARK":
            self.cache.put(fresh)
        self.version = fresh.version

    def _fail(self, raw: bytes, what: str) -> None:
        """The server ends a watch by an event of type ERROR with a Status; 410 means that the version is forgotten."""
        self.version = ""
        raise from_answer(codec.status(raw).code or 500, raw, {}, what, write=False)

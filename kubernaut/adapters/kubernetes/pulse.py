"""Is the API server there? A small question every few seconds finds a silent loss that an open watch would hide."""

import asyncio
import random
from collections.abc import Callable

import msgspec
import structlog

from kubernaut.domain.errors import KubernautError, Refused
from kubernaut.ports import Clock

from .errors import Unauthorized
from .session import Backoff, Session

log = structlog.get_logger(__name__)

_EVERY_S = 5.0
_ANSWER_S = 5.0


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""


class Pulse:
    """Asks `/version` for ever.

    Args:
        recovered: called when the server answers after it did not, with the time of the event loop at which it was lost:
            broken watches need not wait any longer, and those that were open then may be open on one side only.
    """

    def __init__(
        self, session: Session, clock: Clock, recovered: Callable[[float], None], *, every_s: float = _EVERY_S
    ) -> None:
        self.server_version = ""
        self.error = "not connected yet"
        self.ever = False
        """Whether the server has answered at all since the start."""
        self._session = session
        self._clock = clock
        self._recovered = recovered
        self._every_s = every_s
        self._heard_at = clock.now()
        self._lost_at = 0.0

    def heard(self) -> None:
        """The server said something, on whichever connection."""
        self._heard_at = self._clock.now()

    @property
    def age_s(self) -> float:
        """Seconds since the server said anything."""
        return max((self._clock.now() - self._heard_at).total_seconds(), 0.0)

    async def run(self) -> None:
        """Asks until it is cancelled; no failure ends it."""
        backoff = Backoff(0.2, self._every_s)
        while True:
            try:
                await self._ask()
            except KubernautError as e:
                self._lost(str(e))
                pause_s = backoff.pause_s()
            except Exception as e:  # a mistake of our own must not end the watches
                log.exception("asking the cluster failed")
                self._lost(f"internal error: {type(e).__name__}: see the daemon's log")
                pause_s = backoff.pause_s()
            else:
                backoff.reset()
                pause_s = self._every_s * random.uniform(0.8, 1.2)  # noqa: S311 — jitter
            await asyncio.sleep(pause_s)

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(_ANSWER_S):
                body = await self._session.read("/version", what="read the server's version")
        except TimeoutError:
            waits = "no answer from the API server" if self._session.logged_in else "the credentials are not loaded"
            self._lost(f"{waits} within {_ANSWER_S:g} s")
            return
        except Unauthorized:
            raise
        except Refused:
            self._answered("")  # hardened clusters tell their version to administrators only
            return
        try:
            self._answered(msgspec.json.decode(body, type=_Version).git_version)
        except msgspec.DecodeError:
            self._lost("what answers is not a Kubernetes API server")

    def _answered(self, server_version: str) -> None:
        self.heard()
        self.server_version = server_version
        if self.error:
            log.info("cluster answers", server_version=server_version)
            self.error, self.ever = "", True
            self._recovered(self._lost_at)

    def _lost(self, error: str) -> None:
        if not self.error:
            self._lost_at = asyncio.get_running_loop().time()
            log.warning("cluster lost", error=error)
        self.error = error

"""The runner: load what is due, run its stage, persist the outcome in one transaction, sleep until the next is due.

Level-based: it holds no truth of its own. What is in flight is only remembered so that one row is not worked on twice at a
time; after a restart the rows say everything.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from kubernaut.domain.assessment import OPEN, AssessmentEvent
from kubernaut.domain.errors import BadInput, Conflict, KubernautError, NotFound, Permanent, Temporary, Unknown
from kubernaut.domain.redaction import redact
from kubernaut.domain.remediation import Remediation, advance
from kubernaut.domain.tracks import GitOpsPhase, GitOpsTrack, ImperativePhase, ImperativeTrack, Track
from kubernaut.domain.values import changed
from kubernaut.ports import Change, Due

from .asking import without_questions
from .assess import assess, missing_target
from .entries import entry
from .gitops import run_gitops
from .imperative import run_imperative
from .outside import Outside
from .sleepers import wake_sleepers
from .stopping import resolved_before
from .trouble import ended_by, waiting_for
from .withdrawing import what_stays

log = structlog.get_logger()
_IDLE_S = 30.0
_BUSY_S = 0.25
_BATCH = 256
_AT_ONCE = 4
"""New assessments begin while fewer than a quarter of the slots get on; what waits for a slow cluster does not count."""
_GETS_ON_S = 0.5
_MAY_BE_LATE = timedelta(seconds=3)
"""For looks at what was done, while others have not been acted on yet."""
_LONGEST = 200
_PRESSED = 2
"""Rows at a time while signals come in faster than they are persisted: a sender that waits too long sends again."""
_REST_S = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""After each failure in a row to persist a row; the last for all further ones."""
_WITHOUT_CLUSTER = frozenset(
    {ImperativePhase.AWAITING_APPROVAL, GitOpsPhase.PROPOSING, GitOpsPhase.AWAITING_MERGE, GitOpsPhase.OVERDUE}
)


@dataclass(frozen=True, slots=True)
class _Begun:
    """When work on a row began its present stage, on the monotonic clock, and whether it only looks at what was done."""

    at: float
    look: bool


class Runner:
    """Works off due rows with bounded concurrency.

    Of a hundred failures at one moment the first are acted on while the last are still looked into: whoever was assessed goes
    on at once, only some assessments begin together, and looks at what was done wait for both.

    Args:
        max_concurrent: how many rows are worked on at a time.
        pressed: whether signals queue up now; the runner gives way to them then, but never stands still.
        observe: told how many seconds one stage of a part took.
    """

    def __init__(
        self, out: Outside, max_concurrent: int = 64, pressed: Callable[[], bool] = lambda: False,
        observe: Callable[[str, float], None] = lambda part, seconds: None,
    ) -> None:  # fmt: skip
        self._observe = observe
        self._out = out
        self._max = max_concurrent
        self._pressed = pressed
        self._nudged = asyncio.Event()
        self._busy: dict[tuple[str, str], _Begun] = {}
        self._failures: dict[tuple[str, str], int] = {}
        self._looked_at: datetime | None = None
        self._stopping = False

    def nudge(self) -> None:
        """Something changed: look now. Safe to call at any time from the event loop's thread."""
        self._nudged.set()

    def stop(self) -> None:
        """Finish what is in flight, begin nothing new; `run` returns then."""
        self._stopping = True
        self._nudged.set()

    @property
    def in_flight(self) -> int:
        """Rows that are worked on at this moment."""
        return len(self._busy)

    async def run(self) -> None:
        """Work until `stop`."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                self._nudged.clear()
                try:
                    fresh = await self._fresh()
                    for due in fresh:
                        self._busy[_key(due)] = _Begun(time.monotonic(), due.look)
                        group.create_task(self._work(due))
                    if not fresh:
                        await self._sleep()
                except Temporary as error:
                    log.warning("store does not answer", error=str(error))
                    await asyncio.sleep(error.delay_s)

    async def _fresh(self) -> list[Due]:
        """What to begin now, as far as there is room."""
        most = min(self._max, _PRESSED) if self._pressed() else self._max
        room = most - len(self._busy)
        return self._chosen(await self._due(min(_BATCH, room + len(self._busy))), room) if room > 0 else []

    def _chosen(self, found: Sequence[Due], room: int) -> list[Due]:
        """What to begin now, in the order of the store: by priority, what can act before what is to be assessed."""
        now, since = self._out.clock.now(), time.monotonic() - _GETS_ON_S
        getting_on = sum(not begun.look and begun.at > since for begun in self._busy.values())
        idle = [due for due in found if _key(due) not in self._busy]
        others = getting_on or any(not due.look for due in idle)
        assessments = max(1, self._max // _AT_ONCE) - getting_on
        chosen: list[Due] = []
        for due in idle:
            if due.look and others and now - due.wake_at < _MAY_BE_LATE:
                continue
            if due.part == "assessment":
                assessments -= 1
                if assessments < 0:
                    continue
            chosen.append(due)
        return chosen[:room]

    async def _due(self, limit: int) -> list[Due]:
        now = self._out.clock.now()
        before = self._looked_at or await self._told_last() or now
        if before > now:
            await wake_sleepers(self._out, before, now)
        self._looked_at = now
        return list(await self._out.store.due(now, limit))

    async def _told_last(self) -> datetime | None:
        """When the journal grew last: the clock may have been put back while nothing ran."""
        with suppress(Permanent):  # its newest entry is damaged: what is due is worked on all the same
            for newest in await self._out.store.journal(await self._out.store.last_seq() - 1, 1):
                return newest.at
        return None

    async def _sleep(self) -> None:
        """Until the next row is due, or a nudge. Rows in flight nudge when they are done."""
        wake_at = await self._out.store.next_wake()
        now = self._out.clock.now()
        delay_s = _IDLE_S if wake_at is None else max(0.0, min(_IDLE_S, (wake_at - now).total_seconds()))
        if self._busy:
            delay_s = delay_s or _BUSY_S  # most likely the row that is due is in flight and nudges when it is done
        try:
            async with asyncio.timeout(delay_s):
                await self._nudged.wait()
        except TimeoutError:
            return

    async def _work(self, due: Due) -> None:
        """Run one row's stages until it sleeps or has ended; what was assessed is acted on by the same hand."""
        part = due.part
        try:
            remediation = await self._stages(await self._out.store.remediation(due.remediation_id), _key(due))
            self._failures.pop((due.remediation_id, part), None)
            following = (due.remediation_id, "imperative")
            if part == "assessment" and remediation is not None and following not in self._busy:
                self._busy[following] = self._busy.pop(_key(due))
                part = "imperative"
                if remediation.gitops is not None:
                    self._nudged.set()  # the other track begins beside this one
                await self._stages(remediation, following)
                self._failures.pop(following, None)
        except Exception:
            key = (due.remediation_id, part)
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            log.exception("a stage could not be persisted", remediation=due.remediation_id, part=part)
            await asyncio.sleep(_REST_S[min(failures, len(_REST_S) - 1)])
        finally:
            self._busy.pop((due.remediation_id, part), None)
            self._nudged.set()

    async def _stages(self, remediation: Remediation | None, key: tuple[str, str]) -> Remediation | None:
        part = key[1]
        while remediation and not self._stopping and _wants(remediation, part, self._out.clock.now()):
            began = time.monotonic()
            if part == "imperative" and _about_to_write(remediation):  # its alert may have resolved since it was read
                remediation = await self._out.store.remediation(remediation.id)
                if remediation is None or not _wants(remediation, part, self._out.clock.now()):
                    break
            remediation = await self._advance(remediation, part)
            took_s = time.monotonic() - began
            self._observe(part, took_s)
            self._busy[key] = replace(self._busy[key], at=began + took_s)
        return remediation

    async def _advance(self, remediation: Remediation, part: str) -> Remediation | None:
        """One stage, one transaction; whatever goes wrong is an outcome that is persisted, too.

        Returns the remediation as it stands then.
        """
        try:
            change = await self._stage(remediation, part)
        except NotFound as error:
            if part == "assessment":
                change = missing_target(error, remediation, self._out.clock.now())
            else:
                change = ended_by(self._out, _track(remediation, part), str(error))
        except (Temporary, Unknown, Conflict, TimeoutError) as error:
            change = waiting_for(self._out, remediation, part, error)
        except KubernautError as error:
            change = self._failed(remediation, part, str(error))
        except Exception as error:
            log.exception("a stage failed", remediation=remediation.id, part=part)
            change = self._failed(remediation, part, _mistake(error))
        try:
            return _after(remediation, await self._commit(remediation, change))
        except Conflict:  # somebody else moved the row meanwhile
            return await self._out.store.remediation(remediation.id)
        except BadInput as error:  # an outcome that can't be written down would be worked out again for ever
            log.exception("an outcome could not be persisted", remediation=remediation.id, part=part)
            message = f"internal error: its outcome can't be stored: {type(error).__name__}"
            return _after(remediation, await self._commit(remediation, self._failed(remediation, part, message)))

    async def _commit(self, before: Remediation, change: Change) -> Change:
        """Persist the outcome, and with it what becomes of the question or the pull request that its end leaves behind."""
        change = await what_stays(self._out, before, await without_questions(self._out, before, change))
        return await self._out.store.commit(change)

    async def _stage(self, remediation: Remediation, part: str) -> Change:
        self._refuse_silent(remediation, part)
        if part == "assessment":
            return await assess(self._out, remediation)
        track = _track(remediation, part)
        if isinstance(track, ImperativeTrack):
            return await run_imperative(self._out, remediation, track)
        return await run_gitops(self._out, remediation, track)

    def _refuse_silent(self, remediation: Remediation, part: str) -> None:
        """A cluster that is known to be gone is not waited for in a slot that another cluster could use."""
        if remediation.cluster not in self._out.clusters or _needs_no_cluster(remediation, part):
            return
        health = self._out.clusters[remediation.cluster].health()
        if health.state == "DOWN":
            raise Temporary(f"{remediation.cluster} does not answer: {health.reason}")

    def _failed(self, remediation: Remediation, part: str, message: str) -> Change:
        now = self._out.clock.now()
        if part == "assessment":
            ended = advance(remediation, AssessmentEvent.ESCALATE, now, wake_at=None, reason=message)
            return Change(ended, journal=(entry(now, remediation, "escalation", message),))
        return ended_by(self._out, _track(remediation, part), message)


def _mistake(error: Exception) -> str:
    """What to say of an error that nobody expected; its own words may be the cluster's."""
    first: BaseException = error
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    said = " ".join(redact(str(first)).split())[:_LONGEST]
    return (
        f"internal error: {type(first).__name__}: {said}; it is yours now, and the daemon's log has what a report needs"
    )


def _needs_no_cluster(remediation: Remediation, part: str) -> bool:
    """Whether the next stage can be carried out without it: what has written nothing can always be stopped."""
    if part == "assessment":
        return remediation.signal.resolved_at is not None
    track = _track(remediation, part)
    if track.phase in _WITHOUT_CLUSTER:
        return True
    if track.phase is ImperativePhase.ROLLING_BACK:
        return False
    resolved = isinstance(track, ImperativeTrack) and resolved_before(remediation, track)
    return resolved or bool(track.cancel_requested or track.handed_over)


def _key(due: Due) -> tuple[str, str]:
    return due.remediation_id, due.part


def _track(remediation: Remediation, part: str) -> Track:
    track: Track | None = remediation.imperative if part == "imperative" else remediation.gitops
    if track is None:
        raise Conflict(f"{remediation.id} has no {part} track")
    return track


def _after(remediation: Remediation, change: Change) -> Remediation:
    """The remediation with what was just persisted."""
    imperative, gitops = remediation.imperative, remediation.gitops
    for track in change.tracks:
        if isinstance(track, ImperativeTrack):
            imperative = track
        else:
            gitops = track
    return changed(change.remediation or remediation, imperative=imperative, gitops=gitops)


def _about_to_write(remediation: Remediation) -> bool:
    """Whether the next stage is the intent of the first write."""
    track = remediation.imperative
    return track is not None and track.phase is ImperativePhase.EXECUTING and not track.steps


def _wants(remediation: Remediation, part: str, now: datetime) -> bool:
    """Whether the row is due at `now`."""
    if part == "assessment":
        return remediation.assessment in OPEN and remediation.wake_at is not None and remediation.wake_at <= now
    track: ImperativeTrack | GitOpsTrack | None = remediation.imperative if part == "imperative" else remediation.gitops
    return track is not None and track.wake_at is not None and track.wake_at <= now

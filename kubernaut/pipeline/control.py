"""What a person may say to a running remediation: cancel, escalate, note."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from kubernaut.domain.approvals import Principal
from kubernaut.domain.assessment import OPEN, AssessmentEvent
from kubernaut.domain.errors import BadInput, Conflict, NotFound
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.redaction import redact
from kubernaut.domain.remediation import Remediation, advance
from kubernaut.domain.tracks import GitOpsPhase, ImperativePhase, ImperativeTrack, Track
from kubernaut.ports import Change, Clock, Store

_TRIES = 12
_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.3
_MAX_NOTE = 2000


class ControlDesk:
    """Carries out what people say; the runner does the work."""

    def __init__(self, store: Store, clock: Clock, nudge: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._nudge = nudge

    async def cancel(self, remediation_id: str, who: Principal, reason: str) -> Remediation:
        """Stop after the running step; what ran is rolled back where it can be, an open pull request is closed.

        What is merged is watched to its end, and a roll-back that runs goes on.

        Raises:
            NotFound: no such remediation. Conflict: it has ended already, or nothing of it can be cancelled any more.
        """
        return await self._stop(
            remediation_id, who, f"cancelled by {who.name}{_because(reason)}", AssessmentEvent.CANCEL
        )

    async def escalate(self, remediation_id: str, who: Principal, reason: str) -> Remediation:
        """A person takes it over as it stands: nothing is undone, an open pull request stays open. Raises as `cancel`."""
        return await self._stop(
            remediation_id, who, f"taken over by {who.name}{_because(reason)}", AssessmentEvent.ESCALATE
        )

    async def note(self, remediation_id: str, who: Principal, text: str) -> None:
        """A person's remark, kept in the journal.

        Raises:
            NotFound: no such remediation. BadInput: empty or too long.
        """
        if not text.strip() or len(text) > _MAX_NOTE:
            raise BadInput(f"must have 1 to {_MAX_NOTE} characters", field="text")
        await self._load(remediation_id)
        note = JournalDraft(self._clock.now(), "note", redact(text.strip()), who.name, remediation_id)
        await self._store.commit(Change(journal=(note,)))

    async def _stop(self, remediation_id: str, who: Principal, message: str, event: AssessmentEvent) -> Remediation:
        """A person's word gets through to each part, however fast the parts move meanwhile."""
        noted = False
        for attempt in range(_TRIES):
            remediation = await self._load(remediation_id)
            now = self._clock.now()
            if remediation.ended and not noted:
                raise Conflict(f"{remediation_id} has ended already ({remediation.phase})")
            change = None if remediation.ended else _next(remediation, event, message, now, noted=noted)
            if change is None:
                self._nudge()
                return remediation
            kind = "escalation" if event is AssessmentEvent.ESCALATE else "track"
            note = JournalDraft(now, kind, message, who.name, remediation_id)
            try:
                await self._store.commit(change if noted else replace(change, journal=(note,)))
                noted = True
            except Conflict:
                await asyncio.sleep(min(_LONGEST_PAUSE_S, _PAUSE_S * 2**attempt))
        raise Conflict(f"{remediation_id} is changing too fast: try again")

    async def _load(self, remediation_id: str) -> Remediation:
        remediation = await self._store.remediation(remediation_id)
        if remediation is None:
            raise NotFound(f"there is no remediation {remediation_id}")
        return remediation


def _because(reason: str) -> str:
    return f": {redact(reason.strip())}" if reason.strip() else ""


def _next(
    remediation: Remediation, event: AssessmentEvent, message: str, now: datetime, *, noted: bool
) -> Change | None:
    """The next part with the person's word on it, one by one because each moves by itself; None when all have it.

    Raises:
        Conflict: no part can be stopped any more, and none was.
    """
    if remediation.assessment in OPEN:
        return Change(advance(remediation, event, now, wake_at=None, reason=message))
    taken_over = event is AssessmentEvent.ESCALATE
    bound = {track.id: why for track in remediation.tracks if (why := _goes_on(track, taken_over))}
    stopped = [track for track in remediation.tracks if not track.ended and track.id not in bound]
    if not stopped and not noted:
        raise Conflict("; ".join(bound.values()))
    for track in stopped:
        if message not in (track.handed_over, track.cancel_requested):
            if taken_over:
                return Change(tracks=(replace(track, handed_over=message, wake_at=now),))
            return Change(tracks=(replace(track, cancel_requested=message, wake_at=now),))
    return None


def _goes_on(track: Track, taken_over: bool) -> str:
    """Why the track can't be stopped any more, one sentence; empty when it can."""
    if isinstance(track, ImperativeTrack):
        return "what ran is being rolled back already" if track.phase is ImperativePhase.ROLLING_BACK else ""
    if track.phase in (GitOpsPhase.SYNCING, GitOpsPhase.VERIFYING) and not taken_over:
        return "its pull request is merged, which can't be cancelled: escalate to take it over, or revert the merge"
    return ""

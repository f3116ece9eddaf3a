"""Votes: the one door through which a person's yes or no comes in."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from kubernaut.domain.approvals import Approval, ApprovalPhase, Principal, Verdict, cast
from kubernaut.domain.errors import BadInput, Conflict, NotFound
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import ImperativeTrack
from kubernaut.ports import Change, Clock, Store

_TRIES = 12
_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.3


class VotingDesk:
    """Takes votes; any number of people at once."""

    def __init__(self, store: Store, clock: Clock, nudge: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._nudge = nudge
        self._turn = asyncio.Lock()  # or a crowd would overtake each other until somebody gives up

    async def vote(
        self, approval_id: str, who: Principal, verdict: Verdict, plan_hash: str, reason: str = "", confirm: str = ""
    ) -> Approval:
        """One vote, persisted.

        Args:
            plan_hash: of the plan that the voter saw.
            confirm: what the voter typed; must be the approval's `confirm` to approve.

        Raises:
            NotFound: no such approval.
            BadInput: the confirmation is not the word asked for.
            Conflict: over, expired, or about another plan.
            Refused: the voter may not vote.
        """
        async with self._turn:
            for attempt in range(_TRIES):
                try:
                    voted = await self._once(approval_id, who, verdict, plan_hash, reason, confirm)
                except _Moved:
                    await asyncio.sleep(min(_LONGEST_PAUSE_S, _PAUSE_S * 2**attempt))
                    continue
                self._nudge()
                return voted
        raise Conflict(f"approval {approval_id} is changing too fast: look again")

    async def _once(
        self, approval_id: str, who: Principal, verdict: Verdict, plan_hash: str, reason: str, confirm: str
    ) -> Approval:
        approval = await self._store.approval(approval_id)
        if approval is None:
            raise NotFound(f"there is no approval {approval_id}")
        now = self._clock.now()
        after = cast(approval, who, verdict, plan_hash, now, reason)  # what changed is told before what was mistyped
        if verdict is Verdict.APPROVE and confirm != approval.confirm:
            raise BadInput(f"type {approval.confirm!r} to approve", field="confirm")
        remediation = await self._store.remediation(approval.remediation_id)
        note = JournalDraft(
            now, "vote", f"{who.name} {verdict}s {approval.action} {approval.target.short}", who.name,
            approval.remediation_id, "imperative",
            {"approval": approval.id, "verdict": verdict.value, "reason": reason, "plan_hash": plan_hash},
        )  # fmt: skip
        try:
            await self._store.commit(
                Change(tracks=_woken(remediation, after, now), approvals=(after,), journal=(note,))
            )
        except Conflict as error:
            raise _Moved from error
        return after


class _Moved(Exception):
    """The question or its track moved between reading and writing."""


def _woken(remediation: Remediation | None, approval: Approval, now: datetime) -> tuple[ImperativeTrack, ...]:
    """The waiting track with its alarm set to now, once the question is answered."""
    track = remediation.imperative if remediation else None
    if approval.phase is ApprovalPhase.PENDING or track is None or track.ended or track.approval_id != approval.id:
        return ()
    return (replace(track, wake_at=now),)

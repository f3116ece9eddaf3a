"""A clock that is put back makes rows sleep until it has caught up: whatever would have been due soon is looked at now."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from kubernaut.domain.assessment import OPEN
from kubernaut.domain.errors import Conflict, Permanent
from kubernaut.ports import Change, Due

from .outside import Outside

log = structlog.get_logger()
_STEP = timedelta(seconds=2)
"""Less is waited for."""
_SOON = timedelta(seconds=60)
_MOST = 100_000


async def wake_sleepers(out: Outside, before: datetime, now: datetime) -> int:
    """Set the alarm of everything to now that polls, when `now` is before `before`, which the clock said already.

    What waits for a moment of its own (the expiry of a question) sets its alarm again; it is that much later.

    Returns how many were woken.
    """
    if before - now < _STEP:
        return 0
    woken = 0
    for due in await out.store.due(before + _SOON, _MOST):
        if due.wake_at <= now:
            continue
        try:
            woken += await _wake(out, due, now)
        except Conflict:  # somebody works on it, and so sets its alarm anew
            continue
        except Permanent as error:  # its documents are damaged: that must not keep the others asleep
            log.warning("a row can't be woken", remediation=due.remediation_id, error=str(error))
    log.warning("the clock was put back", by_s=(before - now).total_seconds(), woken=woken)
    return woken


async def _wake(out: Outside, due: Due, now: datetime) -> int:
    item = await out.store.remediation(due.remediation_id)
    if item is None:
        return 0
    if due.part == "assessment":
        change = Change(replace(item, wake_at=now)) if item.assessment in OPEN else Change()
    else:
        change = Change(
            tracks=tuple(replace(t, wake_at=now) for t in item.tracks if t.kind == due.part and not t.ended)
        )
    await out.store.commit(change)
    return 1

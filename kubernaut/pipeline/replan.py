"""Judge a plan anew when the world moved on, but not for ever and not at once each time."""

from dataclasses import replace
from datetime import datetime, timedelta

from kubernaut.domain.tracks import ImperativeEvent, ImperativeTrack, advance_imperative
from kubernaut.ports import Change

from .entries import track_entry

_MOST = 8
_FIRST_S, _MAX_S = 0.5, 10.0


def replan(track: ImperativeTrack, now: datetime, why: str) -> Change:
    """Back to planning, each time after a longer pause; a target that never stands still is left to a person."""
    if track.replans >= _MOST:
        message = f"{why}; it was planned anew {track.replans} times: not done"
        ended = advance_imperative(track, ImperativeEvent.FAIL, now, wake_at=None, reason=message)
        return Change(tracks=(ended,), journal=(track_entry(now, track, "escalation", message),))
    delay_s = min(_MAX_S, _FIRST_S * 2 ** (track.replans - 1)) if track.replans else 0.0
    message = f"{why}: planning anew"
    wake_at = now + timedelta(seconds=delay_s)
    counted = replace(track, replans=track.replans + 1, steps=())  # an intent that was not carried out is none
    again = advance_imperative(counted, ImperativeEvent.REPLAN, now, wake_at=wake_at, reason=message)
    return Change(tracks=(again,), journal=(track_entry(now, track, "track", message),))


def moved(captured: dict[str, object], expected: dict[str, str]) -> bool:
    """Whether the captured object is another one than the plan is about, or has another specification."""
    return any(captured.get(key) != value for key, value in expected.items())

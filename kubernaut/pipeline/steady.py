"""Health is watched for a while before it counts, and only time in which somebody watched is held against it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from kubernaut.domain.tracks import GitOpsTrack, ImperativeTrack, Track

from .outside import Outside

T = TypeVar("T", ImperativeTrack, GitOpsTrack)
_LATE = timedelta(seconds=5)


def unwatched(wake_at: datetime | None, now: datetime) -> timedelta:
    """How long nobody looked though it was time: the daemon was down, or had too much to do, or the clock jumped."""
    late = now - wake_at if wake_at else timedelta()
    return late if late > _LATE else timedelta()


def watched(out: Outside, track: T) -> T:
    """The track with its deadline moved by the time in which nobody looked."""
    late = unwatched(track.wake_at, out.clock.now())
    return replace(track, due_at=track.due_at + late) if late and track.due_at else track


def steady_since(track: Track, stamp: str, now: datetime) -> datetime:
    """Since when health has not been broken; another stamp means that something restarted in between. A clock that was put
    back must not make it wait for the future."""
    unbroken = track.steady_since is not None and track.steady_stamp == stamp and track.steady_since <= now
    return track.steady_since if unbroken and track.steady_since is not None else now


def too_late(track: Track, steady: datetime | None, now: datetime) -> bool:
    """Whether the deadline has passed: health that began before it may still prove itself.

    Args:
        steady: since when it is healthy without a break; None when it is not.
    """
    return track.due_at is not None and now >= track.due_at and (steady is None or steady >= track.due_at)

"""Journal entries in the words of the pipeline."""

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import GitOpsTrack, ImperativeTrack, Track, telling

T = TypeVar("T", ImperativeTrack, GitOpsTrack)


def entry(
    now: datetime, remediation: Remediation, kind: str, message: str, *, actor: str = "kubernaut", **data: Any
) -> JournalDraft:
    """An entry about the remediation as a whole."""
    return JournalDraft(now, kind, message, actor, remediation.id, "", data)


def track_entry(
    now: datetime, track: Track, kind: str, message: str, *, actor: str = "kubernaut", **data: Any
) -> JournalDraft:
    """An entry about one track."""
    return JournalDraft(now, kind, message, actor, track.remediation_id, track.kind.value, data)


def progress(
    now: datetime, track: T, kind: str, message: str, *, new: bool = True, **data: Any
) -> tuple[T, tuple[JournalDraft, ...]]:
    """The entry about how a phase goes on, if it is worth one, and the track that remembers it.

    Args:
        new: whether it may be told at all.
    """
    if not new:
        return track, ()
    told, worth = telling(track, message, now)
    before, track = track.told, replace(track, told=told)
    if not worth:
        return track, ()
    if before is not None and before.untold:
        minutes = max(1.0, (now - before.at).total_seconds() / 60)
        data["changes"] = before.untold + 1
        message = f"{message} (changed {before.untold + 1} times in {minutes:.0f} min)"
    return track, (track_entry(now, track, kind, message, **data),)

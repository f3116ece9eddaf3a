"""Journal entries in the words of the pipeline."""

from datetime import datetime
from typing import Any

from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.tracks import Track


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

"""What a remediation is as a whole follows from its assessment and its tracks, in the transaction that moves any of them.

Tracks are committed independently of each other, so no caller has the whole picture: the writer has. It recomputes the
phase, notes a change of it in the journal, and frees the fingerprint when everything has ended.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.remediation import FINAL, phase_from, waits_for_person
from kubernaut.domain.tracks import GitOpsPhase, ImperativePhase

from .codec import to_us


@dataclass(slots=True)
class Head:
    """The few columns of a remediation that a transition needs; mutable, alive for one transition only.

    Args:
        moved: whether a phase that others follow from is not the one in the row any more.
    """

    id: str
    fingerprint: str
    version: int
    assessment: str
    imperative: str | None
    gitops: str | None
    phase: str
    active: int
    needs_you: int
    priority: str
    resolved_at: int | None
    moved: bool = False

    def move(self, *, assessment: str | None = None, imperative: str | None = None, gitops: str | None = None) -> None:
        """A part has another phase now, or the same."""
        before = (self.assessment, self.imperative, self.gitops)
        self.assessment = assessment or self.assessment
        self.imperative = imperative or self.imperative
        self.gitops = gitops or self.gitops
        self.moved = self.moved or before != (self.assessment, self.imperative, self.gitops)

    @classmethod
    def read(cls, connection: sqlite3.Connection, remediation_id: str) -> "Head | None":
        """The row's columns; None when there is no such remediation."""
        row = connection.execute(
            "SELECT id, fingerprint, version, assessment, imperative, gitops, phase, active, needs_you, priority,"
            " resolved_at FROM remediation WHERE id = ?",
            (remediation_id,),
        ).fetchone()
        return cls(*row) if row else None


@dataclass(frozen=True, slots=True)
class Derived:
    """The columns that follow from the phases. sort_rank: 0 needs a person, 1 runs, 2 is done."""

    phase: str
    active: bool
    needs_you: bool
    sort_rank: int


@lru_cache(maxsize=2048)
def derive(assessment: str, imperative: str | None, gitops: str | None) -> Derived:
    """The derived columns of these phases."""
    i = ImperativePhase(imperative) if imperative else None
    g = GitOpsPhase(gitops) if gitops else None
    phase = phase_from(AssessmentPhase(assessment), i, g)
    active, waits = phase not in FINAL, waits_for_person(phase, i, g)
    return Derived(phase.value, active, waits, 0 if waits else 1 if active else 2)


_PARTS = "UPDATE remediation SET imperative = ?, gitops = ? WHERE id = ?"
_STAYS = "UPDATE remediation SET imperative = ?, gitops = ?, phase = ?, needs_you = ?, sort_rank = ? WHERE id = ?"
_TURNS = (
    "UPDATE remediation SET imperative = ?, gitops = ?, phase = ?, needs_you = ?, sort_rank = ?, active = ?,"
    " ended_at = iif(?, NULL, coalesce(ended_at, ?)) WHERE id = ?"
)
"""One for a part that moved while the whole stayed what it is, one for a whole that goes on, one for a whole that ends or
opens: each touches no more indexes than it has to."""


def settle(connection: sqlite3.Connection, head: Head, ended_at: datetime | None, now: datetime) -> JournalDraft | None:
    """Write the derived columns of a head that moved; returns the entry that tells of a changed phase, None if it did not.

    Args:
        ended_at: when the part that ended says it ended.
        now: the end when no part says so.
    """
    new = derive(head.assessment, head.imperative, head.gitops)
    if (head.phase, head.active, head.needs_you) == (new.phase, new.active, new.needs_you):
        connection.execute(_PARTS, (head.imperative, head.gitops, head.id))
        return None
    whole = (head.imperative, head.gitops, new.phase, new.needs_you, new.sort_rank)
    if new.active and head.active:
        connection.execute(_STAYS, (*whole, head.id))
    else:
        end = None if new.active else to_us(ended_at or now)
        connection.execute(_TURNS, (*whole, new.active, new.active, end, head.id))
    if head.phase == new.phase:
        return None
    return JournalDraft(
        at=now,
        kind="phase",
        message=f"{head.phase} → {new.phase}",
        remediation_id=head.id,
        data={"from": head.phase, "to": new.phase},
    )

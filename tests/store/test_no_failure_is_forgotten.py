"""Whatever signals come in whatever order: one active remediation a failure, and nothing that fires is left to nobody."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kubernaut.adapters.store import intake as desk
from kubernaut.adapters.store import transition
from kubernaut.adapters.store.schema import connect, migrate
from kubernaut.adapters.store.tail import JournalTail
from kubernaut.domain.assessment import AssessmentEvent, AssessmentPhase
from kubernaut.domain.remediation import FINAL, Remediation, advance
from kubernaut.domain.signals import SignalStatus
from kubernaut.domain.tracks import ImperativePhase
from kubernaut.ports import Change

from .values import START, decided, imperative, intake, remediation

WINDOW_S = 300
MEMORY = Path(":memory:")
NAME = "checkout"
PODS = st.integers(0, 1)
ENDS = ("Completed", "Skipped", "Escalated", "Cancelled")
EVENTS = {
    "Skipped": AssessmentEvent.SKIP, "Escalated": AssessmentEvent.ESCALATE, "Cancelled": AssessmentEvent.CANCEL,
}  # fmt: skip

STEPS = st.one_of(
    st.tuples(st.just("fires"), PODS),
    st.tuples(st.just("fires anew"), PODS),
    st.tuples(st.just("resolved"), PODS),
    st.tuples(st.just("ends"), st.sampled_from(ENDS)),
    st.tuples(st.just("waits"), st.sampled_from((1, 100, 299, 301, 7200))),
)


class World:
    """One failure of one owner, what fires of it and when that began, what ended resolved, and the store's tables."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection, self.tail = connection, JournalTail(connection)
        self.now = START
        self.began = dict.fromkeys((0, 1), START)
        self.resolved: set[str] = set()

    def fire(self, pod: int, status: SignalStatus = SignalStatus.FIRING) -> str:
        began_at = self.began[pod]
        occurrence = f"{pod}@{began_at}"
        item = intake(NAME, at=self.now, began_at=began_at, occurrence=occurrence, status=status, window_s=WINDOW_S)
        return desk.take(self.connection, self.tail, item).remediation_id

    def fire_anew(self, pod: int) -> str:
        self.began[pod] = self.now
        return self.fire(pod)

    def end(self, phase: str) -> None:
        row = self.connection.execute("SELECT id, version, resolved_at FROM remediation WHERE active = 1").fetchone()
        if row is None:
            return
        if row[2] is not None:
            self.resolved.add(row[0])
        item = replace(remediation(row[0], NAME), version=row[1])
        if phase != "Completed":
            self._write(Change(advance(item, EVENTS[phase], self.now, wake_at=None)))
            return
        (track,) = self._write(Change(decided(item), (imperative(row[0]),))).tracks
        done = replace(track, phase=ImperativePhase.COMPLETED, wake_at=None, ended_at=self.now)  # type: ignore[arg-type]
        self._write(Change(tracks=(done,)))

    def _write(self, change: Change) -> Change:
        return transition.write(self.connection, self.tail, change, self.now)

    def look(self, id_: str) -> tuple[str, float, bool]:
        """Its phase, how long ago it ended in seconds, and whether somebody will look at it."""
        phase, ended_at, wake_at = self.connection.execute(
            "SELECT phase, ended_at, wake_at FROM remediation WHERE id = ?", (id_,)
        ).fetchone()
        age_s = (self.now - START).total_seconds() - ((ended_at or 0) / 1e6 - START.timestamp())
        return phase, age_s, wake_at is not None


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, min_size=4, max_size=20))
def test_what_fires_is_looked_at_or_a_persons_or_ended_a_moment_ago(steps: list[tuple[str, int | str]]) -> None:
    with closing(connect(MEMORY)) as connection:
        migrate(connection, MEMORY)
        world = World(connection)
        for what, value in steps:
            if what == "waits":
                world.now += timedelta(seconds=int(value))
            elif what == "ends":
                world.end(str(value))
            elif what == "resolved":
                world.fire(int(value), SignalStatus.RESOLVED)
            else:
                id_ = world.fire(int(value)) if what == "fires" else world.fire_anew(int(value))
                phase, ended_s, looked_at = world.look(id_)
                if phase not in FINAL:
                    assert looked_at
                elif phase == "Escalated" or (phase == "Cancelled" and id_ not in world.resolved):
                    assert what == "fires" or ended_s <= WINDOW_S
                else:
                    assert ended_s <= WINDOW_S
                    assert what == "fires" or ended_s == 0, "what began after the end is back"


def test_the_ends_are_those_that_there_are() -> None:
    item: Remediation = remediation()
    for phase, event in EVENTS.items():
        assert advance(item, event, START, wake_at=None).assessment is AssessmentPhase(phase)

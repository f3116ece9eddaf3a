"""How many transitions a second the store makes durable: many callers at once, and one at a time for comparison.

A transition is what a stage of the pipeline commits: a track in another phase with its step and a journal entry; the
store adds the entry for the remediation's phase when that changes, too.
"""

import asyncio
import itertools
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kubernaut.adapters.store import SqliteStore
from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.plans import Plan, Step, StepRun
from kubernaut.domain.policy import Decision
from kubernaut.domain.remediation import Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary, fingerprint
from kubernaut.domain.tracks import ImperativeEvent, ImperativePhase, ImperativeTrack, advance_imperative
from kubernaut.domain.values import Severity
from kubernaut.ports import Change

CALLERS = 256
_CYCLE = (ImperativeEvent.PLANNED, ImperativeEvent.ASK, ImperativeEvent.WAIT, ImperativeEvent.REPLAN)
"""A round that starts and ends in Planning, so that it can be repeated for as long as the measurement takes."""


class _WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def bench_store(seconds: float) -> dict[str, float]:
    """Measure on a store in a throwaway folder.

    Args:
        seconds: how long to measure, half of it with many callers and half with one.

    Returns:
        `store_transitions_per_s` with 256 concurrent callers that share commits, and `one_commit_each_per_s`, the
        baseline of the same run: one caller, so that each transition pays for a flush of its own.
    """
    with tempfile.TemporaryDirectory(prefix="kubernaut-bench-") as folder:
        store = await SqliteStore.open(Path(folder) / "kubernaut.db", _WallClock())
        try:
            tracks = await asyncio.gather(*(_track(store, n) for n in range(CALLERS)))
            together, tracks = await _measure(store, tracks, seconds / 2)
            alone, _ = await _measure(store, tracks[:1], seconds / 2)
        finally:
            await store.close()
    return {"store_transitions_per_s": round(together, 1), "one_commit_each_per_s": round(alone, 1)}


async def _track(store: SqliteStore, number: int) -> ImperativeTrack:
    now, id_ = datetime.now(UTC), f"rr-{number:06}"
    owner = ResourceRef("bench", "Deployment", f"workload-{number}", "shop")
    signal = SignalSummary("KubePodCrashLooping", SignalSource.ALERTMANAGER, Severity.WARNING, id_, now, now)
    remediation = Remediation(
        id_, fingerprint(owner, "CrashLoop"), owner, signal, now, assessment=AssessmentPhase.DECIDED
    )
    decision = Decision.fail_closed("a measurement")
    plan = Plan((Step("restart", "restart-deployment", owner, expected={"uid": id_}),))
    track = ImperativeTrack(
        f"{id_}-i", id_, ImperativePhase.PLANNING, decision, plan, now, now, now, steps=(StepRun("restart"),)
    )
    change = await store.commit(Change(remediation, (track,)))
    return _imperative(change)


def _imperative(change: Change) -> ImperativeTrack:
    (track,) = change.tracks
    if not isinstance(track, ImperativeTrack):
        raise TypeError(f"expected an imperative track, got {type(track).__name__}")
    return track


async def _measure(
    store: SqliteStore, tracks: list[ImperativeTrack], seconds: float
) -> tuple[float, list[ImperativeTrack]]:
    start = time.perf_counter()
    ran = await asyncio.gather(*(_walk(store, track, start + seconds) for track in tracks))
    return sum(count for count, _ in ran) / (time.perf_counter() - start), [track for _, track in ran]


async def _walk(store: SqliteStore, track: ImperativeTrack, until: float) -> tuple[int, ImperativeTrack]:
    count = 0
    for event in itertools.cycle(_CYCLE):
        if event is _CYCLE[0] and time.perf_counter() >= until:
            break
        count += 1
        now = datetime.now(UTC)
        track = advance_imperative(track, event, now, wake_at=now + timedelta(seconds=30))
        note = JournalDraft(now, "track", f"{event}", remediation_id=track.remediation_id, track="imperative")
        track = _imperative(await store.commit(Change(tracks=(track,), journal=(note,))))
    return count, track

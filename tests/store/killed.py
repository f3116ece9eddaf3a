"""The process that test_a_kill_loses_nothing kills: it writes as fast as it can and prints what was acknowledged.

Run as `python -m tests.store.killed STORE ROUND`. One JSON array a line, printed only after the store's answer.
"""

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from kubernaut.adapters.store import SqliteStore
from kubernaut.domain.tracks import ImperativeEvent, ImperativeTrack, advance_imperative
from kubernaut.ports import Change, OutboxDraft

from .values import START, HeldClock, decided, imperative, intake, note, remediation


def tell(*words: object) -> None:
    """One write a line, so that a kill cuts off the last line at most."""
    os.write(1, (json.dumps(words) + "\n").encode())


async def signals(store: SqliteStore, name: str) -> None:
    for n in range(1_000_000):
        (taken,) = await store.take([intake(f"{name}-{n // 5}", candidate=f"rr-{name}-{n // 5}")])
        tell("taken", taken.remediation_id, n % 5 + 1)


async def transitions(store: SqliteStore, id_: str) -> None:
    change = await store.commit(Change(decided(remediation(id_, id_)), (imperative(id_),)))
    for n in range(1_000_000):
        (track,) = change.tracks
        assert isinstance(track, ImperativeTrack)
        event = (ImperativeEvent.PLANNED, ImperativeEvent.ASK, ImperativeEvent.REPLAN)[n % 3]
        moved = replace(advance_imperative(track, event, START, wake_at=START), reason=str(n))
        outbox = (OutboxDraft("notify", f"{id_}/{n}", {"n": n}),)
        change = await store.commit(Change(tracks=(moved,), journal=(note(f"{id_} {n}", id_),), outbox=outbox))
        tell("moved", id_, n, await store.last_seq())


async def main(path: Path, life: str) -> None:
    store = await SqliteStore.open(path, HeldClock())
    tell("open")
    async with asyncio.TaskGroup() as group:
        for n in range(8):
            group.create_task(signals(store, f"s{life}x{n}"))
            group.create_task(transitions(store, f"rr-t{life}x{n}"))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))

"""A process is killed at random moments, again and again on one store: what it acknowledged is there every time."""

import json
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from kubernaut.adapters.store import SqliteStore
from kubernaut.ports import Store

from .values import HeldClock

REPOSITORY = Path(__file__).parents[2]
LIVES = 6


def live_and_die(path: Path, life: int, seconds: float) -> list[list[object]]:
    """Run the writer, kill it that long after it opened the store, and return what it told before."""
    command = [sys.executable, "-m", "tests.store.killed", str(path), str(life)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b'["open"]\n'
        killer = threading.Timer(seconds, process.send_signal, (signal.SIGKILL,))
        killer.start()
        told = process.stdout.read()
        killer.join()
    assert process.returncode == -signal.SIGKILL
    return [json.loads(line) for line in told.split(b"\n")[:-1]]


async def check(store: Store, told: list[list[object]]) -> None:
    seen: Counter[str] = Counter()
    moved: dict[str, int] = {}
    newest = 0
    for kind, id_, number, *seq in told:
        assert isinstance(id_, str)
        assert isinstance(number, int)
        if kind == "taken":
            seen[id_] = max(seen[id_], number)
        else:
            moved[id_] = number
            newest = max(newest, *(int(str(n)) for n in seq))
    assert await store.last_seq() >= newest
    for id_, count in seen.items():
        item = await store.remediation(id_)
        assert item is not None
        assert count <= item.signal.count <= count + 1
    for id_, number in moved.items():
        item = await store.remediation(id_)
        assert item is not None
        assert item.imperative is not None
        assert int(item.imperative.reason) in (number, number + 1)
        notes = [e.message for e in await store.journal(0, 1_000_000, id_) if e.kind == "note"]
        assert notes == [f"{id_} {n}" for n in range(int(item.imperative.reason) + 1)]


@pytest.mark.slow
async def test_what_was_acknowledged_is_there_after_every_kill(tmp_path: Path) -> None:
    path, chance = tmp_path / "kubernaut.db", random.Random()
    promised = 0
    for life in range(LIVES):
        told = live_and_die(path, life, chance.uniform(0.01, 0.6))
        store = await SqliteStore.open(path, HeldClock())
        try:
            await check(store, told)
            assert await store.verify_journal() is None
            promised += sum(kind == "moved" for kind, *_ in told)
            messages = await store.outbox(HeldClock().now(), 1_000_000)
            assert len(messages) >= promised
            assert len({message.key for message in messages}) == len(messages)
        finally:
            await store.close()
    assert promised

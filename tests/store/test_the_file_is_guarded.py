"""What the store says when its file is foreign, damaged, newer, held by another, or when the disk is full."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kubernaut.adapters.store import SqliteStore, queries
from kubernaut.adapters.store.schema import connect, migrate, migrations
from kubernaut.domain.errors import Permanent, Temporary
from kubernaut.domain.remediation import RemediationPhase
from kubernaut.ports import Change, Query

from .values import START, HeldClock, decided, imperative, note, opened, remediation

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "kubernaut.db"


@asynccontextmanager
async def opening(path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(path, HeldClock())
    try:
        yield store
    finally:
        await store.close()


def change_file(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def content(path: Path) -> bytes:
    return path.read_bytes()


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir()
    change_bytes(path, data)


def change_bytes(path: Path, data: bytes) -> None:
    path.write_bytes(data)


async def test_it_is_there_after_a_restart(path: Path) -> None:
    async with opening(path) as store:
        await store.commit(opened())
    async with opening(path) as store:
        await store.commit(opened("rr-bbbbbb", "cart"))
        assert (await store.list(Query())).total == 2
        assert [entry.seq for entry in await store.journal(0, 10)] == [1, 2]
        assert await store.verify_journal() is None


async def test_the_settings_that_durability_rests_on(path: Path) -> None:
    async with opening(path):
        with closing(connect(path)) as connection:
            settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
            assert settings == ["wal", 2]
            assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


async def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    async with opening(path) as store:
        await store.commit(opened())
    newer = migrations()[-1].version + 1
    change_file(path, f"INSERT INTO schema_version (version, name) VALUES ({newer}, 'future')")
    before = content(path)
    with pytest.raises(Permanent, match=f"has schema {newer}, this version knows {newer - 1}"):
        await SqliteStore.open(path, HeldClock())
    assert content(path) == before


async def test_a_failed_migration_leaves_the_schema_before_it(path: Path) -> None:
    async with opening(path) as store:
        await store.commit(opened())
    known = migrations()
    broken = replace(
        known[-1], version=known[-1].version + 1, name="broken", sql="CREATE TABLE half (a); SELECT nothing;"
    )
    with closing(connect(path)) as connection:
        with pytest.raises(Permanent, match=f"{known[-1].version + 1:04} broken failed"):
            migrate(connection, path, [*known, broken])
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchone()
    async with opening(path) as store:
        assert await store.remediation("rr-aaaaaa")


async def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.version for migration in migrations()] == list(range(1, len(migrations()) + 1))


async def test_a_second_daemon_is_told_who_has_the_store(path: Path) -> None:
    async with opening(path):
        with pytest.raises(Permanent, match=r"another kubernaut \(process \d+\) uses the store"):
            await SqliteStore.open(path, HeldClock())
    async with opening(path):
        pass


async def test_a_file_that_is_no_database(path: Path) -> None:
    put(path, b"this is a text file, and long enough to have a header of its own\n" * 20)
    with pytest.raises(Permanent, match="no SQLite database"):
        await SqliteStore.open(path, HeldClock())


async def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Temporary, match="check its owner"):
        await SqliteStore.open(tmp_path / "file" / "kubernaut.db", HeldClock())


async def test_a_closed_store_says_so(path: Path) -> None:
    store = await SqliteStore.open(path, HeldClock())
    await store.close()
    await store.close()
    with pytest.raises(Permanent, match="closed"):
        await store.commit(opened())
    with pytest.raises(Permanent, match="closed"):
        await store.list(Query())


async def test_closing_keeps_what_is_queued(path: Path) -> None:
    store = await SqliteStore.open(path, HeldClock())
    queued = [asyncio.ensure_future(store.commit(opened(f"rr-{n:06}", f"w{n}"))) for n in range(300)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*queued)
    async with opening(path) as store:
        assert (await store.list(Query())).total == 300


async def test_another_process_that_writes_is_waited_for(path: Path) -> None:
    async with opening(path) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            commit = asyncio.create_task(store.commit(opened()))
            done, _ = await asyncio.wait({commit}, timeout=0.2)
            assert not done
            assert (await store.list(Query())).total == 0
            other.execute("ROLLBACK")
            await commit
        assert await store.remediation("rr-aaaaaa")


DAMAGE = {
    "remediation": ("document", "doc = '{\"id\": 7'"),
    "its track": ("track", "doc = x'ff00'"),
    "its step": ("step", "doc = '[]'"),
}


@pytest.mark.parametrize("part", DAMAGE)
async def test_a_damaged_document_is_shown_and_harms_no_other(path: Path, part: str) -> None:
    async with opening(path) as store:
        steps = imperative().run_of("restart")
        await store.commit(Change(decided(remediation()), (imperative(steps=(steps,)),)))
        await store.commit(opened("rr-bbbbbb", "cart"))
        table, damage = DAMAGE[part]
        where = "" if table != "document" else " WHERE remediation_id = 'rr-aaaaaa'"
        change_file(path, f"UPDATE {table} SET {damage}{where}")
        page = await store.list(Query())
        assert page.total == 2
        damaged = next(item for item in page.items if item.id == "rr-aaaaaa")
        assert damaged.phase is RemediationPhase.ESCALATED
        assert "can't be read" in damaged.reason
        assert damaged.target.name == "checkout"
        with pytest.raises(Permanent, match="restore it from a backup"):
            await store.remediation("rr-aaaaaa")
        assert await store.remediation("rr-bbbbbb")


async def test_the_journal_refuses_changes_and_finds_forced_ones(path: Path) -> None:
    async with opening(path) as store:
        await store.commit(Change(journal=tuple(note(str(n)) for n in range(9))))
        for statement in ("UPDATE journal SET message = 'x' WHERE seq = 5", "DELETE FROM journal WHERE seq = 5"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                change_file(path, statement)
        change_file(path, "DROP TRIGGER journal_keeps_entries", "UPDATE journal SET message = 'x' WHERE seq = 5")
        assert await store.verify_journal() == 5


FULL_DISK = textwrap.dedent("""
    import asyncio, resource, sys
    from pathlib import Path
    from kubernaut.adapters.store import SqliteStore, queries
    from kubernaut.domain.errors import Temporary
    from kubernaut.ports import Change
    from tests.store.values import HeldClock, note

    async def main():
        store = await SqliteStore.open(Path(sys.argv[1]), HeldClock())
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        acknowledged = 0
        try:
            while True:
                await store.commit(Change(journal=(note("x" * 20_000),)))
                acknowledged += 1
        except Temporary as e:
            assert "check the free space" in str(e), e
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await store.commit(Change(journal=(note("there is space again"),)))
        assert await store.last_seq() == acknowledged + 1, (await store.last_seq(), acknowledged)
        assert await store.verify_journal() is None
        await store.close()
        print(acknowledged)

    asyncio.run(main())
""")


def test_a_full_disk_is_said_loses_nothing_and_is_over_when_there_is_space(path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=60, cwd=REPOSITORY
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 10


async def test_what_waits_is_found_by_index_alone(path: Path) -> None:
    async with opening(path):
        pass
    asked: list[str] = []
    with closing(connect(path)) as connection:
        connection.set_trace_callback(asked.append)
        queries.due(connection, START, 10)
        queries.next_wake(connection)
        connection.set_trace_callback(None)
        assert len(asked) == 16
        for question in asked:
            table = "remediation" if "FROM remediation" in question else "track"
            (row,) = connection.execute(f"EXPLAIN QUERY PLAN {question}").fetchall()
            assert row[3].startswith(f"SEARCH {table} USING")
            assert f"INDEX {table}_wake (priority=? AND wake_at" in row[3]


async def test_a_full_disk_is_no_reason_against_the_lock(path: Path) -> None:
    """Who holds it can't be noted; the store itself says what it has no room for."""
    path.parent.mkdir()
    path.with_name(f"{path.name}.lock").symlink_to("/dev/full")
    async with opening(path) as store:
        await store.commit(opened())


async def test_a_question_that_found_no_descriptor_costs_only_itself(path: Path) -> None:
    """The threads that read open the file when they are first asked, which may be in a bad moment."""
    async with opening(path) as store:
        await store.commit(opened())
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
        try:
            with pytest.raises(Temporary):
                await store.list(Query())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert (await store.list(Query())).total == 1


async def test_a_file_whose_journal_is_damaged_says_what_to_do(path: Path) -> None:
    async with opening(path) as store:
        await store.commit(opened())
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'journal'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    data = content(path)
    change_bytes(path, data[: (root - 1) * size] + b"\x55" * size + data[root * size :])
    with pytest.raises(Permanent, match=r"damaged.*restore it from a backup"):
        await SqliteStore.open(path, HeldClock())


@contextmanager
def no_file_grows_beyond(size_bytes: int) -> Iterator[None]:
    """As on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room_bytes", [1, 40_000])
async def test_a_disk_without_room_for_the_file_says_what_to_do(path: Path, room_bytes: int) -> None:
    told = ""
    with no_file_grows_beyond(room_bytes):
        try:
            await SqliteStore.open(path, HeldClock())
        except (Temporary, Permanent) as error:
            told = str(error)
    assert "space" in told
    async with opening(path) as store:
        await store.commit(opened())

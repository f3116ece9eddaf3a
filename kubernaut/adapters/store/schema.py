"""A store file is opened with the same settings everywhere and brought to the schema that this version knows.

Migrations are plain SQL files with a number in front. They run in order, each in its own transaction together with the
note that it ran, so that a crash between two leaves a store that the next start continues from.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from kubernaut.domain.errors import Permanent, Temporary

BUSY_TIMEOUT_S = 5.0
"""How long a statement waits for another process that holds the file, as a backup does."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: its number, its name and its statements."""

    version: int
    name: str
    sql: str


def migrations() -> Sequence[Migration]:
    """The migrations of this version in order, read from the package."""
    folder = resources.files("kubernaut.adapters.store") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [Migration(int(f.name[:4]), f.name[5:-4], f.read_text(encoding="utf-8")) for f in files]


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with the store's settings.

    `synchronous=FULL` because in WAL mode anything less lets a power cut take acknowledged commits with it.
    Source: https://www.sqlite.org/pragma.html#pragma_synchronous
    """
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA cache_size=-32000" if not read_only else "PRAGMA cache_size=-8000")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
    except sqlite3.OperationalError as e:
        raise Temporary(
            f"the store {path} can't be opened ({e}): check that its folder is writable and its disk has space"
        ) from e
    except sqlite3.DatabaseError as e:
        raise Permanent(f"{path} is no SQLite database ({e}): point state_dir at another folder or restore it") from e
    return connection


def migrate(connection: sqlite3.Connection, path: Path, known: Sequence[Migration] | None = None) -> int:
    """Bring the file to the newest known schema and return its version.

    Raises:
        Permanent: the file was written by a newer version; nothing was changed.
    """
    known = migrations() if known is None else known
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_version"
        " (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)"
    )
    (present,) = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    newest = known[-1].version
    if present > newest:
        raise Permanent(
            f"the store {path} has schema {present}, this version knows {newest}: start a newer kubernaut, or restore"
            " the backup from before the upgrade"
        )
    for migration in known:
        if migration.version > present:
            _apply(connection, migration)
    return newest


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    note = f"INSERT INTO schema_version (version, name) VALUES ({int(migration.version)}, '{migration.name}');"  # noqa: S608 - from the package's own file name
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{migration.sql}\n{note}\nCOMMIT;")
    except sqlite3.Error as e:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise Permanent(
            f"migration {migration.version:04} {migration.name} failed ({e}) and changed nothing: check the space and the health"
            " of the disk"
        ) from e

"""The store: SQLite, one writer thread with group commit, readers beside it."""

from .sqlite import SqliteStore

__all__ = ["SqliteStore"]

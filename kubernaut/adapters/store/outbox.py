"""Messages that were promised to the outside in the transaction that they tell of, until they are delivered.

A delivered message stays as a row, so that its idempotency key keeps a second one from being written.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from kubernaut.domain.errors import NotFound
from kubernaut.ports import OutboxDraft, OutboxMessage

from . import codec


def put(connection: sqlite3.Connection, drafts: Iterable[OutboxDraft], now: datetime) -> None:
    """Promise the messages; one whose channel and key are known already is dropped."""
    due_at = codec.to_us(now)
    connection.executemany(
        "INSERT INTO outbox (channel, key, payload, due_at) VALUES (?,?,?,?) ON CONFLICT (channel, key) DO NOTHING",
        [(draft.channel, draft.key, codec.encode(draft.payload), due_at) for draft in drafts],
    )


def due(connection: sqlite3.Connection, now: datetime, limit: int) -> Sequence[OutboxMessage]:
    """Messages that are due, the one that waits longest first."""
    rows = connection.execute(
        "SELECT id, channel, key, payload, attempt FROM outbox WHERE done_at IS NULL AND due_at <= ?"
        " ORDER BY due_at, id LIMIT ?",
        (codec.to_us(now), limit),
    )
    return [
        OutboxMessage(id_, channel, key, codec.object_from(payload, f"message {id_}"), attempt)
        for id_, channel, key, payload, attempt in rows
    ]


def done(connection: sqlite3.Connection, message_id: int, now: datetime) -> None:
    """Note the delivery; noting it twice changes nothing."""
    connection.execute(
        "UPDATE outbox SET done_at = coalesce(done_at, ?), error = '' WHERE id = ?", (codec.to_us(now), message_id)
    )


def retry(connection: sqlite3.Connection, message_id: int, at: datetime, error: str) -> None:
    """Note a failed attempt and when to try again.

    Raises:
        NotFound: there is no such message.
    """
    changed = connection.execute(
        "UPDATE outbox SET attempt = attempt + 1, due_at = ?, error = ? WHERE id = ? AND done_at IS NULL",
        (codec.to_us(at), error, message_id),
    ).rowcount
    if not changed:
        raise NotFound(f"there is no message {message_id} that waits to be sent")

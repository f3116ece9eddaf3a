"""A page of remediations: what needs a person first, then what runs, then what is done."""

import re
import sqlite3
from dataclasses import replace
from functools import lru_cache
from typing import Any

from kubernaut.domain.assessment import AssessmentPhase
from kubernaut.domain.errors import Permanent
from kubernaut.domain.remediation import FAULTS, Remediation
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.signals import SignalSource, SignalSummary
from kubernaut.ports import Page, Query

from . import codec
from .queries import whole

MAX_LIMIT = 500
FUZZY_LETTERS = 3
"""From how many letters on a word may leave some out."""


def install(connection: sqlite3.Connection) -> None:
    """Teach the connection the function that listings look for words with."""
    connection.create_function("has_word", 2, has_word, deterministic=True)


def has_word(text: str, word: str) -> bool:
    """Whether the word is in the text; a word of letters may leave out two letters at a time, as `chkout` does."""
    return word in text or (len(word) >= FUZZY_LETTERS and word.isalpha() and bool(_fuzzy(word).search(text)))


@lru_cache(maxsize=256)
def _fuzzy(word: str) -> re.Pattern[str]:
    return re.compile(r"\S{0,2}?".join(word))


def page(connection: sqlite3.Connection, query: Query) -> Page:
    """The page that the query asks for."""
    where, values = _where(query)
    (total,) = connection.execute(f"SELECT count(*) FROM remediation r WHERE {where}", values).fetchone()  # noqa: S608 - own conditions
    rows = connection.execute(
        f"SELECT {codec.REMEDIATION_COLUMNS}, r.fingerprint, r.cluster, r.kind, r.namespace, r.name, r.signal,"  # noqa: S608 - own conditions
        f" r.created_at FROM remediation r JOIN document d ON d.remediation_id = r.id WHERE {where}"
        " ORDER BY r.sort_rank, r.severity, r.created_at DESC, r.id LIMIT ? OFFSET ?",
        (*values, max(0, min(query.limit, MAX_LIMIT)), max(0, query.offset)),
    ).fetchall()
    return Page(tuple(_item(connection, row) for row in rows), total)


_WITH = "has_word(r.haystack || ' ' || lower(r.phase), ?)"
_WITHOUT = "instr(r.haystack || ' ' || lower(r.phase), ?) = 0"
"""An inverted word is meant to the letter, or it would hide more than was asked for."""


def _where(query: Query) -> tuple[str, list[str | bool]]:
    conditions: list[str] = ["1"]
    values: list[str | bool] = []
    for word in query.text.lower().split():
        wanted = word.removeprefix("!")
        if wanted:
            inverted = word.startswith("!")
            conditions.append(_WITHOUT if inverted else _WITH)
            values.append(wanted)
    for column, several in (("phase", query.phases), ("id", query.ids)):
        if several:
            conditions.append(f"r.{column} IN ({','.join('?' * len(several))})")
            values += several
    if query.cluster:
        conditions.append("r.cluster = ?")
        values.append(query.cluster)
    for column, flag in (("needs_you", query.needs_you), ("active", query.active)):
        if flag is not None:
            conditions.append(f"r.{column} = ?")
            values.append(flag)
    if query.faults is not None:
        phases = ",".join(f"'{phase.value}'" for phase in sorted(FAULTS))
        conditions.append(f"r.phase {'IN' if query.faults else 'NOT IN'} ({phases})")
    return " AND ".join(conditions), values


def _item(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Remediation:
    try:
        return whole(connection, codec.remediation_from(row[:11]))
    except Permanent as e:
        return _unreadable(row, str(e))


def _unreadable(row: tuple[Any, ...], reason: str) -> Remediation:
    """What the columns still tell of a remediation whose documents are damaged: it shows as escalated, with the reason."""
    (id_, _, _, ended_at, severity, count, first_seen, last_seen, occurrence, resolved_at, version) = row[:11]
    fingerprint, cluster, kind, namespace, name, signal, created_at = row[11:]
    summary = SignalSummary(
        signal, SignalSource.MANUAL, codec.SEVERITIES[severity], occurrence, codec.from_us(first_seen),
        codec.from_us(last_seen), count, codec.from_us_or_none(resolved_at),
    )  # fmt: skip
    target = ResourceRef(cluster, kind, name, namespace)
    item = Remediation(
        id_, fingerprint, target, summary, codec.from_us(created_at), assessment=AssessmentPhase.ESCALATED
    )
    return replace(item, reason=reason, ended_at=codec.from_us_or_none(ended_at), version=version)

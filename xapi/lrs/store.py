"""Storing statements: a batch whole or not at all, in a handful of set-based queries.

Writers take turns (on SQLite as everywhere, on PostgreSQL by an advisory lock that ends with the
transaction): ids, `stored` and commits then share one order, upserts cannot deadlock, and a batch
is over in milliseconds. All that can be done without the lock is done before it is taken.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import func, insert, select, text, update

from lms import clock
from lms.db import db
from xapi.lrs import references, sql, terms
from xapi.lrs.compare import fingerprint, same_moment
from xapi.lrs.errors import Conflicting, Refused
from xapi.lrs.models import LrsAttachment, LrsStatement
from xapi.lrs.parts import Parts, arrange, parts_of
from xapi.lrs.types import find_moment
from xapi.lrs.validate import check_statement

WRITERS_LOCK = 0x726F7065_78617069  # "ropexapi"; PostgreSQL's advisory locks are 64-bit numbers
VERSIONS = {1: "1.0.0", 2: "2.0.0"}
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(slots=True)
class Prepared:
    """A statement that is valid, with all that can be known of it without the database."""

    statement_id: str
    statement: dict[str, Any]
    parts: Parts
    fingerprint: str
    timestamp: str | None  # as it came


def prepare(
    statements: Sequence[Any], authority: Mapping[str, Any], version: int
) -> list[Prepared]:
    """Validate statements as received, and give them what the LRS gives: id, authority, version.

    The dicts are changed. Raises Refused, naming the property, for the first that is wrong.
    """
    prepared: list[Prepared] = []
    seen: set[str] = set()
    several = len(statements) > 1
    for number, statement in enumerate(statements):
        check_statement(statement, version, f"[{number}]" if several else "")
        statement_id = statement["id"] = str(statement.get("id") or uuid.uuid4()).lower()
        if statement_id in seen:
            raise Refused(f"[{number}].id: stands twice in this batch")
        seen.add(statement_id)
        arrange(statement)
        statement["authority"] = authority
        statement.setdefault("version", VERSIONS[version])
        timestamp = statement.get("timestamp")
        if version == 2 and timestamp is not None:  # 2.0 keeps moments in UTC (4.2.4.2)
            moment = find_moment(timestamp)
            if moment is not None and not timestamp.endswith("Z"):
                statement["timestamp"] = iso(moment)
        prepared.append(
            Prepared(
                statement_id, statement, parts_of(statement), fingerprint(statement), timestamp
            )
        )
    return prepared


def store(
    prepared: Sequence[Prepared], attachments: Mapping[str, bytes] | None = None
) -> dt.datetime | None:
    """Store a batch in the present transaction; return when, or None if nothing was new.

    A statement that is already stored is left alone. Raises Conflicting where another statement
    has the id; the caller's transaction is then to be rolled back.
    """
    lock_writers()
    found = _find_stored([one.statement_id for one in prepared])
    new = [one for one in prepared if not _is_stored(one, found)]
    if not new:
        return None
    last_id, last_stored = last_place()
    moment = clock.now()
    if last_stored is not None and moment <= last_stored:
        moment = last_stored + _MICROSECOND
    stored = iso(moment)
    ids = terms.ids_of([one.parts for one in new])
    rows: list[dict[str, Any]] = []
    agents: list[tuple[int, bool, int]] = []
    activities: list[tuple[int, bool, int]] = []
    for row_id, one in enumerate(new, last_id + 1):
        statement, parts = one.statement, one.parts
        statement["stored"] = stored
        statement.setdefault("timestamp", stored)
        rows.append(
            {
                "id": row_id,
                "statement_id": one.statement_id,
                "stored": moment,
                "verb_id": ids.verbs[parts.verb["id"]],
                "registration": parts.registration,
                "refers_to": parts.refers_to,
                "voiding": parts.voids,
                "voided": False,
                "fingerprint": one.fingerprint,
                "text": orjson.dumps(statement).decode(),
            }
        )
        agents += [(ids.agents[key], True, row_id) for key in parts.direct_agents]
        agents += [(ids.agents[key], False, row_id) for key in parts.related_agents]
        activities += [(ids.activities[key], True, row_id) for key in parts.direct_activities]
        activities += [(ids.activities[key], False, row_id) for key in parts.related_activities]
    sql.insert_rows(sql.statements, rows)
    if agents:
        sql.insert_plain(sql.agent_links, agents)
    if activities:
        sql.insert_plain(sql.activity_links, activities)
    came = {one.statement_id: row["id"] for one, row in zip(new, rows, strict=True)}
    referring = sql.connection().execute(sql.find_referring, {"ids": list(came)}).all()
    references.link(came, rows, referring)
    _void(new, [row.refers_to for row in referring if row.voiding])
    if attachments:
        _keep(attachments)
    return moment


def lock_writers() -> None:
    """Wait for the store's other writers; held until the transaction ends."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(
            text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=WRITERS_LOCK)
        )


def last_place() -> tuple[int, dt.datetime | None]:
    """Return the highest id that was given, and when that statement was stored."""
    last = sql.connection().execute(sql.find_last).first()
    return (0, None) if last is None else (last.id, last.stored)


def count() -> int:
    """Return how many statements are stored."""
    return db.session.scalar(select(func.count()).select_from(LrsStatement)) or 0


def iso(moment: dt.datetime) -> str:
    """Return a moment as the LRS writes it: UTC, microseconds, Z."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _find_stored(statement_ids: list[str]) -> dict[str, tuple[str, str]]:
    found = sql.connection().execute(sql.find_stored, {"ids": statement_ids})
    return {row.statement_id: (row.fingerprint, row.text) for row in found}


def _is_stored(one: Prepared, found: Mapping[str, tuple[str, str]]) -> bool:
    before = found.get(one.statement_id)
    if before is None:
        return False
    known_fingerprint, known_text = before
    if known_fingerprint != one.fingerprint or not same_moment(
        one.timestamp, orjson.loads(known_text).get("timestamp")
    ):
        raise Conflicting(
            f"id: another statement is stored as {one.statement_id}. Nothing of this was stored."
        )
    return True


def _void(new: Sequence[Prepared], already: Sequence[str]) -> None:
    """Mark what the new statements void, and those of them that were voided before they came."""
    targets = {one.parts.refers_to for one in new if one.parts.voids and one.parts.refers_to}
    targets |= set(already)
    if targets:
        db.session.execute(
            update(LrsStatement)
            .where(LrsStatement.statement_id.in_(sorted(targets)), LrsStatement.voiding.is_(False))
            .values(voided=True)
        )


def _keep(attachments: Mapping[str, bytes]) -> None:
    known = set(
        db.session.scalars(
            select(LrsAttachment.sha2).where(LrsAttachment.sha2.in_(sorted(attachments)))
        )
    )
    fresh = [
        {"sha2": sha2, "content": attachments[sha2]} for sha2 in sorted(attachments.keys() - known)
    ]
    if fresh:
        db.session.execute(insert(LrsAttachment), fresh)

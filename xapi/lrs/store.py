"""Storing statements: a batch whole or not at all, in a handful of set-based queries.

Writers take turns (on SQLite as everywhere, on PostgreSQL by an advisory lock that ends with the
transaction): ids, `stored` and commits then share one order, upserts cannot deadlock, and a batch
is over in milliseconds. All that can be done without the lock is done before it is taken.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Table, func, select, update

from lms import clock
from lms.db import begin_writing, db
from xapi.lrs import attached, references, sql, terms
from xapi.lrs.compare import same
from xapi.lrs.errors import Conflicting, Refused
from xapi.lrs.models import LrsStatement
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
        given = statement.get("id")
        statement_id = statement["id"] = str(uuid.uuid4()) if given is None else given.lower()
        if statement_id in seen:
            raise Refused(f"[{number}].id: stands twice in this batch")
        seen.add(statement_id)
        arrange(statement)
        statement["authority"] = authority
        statement.setdefault("version", VERSIONS[version])
        if version == 2 and "timestamp" in statement:  # 2.0 keeps moments in UTC (4.2.4.2)
            timestamp = statement["timestamp"]
            moment = None if timestamp.endswith("Z") else find_moment(timestamp)
            if moment is not None:
                statement["timestamp"] = iso(moment)
        prepared.append(Prepared(statement_id, statement, parts_of(statement)))
    return prepared


def store(
    prepared: Sequence[Prepared], attachments: Mapping[str, bytes] | None = None
) -> dt.datetime | None:
    """Store a batch in the present transaction; return when, or None if nothing was new.

    A statement that is already stored is left alone. Raises Conflicting where another statement
    has the id; the caller's transaction is then to be rolled back.
    """
    here = sql.Here()
    with here.together():
        lock_writers(here)
        asked = here.execute(sql.FIND_STORED, [one.statement_id for one in prepared])
        place = here.execute(sql.FIND_PLACE)
    found = dict(asked.fetchall())
    new = [one for one in prepared if not _is_stored(one, found)] if found else prepared
    if found and attachments:
        attached.bring(_again(prepared, found), attachments)
    if not new:
        return None
    last = _read_place(here, place.fetchone())
    moment = clock.now()
    if last.stored is not None and moment <= last.stored:
        moment = last.stored + _MICROSECOND
    ids = terms.ids_of(here, [one.parts for one in new], last.generation)
    came = {one.statement_id: row_id for row_id, one in enumerate(new, last.id + 1)}
    rows = _rows(new, came, ids, iso(moment), here.to_driver(sql.statements.c.stored)(moment))
    with here.together():
        here.insert(sql.statements, rows)
        for table, links in links_of({came[one.statement_id]: one.parts for one in new}, ids):
            here.insert(table, links)
        asked = here.execute(sql.FIND_REFERRING, list(came))
    referring = asked.fetchall()
    targets = {came[one.statement_id]: one.parts.refers_to for one in new if one.parts.refers_to}
    references.link(came, targets, referring)
    _void(new, [refers_to for _, refers_to, voiding in referring if voiding])
    attached.keep({came[one.statement_id]: one.statement for one in new}, attachments or {})
    return moment


def lock_writers(here: sql.Here | None = None) -> None:
    """Wait for the store's other writers; held until the transaction ends."""
    begin_writing()
    here = here or sql.Here()
    if here.is_postgresql:  # SQLite has one writer at a time anyway
        here.execute("SELECT pg_advisory_xact_lock({one})", WRITERS_LOCK)


@dataclass(frozen=True, slots=True)
class Place:
    """The highest id that was ever given, and when that statement was stored; see `LrsPlace`."""

    id: int
    stored: dt.datetime | None
    generation: int


def last_place(here: sql.Here | None = None) -> Place:
    """Return how far ids have got."""
    here = here or sql.Here()
    return _read_place(here, here.execute(sql.FIND_PLACE).fetchone())


def count() -> int:
    """Return how many statements are stored."""
    return db.session.scalar(select(func.count()).select_from(LrsStatement)) or 0


def iso(moment: dt.datetime) -> str:
    """Return a moment as the LRS writes it: UTC, microseconds, Z."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")[:26] + "Z"


def _read_place(here: sql.Here, row: Any) -> Place:
    generation, last_id, last_stored, newest_id, newest_stored = row
    if newest_id is not None and newest_id >= last_id:
        last_id, last_stored = newest_id, newest_stored
    read = here.from_driver(sql.statements.c.stored)
    return Place(last_id, None if last_stored is None else read(last_stored), generation)


def _again(prepared: Sequence[Prepared], found: Mapping[str, str]) -> list[str]:
    """Return the ids of those that are stored already, and were stored by the same system."""
    return [
        one.statement_id
        for one in prepared
        if one.statement_id in found
        and orjson.loads(found[one.statement_id])["authority"] == one.statement["authority"]
    ]


def _is_stored(one: Prepared, found: Mapping[str, str]) -> bool:
    before = found.get(one.statement_id)
    if before is None:
        return False
    if not same(one.statement, orjson.loads(before)):
        raise Conflicting(
            f"id: another statement is stored as {one.statement_id}. Nothing of this was stored."
        )
    return True


def _rows(
    new: Sequence[Prepared], came: Mapping[str, int], ids: terms.Ids, stored: str, moment: Any
) -> list[tuple[Any, ...]]:
    """Return the rows of the statements; what is missing of each is filled in on the way."""
    rows = []
    for one in new:
        statement, parts = one.statement, one.parts
        statement["stored"] = stored
        statement.setdefault("timestamp", stored)
        rows.append(
            (
                came[one.statement_id],
                one.statement_id,
                moment,
                ids.verbs[parts.verb["id"]],
                parts.registration,
                parts.refers_to,
                parts.voids,
                False,  # voided
                orjson.dumps(statement).decode(),
            )
        )
    return rows


def links_of(
    parts: Mapping[int, Parts], ids: terms.Ids
) -> Iterator[tuple[Table, Sequence[tuple[Any, ...]]]]:
    """Yield the rows that say which agents and activities each statement (by row id) names.

    In the order of the table's key: neighbours go into the same page of the tree.
    """
    agents, activities = ids.agents, ids.activities
    yield (
        sql.agent_links,
        sorted(
            (agents[key], direct, row_id)
            for row_id, one in parts.items()
            for key, (_, direct) in one.agents.items()
        ),
    )
    activity_links = sorted(
        (activities[key], direct, row_id)
        for row_id, one in parts.items()
        for key, (_, direct) in one.activities.items()
    )
    if activity_links:
        yield sql.activity_links, activity_links
    mentions = sorted((key, row_id) for row_id, one in parts.items() for key in one.mentions)
    if mentions:
        yield sql.mentions, mentions


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

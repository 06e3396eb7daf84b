"""Reading the store for its administrator: newest first, a page at a time, in both directions.

Unlike the standard's query (`xapi.lrs.query`) it shows what was voided where that is asked for,
and does not follow StatementRefs. The cursor is a row id: a page costs the same wherever it lies.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import JSON, Select, cast, func, select, true, type_coerce
from sqlalchemy.types import Text

from lms.db import db
from lms.errors import NotFound
from xapi.lrs.keys import digest
from xapi.lrs.models import (
    LrsActivity,
    LrsAgent,
    LrsStatement,
    LrsStatementActivity,
    LrsStatementAgent,
    LrsVerb,
)

PAGE = 50
VERBS_MOST = 300
ALIKE_MOST = 20
ALIKE_LOOKED_AT = 500
REFERRING_MOST = 20


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; None does not narrow.

    agent, verb, activity: keys (`xapi.lrs.parts`). since, until: stored at or after, and before.
    before: the page older than this row id. after: the page newer than it; 0 is the oldest page.
    """

    agent: str | None = None
    verb: str | None = None
    activity: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    voided: bool = False
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A statement as it is kept."""

    id: int
    statement_id: str
    stored: dt.datetime
    voided: bool
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page, newest first; `older` and `newer` are the cursors of its neighbours, if it has any."""

    rows: Sequence[Row]
    older: int | None
    newer: int | None


def find(sought: Sought) -> Found:
    """Return a page of statements."""
    asked = _narrowed(sought)
    if asked is None:
        return Found([], None, None)
    if sought.after is not None:
        page = _newer_than(asked, sought.after)
        if page is not None:
            return page
    query, place = asked
    if sought.before is not None and sought.after is None:
        query = query.where(place < sought.before)
    ids = list(db.session.scalars(query.order_by(place.desc()).limit(PAGE + 1)))
    more, ids = len(ids) > PAGE, ids[:PAGE]
    turned = sought.before is not None and sought.after is None
    return Found(_rows(ids), ids[-1] if more and ids else None, ids[0] if turned and ids else None)


def _newer_than(asked: tuple[Select[Any], Any], after: int) -> Found | None:
    """Return the page after a row; None where it would not be full, and the newest is the answer."""
    query, place = asked
    query = query.where(place > after).order_by(place.asc()).limit(PAGE + 1)
    ids = list(db.session.scalars(query))
    if len(ids) <= PAGE and after:
        return None
    more, ids = len(ids) > PAGE, ids[:PAGE]
    newest = ids[-1] if more else None
    return Found(_rows(ids[::-1]), ids[0] if after and ids else None, newest)


def _narrowed(sought: Sought) -> tuple[Select[Any], Any] | None:
    """Return the select of row ids and the column it walks, or None where nothing can fit.

    The statements of an agent, and of an activity, lie together and in order: they lead.
    """
    ids = []
    for model, key in (
        (LrsAgent, sought.agent), (LrsActivity, sought.activity), (LrsVerb, sought.verb),
    ):  # fmt: skip
        found = None if key is None else find_id(model, key)
        if key is not None and found is None:
            return None
        ids.append(found)
    agent, activity, verb = ids
    query: Select[Any]
    if agent is not None:
        query, place = _led_by(LrsStatementAgent, LrsStatementAgent.agent_id, agent)
        if activity is not None:
            link = LrsStatementActivity
            query = query.where(
                select(link.statement)
                .where(link.activity_id == activity, link.direct == true())
                .where(link.statement == place)
                .exists()
            )
    elif activity is not None:
        query, place = _led_by(LrsStatementActivity, LrsStatementActivity.activity_id, activity)
    else:
        query, place = select(LrsStatement.id), LrsStatement.id
    if verb is not None:
        query = query.where(LrsStatement.verb_id == verb)
    if not sought.voided:
        query = query.where(LrsStatement.voided.is_(False))
    if sought.since is not None:
        query = query.where(place > find_last_before(sought.since))
    if sought.until is not None:
        query = query.where(place <= find_last_before(sought.until))
    return query, place


def _led_by(link: Any, column: Any, row_id: int) -> tuple[Select[Any], Any]:
    query = (
        select(link.statement)
        .join(LrsStatement, LrsStatement.id == link.statement)
        .where(column == row_id, link.direct == true())
    )
    return query, link.statement


def find_id(model: Any, key: str) -> int | None:
    """Return the row id of an agent, activity or verb, by its key."""
    found: int | None = db.session.scalar(select(model.id).where(model.key == key))
    return found


def find_last_before(moment: dt.datetime) -> int:
    """Return the highest row id stored before a moment (ids and `stored` share one order)."""
    found = db.session.scalar(
        select(LrsStatement.id)
        .where(LrsStatement.stored < moment)
        .order_by(LrsStatement.stored.desc(), LrsStatement.id.desc())
        .limit(1)
    )
    return found or 0


_COLUMNS = (
    LrsStatement.id,
    LrsStatement.statement_id,
    LrsStatement.stored,
    LrsStatement.voided,
    LrsStatement.text,
)


def _rows(ids: Sequence[int]) -> list[Row]:
    found = db.session.execute(select(*_COLUMNS).where(LrsStatement.id.in_(ids)))
    rows = {row.id: Row(*row) for row in found}
    return [rows[one] for one in ids if one in rows]


def find_row(statement_id: str) -> Row | None:
    """Return one statement, voided or not, or None."""
    found = select(*_COLUMNS).where(LrsStatement.statement_id == statement_id.lower())
    row = db.session.execute(found).first()
    return None if row is None else Row(*row)


def find_texts(statement_ids: Sequence[str]) -> dict[str, str]:
    """Return the texts of those of these statements that are stored, by id."""
    if not statement_ids:
        return {}
    rows = db.session.execute(
        select(LrsStatement.statement_id, LrsStatement.text).where(
            LrsStatement.statement_id.in_(sorted(set(statement_ids)))
        )
    )
    return {row.statement_id: row.text for row in rows}


def find_referring(statement_id: str) -> Sequence[Row]:
    """Return the statements about this one, the voiding one among them, oldest first."""
    rows = db.session.execute(
        select(*_COLUMNS)
        .where(LrsStatement.refers_to == statement_id.lower())
        .order_by(LrsStatement.id)
        .limit(REFERRING_MOST)
    )
    return [Row(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Term:
    """A verb or activity: its key, its IRI, and what statements said of it."""

    key: str
    iri: str
    said: dict[str, Any]


def list_verbs(chosen: str | None = None) -> list[Term]:
    """Return the verbs that statements have used, 300 at most; the chosen one is always there."""
    rows = db.session.execute(
        select(LrsVerb.key, LrsVerb.iri, LrsVerb.display).order_by(LrsVerb.id).limit(VERBS_MOST)
    )
    found = [Term(*row) for row in rows]
    if chosen is not None and chosen not in {one.key for one in found}:
        asked = select(LrsVerb.key, LrsVerb.iri, LrsVerb.display).where(LrsVerb.key == chosen)
        found += [Term(*row) for row in db.session.execute(asked)]
    return found


def get_activity(key: str) -> Term:
    """Return an activity by its key; raises NotFound."""
    row = db.session.execute(
        select(LrsActivity.key, LrsActivity.iri, LrsActivity.definition).where(
            LrsActivity.key == key
        )
    ).first()
    if row is None:
        raise NotFound("No statement has named such an activity.")
    return Term(*row)


def get_agent(key: str) -> dict[str, Any]:
    """Return an agent by its key, with the name that was last given; raises NotFound."""
    row = db.session.execute(
        select(LrsAgent.identifier, LrsAgent.name).where(LrsAgent.key == key)
    ).first()
    if row is None:
        raise NotFound("No statement has named such an agent.")
    return {**row.identifier, "name": row.name}


def list_activities_like(words: str) -> list[Term]:
    """Return activities whose IRI is this, or whose IRI or name has it somewhere, 20 at most."""
    asked = select(LrsActivity.key, LrsActivity.iri, LrsActivity.definition)
    rows = db.session.execute(asked.where(LrsActivity.key == digest(words))).all()
    if not rows:
        rows = db.session.execute(
            asked.where(
                _names_text().icontains(words, autoescape=True)
                | LrsActivity.iri.icontains(words, autoescape=True)
            )
            .order_by(LrsActivity.id)
            .limit(ALIKE_MOST + 1)
        ).all()
    return [Term(*row) for row in rows]


def _names_text() -> Any:
    """Return the names in an activity's definition as one text; its type is not searched."""
    if db.engine.dialect.name == "postgresql":
        return cast(type_coerce(LrsActivity.definition, Text), JSON)["name"].as_string()
    return func.json_extract(LrsActivity.definition, "$.name", type_=Text)


def list_agents_like(words: str, home: str) -> list[tuple[str, dict[str, Any]]]:
    """Return key and agent of those of no account at `home` whose name or identifier has this."""
    identifier = type_coerce(LrsAgent.identifier, Text)
    rows = db.session.execute(
        select(LrsAgent.key, LrsAgent.identifier, LrsAgent.name)
        .where(
            identifier.icontains(words, autoescape=True)
            | LrsAgent.name.icontains(words, autoescape=True),
            ~identifier.contains(f'"homePage":"{home}"', autoescape=True),
        )
        .order_by(func.lower(LrsAgent.name), LrsAgent.id)
        .limit(ALIKE_LOOKED_AT)
    )
    agents = [(row.key, {**row.identifier, "name": row.name}) for row in rows]
    low = words.lower()
    found = (one for one in agents if any(low in str(text).lower() for text in _texts_of(one[1])))
    return list(islice(found, ALIKE_MOST + 1))


def _texts_of(agent: Any) -> Iterator[Any]:
    """Yield what an agent is called and known by; not what JSON calls these."""
    for value in agent.values():
        if isinstance(value, dict):
            yield from _texts_of(value)
        elif value is not None:
            yield value

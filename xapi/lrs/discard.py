"""Taking statements out of the store again: with all that was noted of them, and nothing else.

The standard knows no removing, only voiding; law and the company's own rules do (docs/privacy.md).
Whoever calls holds the writers' lock (`xapi.lrs.store.lock_writers`), so that nobody stores
meanwhile, and takes a hundred statements or so at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Text, delete, exists, select, type_coerce, update

from lms.db import db
from xapi.lrs import attached, references, sql, terms
from xapi.lrs.models import (
    LrsActivity,
    LrsAgent,
    LrsDocument,
    LrsPlace,
    LrsStatement,
    LrsStatementActivity,
    LrsStatementAgent,
)
from xapi.lrs.parts import Parts, parts_of
from xapi.lrs.store import last_place, links_of

EXTENDED_ROWS = 500
# Both truths are named, so that the whole key is: the tables are found by nothing else.
_UNLINK_AGENT = (
    "DELETE FROM xapi_statement_agent "
    "WHERE agent_id = {one} AND direct IN (true, false) AND statement = {one}"
)
_UNLINK_ACTIVITY = (
    "DELETE FROM xapi_statement_activity "
    "WHERE activity_id = {one} AND direct IN (true, false) AND statement = {one}"
)
_UNLINK_MENTION = "DELETE FROM xapi_mention WHERE person = {one} AND statement = {one}"


def discard(row_ids: Sequence[int]) -> int:
    """Remove statements, by row id, and what only they named; return how many there were.

    Agents, activities and attachments that no other statement and no document names go too.
    """
    texts = read_texts(row_ids)
    if not texts:
        return 0
    here = sql.Here()
    keep_place(here)
    parts = {row_id: parts_of(orjson.loads(text)) for row_id, text in texts.items()}
    agents, activities = _unlink(here, parts)
    references.unlink(list(texts))
    attached.forget(list(texts))
    db.session.execute(delete(LrsStatement).where(LrsStatement.id.in_(texts)))
    forget_unnamed(agents, activities)
    return len(texts)


def rewrite(changed: Mapping[int, Mapping[str, Any]]) -> None:
    """Put other statements in the place of stored ones: the same but for whom they name.

    changed: by row id, arranged as stored. Ids, verbs and attachments stay as they are.
    """
    before = read_texts(list(changed))
    here = sql.Here()
    agents, activities = _unlink(
        here, {row_id: parts_of(orjson.loads(text)) for row_id, text in before.items()}
    )
    after = {row_id: parts_of(dict(changed[row_id])) for row_id in before}
    ids = terms.ids_of(here, list(after.values()), last_place(here).generation)
    for table, links in links_of(after, ids):
        here.insert(table, links)
    for row_id in before:
        db.session.execute(
            update(LrsStatement)
            .where(LrsStatement.id == row_id)
            .values(text=orjson.dumps(changed[row_id]).decode())
        )
    forget_unnamed(agents, activities)


def read_texts(row_ids: Sequence[int]) -> dict[int, str]:
    """Return the statements that are there of these, as JSON, by row id."""
    rows = db.session.execute(
        select(LrsStatement.id, LrsStatement.text).where(LrsStatement.id.in_(row_ids))
    )
    return {row.id: row.text for row in rows}


def unlink_people(agent_ids: Iterable[int], persons: Iterable[str], row_ids: Iterable[int]) -> None:
    """Remove what says that these statements name these agents, and persons (by their keys)."""
    row_ids = list(row_ids)
    here = sql.Here()
    here.execute_many(_UNLINK_AGENT, [(agent, row_id) for agent in agent_ids for row_id in row_ids])
    here.execute_many(
        _UNLINK_MENTION, [(person, row_id) for person in persons for row_id in row_ids]
    )


def list_extended() -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield row id and definition of the activities whose definitions have extensions."""
    definition = type_coerce(LrsActivity.definition, Text)
    last = 0
    while True:
        rows = db.session.execute(
            select(LrsActivity.id, LrsActivity.definition)
            .where(LrsActivity.id > last, definition.contains('"extensions"'))
            .order_by(LrsActivity.id)
            .limit(EXTENDED_ROWS)
        ).all()
        if not rows:
            return
        yield from ((row.id, row.definition) for row in rows)
        last = rows[-1].id


def redefine(row_id: int, definition: dict[str, Any]) -> None:
    """Put another definition in the place of an activity's."""
    db.session.execute(
        update(LrsActivity).where(LrsActivity.id == row_id).values(definition=definition)
    )


def keep_place(here: sql.Here | None = None) -> None:
    """Note how far ids have got, so that none of a statement that goes is given again."""
    place = last_place(here)
    db.session.execute(update(LrsPlace).values(last_id=place.id, last_stored=place.stored))


def forget_unnamed(agent_ids: Iterable[int], activity_ids: Iterable[int] = ()) -> None:
    """Remove those of these agents and activities that nothing names any more."""
    agents = delete(LrsAgent).where(
        LrsAgent.id.in_(list(agent_ids)),
        ~exists().where(LrsStatementAgent.agent_id == LrsAgent.id),
        ~exists().where(LrsDocument.agent == LrsAgent.key),
    )
    activities = delete(LrsActivity).where(
        LrsActivity.id.in_(list(activity_ids)),
        ~exists().where(LrsStatementActivity.activity_id == LrsActivity.id),
        ~exists().where(LrsDocument.activity == LrsActivity.key),
    )
    gone = [db.session.execute(one).rowcount for one in (agents, activities)]  # type: ignore[attr-defined]
    if any(gone):
        db.session.execute(update(LrsPlace).values(generation=LrsPlace.generation + 1))


def _unlink(here: sql.Here, parts: Mapping[int, Parts]) -> tuple[list[int], list[int]]:
    """Remove the links of statements; return the ids of the agents and activities they named."""
    agents = _find(LrsAgent, {key for one in parts.values() for key in one.agents})
    activities = _find(LrsActivity, {key for one in parts.values() for key in one.activities})
    of_agents = [
        (agents[key], row_id)
        for row_id, one in parts.items()
        for key in one.agents
        if key in agents
    ]
    of_activities = [
        (activities[key], row_id)
        for row_id, one in parts.items()
        for key in one.activities
        if key in activities
    ]
    here.execute_many(_UNLINK_AGENT, sorted(of_agents))
    mentions = sorted((key, row_id) for row_id, one in parts.items() for key in one.mentions)
    if mentions:
        here.execute_many(_UNLINK_MENTION, mentions)
    if of_activities:
        here.execute_many(_UNLINK_ACTIVITY, sorted(of_activities))
    return sorted(agents.values()), sorted(activities.values())


def _find(model: type[LrsAgent] | type[LrsActivity], keys: set[str]) -> dict[str, int]:
    rows = db.session.execute(select(model.key, model.id).where(model.key.in_(sorted(keys))))
    return {row.key: row.id for row in rows}

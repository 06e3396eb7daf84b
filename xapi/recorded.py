"""What was recorded, newest first, a page at a time: for the administrator's list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import select

from lms.db import db
from lms.errors import NotFound
from xapi.outbox.models import OutboxStatement, Parked, Pending
from xapi.sentences import Sentence, read_sentence

PAGE = 50


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded statement; `waiting` and `refused` name the targets that do not hold it."""

    outbox_id: int
    statement_id: str
    person_id: int
    recorded_at: dt.datetime
    sentence: Sentence
    waiting: tuple[str, ...]
    refused: tuple[str, ...]


def page(before: int | None = None) -> tuple[Sequence[Recorded], int | None]:
    """Return a page of statements and the cursor of the next, if there is one."""
    asked = select(OutboxStatement).order_by(OutboxStatement.id.desc()).limit(PAGE + 1)
    if before is not None:
        asked = asked.where(OutboxStatement.id < before)
    rows = db.session.scalars(asked).all()
    shown = rows[:PAGE]
    ids = [row.id for row in shown]
    waiting, refused = _targets(Pending, ids), _targets(Parked, ids)
    found = [
        Recorded(
            row.id,
            row.statement_id,
            row.person_id,
            row.recorded_at,
            read_sentence(orjson.loads(row.text)),
            waiting.get(row.id, ()),
            refused.get(row.id, ()),
        )
        for row in shown
    ]
    return found, ids[-1] if len(rows) > PAGE else None


def get_text(statement_id: str) -> str:
    """Return a recorded statement, as JSON to be read; raises NotFound."""
    found = db.session.scalar(
        select(OutboxStatement.text).where(OutboxStatement.statement_id == statement_id)
    )
    if found is None:
        raise NotFound("No such statement was recorded here.")
    return orjson.dumps(orjson.loads(found), option=orjson.OPT_INDENT_2).decode()


def _targets(model: type[Pending] | type[Parked], ids: list[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for row in db.session.execute(
        select(model.outbox_id, model.target).where(model.outbox_id.in_(ids)).order_by(model.target)
    ):
        found[row.outbox_id] = (*found.get(row.outbox_id, ()), row.target)
    return found

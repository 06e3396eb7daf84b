"""What was recorded here, newest first, a page at a time: where no store is kept to be read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from lms.db import db
from xapi.lrs.browse import PAGE, Found, Row
from xapi.outbox.models import OutboxStatement, Parked, Pending

_COLUMNS = (
    OutboxStatement.id,
    OutboxStatement.statement_id,
    OutboxStatement.recorded_at,
    OutboxStatement.text,
)


def find(
    person_id: int | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    before: int | None = None,
    after: int | None = None,
) -> Found:
    """Return a page; the cursors are those of `xapi.lrs.browse`."""
    asked = select(*_COLUMNS)
    if person_id is not None:
        asked = asked.where(OutboxStatement.person_id == person_id)
    if since is not None:
        asked = asked.where(OutboxStatement.recorded_at >= since)
    if until is not None:
        asked = asked.where(OutboxStatement.recorded_at < until)
    if after is not None:
        newer = asked.where(OutboxStatement.id > after).order_by(OutboxStatement.id)
        rows = [_row(one) for one in db.session.execute(newer.limit(PAGE + 1))]
        if len(rows) > PAGE or not after:
            shown = rows[:PAGE]
            newest = shown[-1].id if len(rows) > PAGE else None
            return Found(shown[::-1], shown[0].id if after and shown else None, newest)
        before = None
    if before is not None:
        asked = asked.where(OutboxStatement.id < before)
    older = asked.order_by(OutboxStatement.id.desc()).limit(PAGE + 1)
    rows = [_row(one) for one in db.session.execute(older)]
    shown = rows[:PAGE]
    return Found(
        shown,
        shown[-1].id if len(rows) > PAGE else None,
        shown[0].id if before is not None and shown else None,
    )


def find_row(statement_id: str) -> Row | None:
    """Return one statement as it was recorded, or None."""
    asked = select(*_COLUMNS).where(OutboxStatement.statement_id == statement_id.lower())
    row = db.session.execute(asked).first()
    return None if row is None else _row(row)


def find_recorded(statement_ids: Sequence[str]) -> set[str]:
    """Return which of these statements are in the outbox, by id."""
    asked = select(OutboxStatement.statement_id).where(
        OutboxStatement.statement_id.in_(statement_ids)
    )
    return set(db.session.scalars(asked))


def delivery_of(statement_id: str) -> tuple[bool, list[str], list[tuple[str, str]]]:
    """Return whether it was recorded here, the targets it waits for, and who refused it, and why."""
    outbox_id = db.session.scalar(
        select(OutboxStatement.id).where(OutboxStatement.statement_id == statement_id.lower())
    )
    if outbox_id is None:
        return False, [], []
    waits = select(Pending.target).where(Pending.outbox_id == outbox_id).order_by(Pending.target)
    refused = (
        select(Parked.target, Parked.words)
        .where(Parked.outbox_id == outbox_id)
        .order_by(Parked.target)
    )
    return (
        True,
        list(db.session.scalars(waits)),
        [(row.target, row.words) for row in db.session.execute(refused)],
    )


def _row(row: Any) -> Row:
    return Row(row.id, row.statement_id, row.recorded_at, False, row.text)

"""The only door into xapi: what has happened is recorded here, and delivered from here.

A statement is written to the outbox in the caller's transaction: it exists exactly when what it
tells exists. Ids are assigned here, before the first try to deliver, so that no retry can double
one (xAPI 1.0.3, Data 2.4.1). A job delivers the outbox to every target.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert
from tincan import Statement

from lms import clock
from lms.db import db
from lms.jobs.queue import wake
from xapi import build
from xapi.outbox.models import OutboxStatement, Pending
from xapi.targets import DELIVER, names
from xapi.text import to_text

# Past the unit of work, which takes longer for a row than the database does.
_outbox: Any = OutboxStatement.__table__
_pending: Any = Pending.__table__
_insert_statement = insert(_outbox).returning(_outbox.c.id)
_insert_pending = insert(_pending)


def record(person_id: int, statement: Statement) -> str:
    """Record one statement about a person, in the present transaction; return its id (a UUID).

    `statement` comes from `xapi.build`. Without a timestamp it gets the present moment.
    """
    if statement.id is None:
        statement.id = uuid.uuid4()
    moment = clock.now()
    if statement.timestamp is None:
        statement.timestamp = moment
    statement_id = str(statement.id)
    connection = db.session.connection()
    outbox_id = connection.execute(
        _insert_statement,
        {
            "statement_id": statement_id,
            "person_id": person_id,
            "recorded_at": moment,
            "text": to_text(statement),
        },
    ).scalar_one()
    waiting = [{"target": target, "outbox_id": outbox_id} for target in names()]
    if waiting:
        connection.execute(_insert_pending, waiting)
        wake(DELIVER)
    return statement_id


def record_many(rows: Sequence[tuple[int, dict[str, Any]]]) -> list[str]:
    """Record many statements made from templates (plain dicts, not tincan objects), in order.

    For jobs that turn thousands of acts into statements; each row is (person_id, statement).
    The dicts get their id and, where they have none, the present moment as timestamp.
    """
    if not rows:
        return []
    moment = clock.now()
    timestamp = moment.isoformat().replace("+00:00", "Z")
    values = []
    for person_id, statement in rows:
        if "id" not in statement:
            statement["id"] = str(uuid.uuid4())
        statement.setdefault("timestamp", timestamp)
        values.append(
            {
                "statement_id": str(statement["id"]),
                "person_id": person_id,
                "recorded_at": moment,
                "text": to_text(statement),
            }
        )
    connection = db.session.connection()
    outbox_ids = connection.execute(_insert_statement, values).scalars().all()
    to = names()  # asked for once the outbox is written to: see `xapi.delivery.backfill`
    waiting = [
        {"target": target, "outbox_id": outbox_id} for target in to for outbox_id in outbox_ids
    ]
    if waiting:
        connection.execute(_insert_pending, waiting)
        wake(DELIVER)
    return [str(statement["id"]) for _, statement in rows]


def void_many(rows: Sequence[tuple[int, str]]) -> list[str]:
    """Record that statements are void, since what they told was taken back; return the new ids.

    rows: (person_id, id of a statement recorded before). The installation itself says so, as no
    person did it (xAPI 1.0.3, Data 2.3.2; 2.0, 4.2.3). Whoever asks a record store from now on is
    not given them, unless by `voidedStatementId`.
    """
    return record_many(
        [(person_id, build.voiding(statement_id)) for person_id, statement_id in rows]
    )

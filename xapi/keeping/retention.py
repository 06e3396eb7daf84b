"""Retention: statements, and the copies for sending, kept for so many months and no longer.

Nothing goes that a record store still waits for or has refused, nor what is just being sent anew.
Once a day, or when the rules change, a job removes what is too old, a hundred statements a
transaction.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, union

from lms import audit, clock
from lms.db import db, transaction
from lms.jobs.queue import wake
from lms.people import erasing
from lms.plugin import enabled
from xapi.delivery.embedded import AUTHORITY
from xapi.delivery.lock import only_one
from xapi.keeping.models import Retention, RetentionRun
from xapi.lrs.credentials import authority_of
from xapi.lrs.discard import discard
from xapi.lrs.keys import digest, find_agent_key
from xapi.lrs.models import LrsAgent, LrsStatement, LrsStatementAgent, LrsVerb
from xapi.lrs.store import lock_writers
from xapi.outbox.models import Backfill, Forward, OutboxStatement, Parked, Pending, Store
from xapi.vocabulary import NETWORK_TYPES, NETWORK_VERBS, VOIDED

JOB = "xapi.retention"
EVERY = dt.timedelta(hours=23)
BATCH_MOST = 100
SHOWN = 12
MOST_MONTHS = 600


@dataclass(frozen=True, slots=True)
class Rules:
    """For how many months what is kept; None is for ever. See `Retention`."""

    statements: int | None = None
    network: int | None = None
    outbox: int | None = None

    @property
    def copies(self) -> int | None:
        """For how long copies are kept: never longer than the statements themselves."""
        return min((one for one in (self.statements, self.outbox) if one is not None), default=None)


def knows_network() -> bool:
    """Tell whether any plugin is on that could record the use of a network."""
    return len(enabled()) > 1


def rules() -> Rules:
    """Return the rules of now."""
    row = db.session.get_one(Retention, 1)
    return Rules(row.statements, row.network, row.outbox)


def change(new: Rules, by_id: int | None) -> None:
    """Keep by other rules from now on; the worker begins at once."""
    row = db.session.get_one(Retention, 1)
    row.statements, row.network, row.outbox = new.statements, new.network, new.outbox
    row.looked_at = None
    audit.note(
        "xapi.retention.changed",
        "retention",
        by_id,
        statements=new.statements,
        network=new.network,
        outbox=new.outbox,
    )
    wake(JOB)


def count_due(by: Rules) -> tuple[int, int]:
    """Return how many statements, and how many copies, these rules would remove now."""
    moment = clock.now()
    return _count(_statements(by, moment)), _count(_copies(by, moment))


def runs() -> Sequence[RetentionRun]:
    """Return the last days on which anything was removed, newest first."""
    return db.session.scalars(
        select(RetentionRun).order_by(RetentionRun.day.desc()).limit(SHOWN)
    ).all()


def work() -> None:
    """The job: remove what is too old, once a day."""
    with only_one("retention") as ours:
        if not ours:
            return
        with transaction():
            by, moment = rules(), clock.now()
            looked_at = db.session.get_one(Retention, 1).looked_at
        if looked_at is not None and abs(moment - looked_at) < EVERY:
            return
        removed = _sweep(lambda: _copies(by, moment), _drop_copies)
        removed += _sweep(lambda: _statements(by, moment), _drop_statements)
        with transaction():
            db.session.get_one(Retention, 1).looked_at = moment
            if removed:
                wake(erasing.JOB)  # empties SQLite's write-ahead log


def _sweep(selects: Callable[[], list[Select[Any]]], drop: Callable[[Sequence[int]], None]) -> int:
    """Drop what each select finds, in the order of ids; return how much it was."""
    removed = 0
    with transaction():
        number = len(selects())
    for place in range(number):
        after = 0
        while True:
            with transaction():
                lock_writers()
                found = selects()[place]
                column = found.selected_columns[0]
                asked = found.where(column > after).order_by(column).limit(BATCH_MOST)
                ids = list(db.session.scalars(asked))
                if not ids:
                    break
                drop(ids)
            after = ids[-1]
            removed += len(ids)
    return removed


def _drop_statements(ids: Sequence[int]) -> None:
    _today().statements += discard(ids)


def _drop_copies(ids: Sequence[int]) -> None:
    db.session.execute(delete(OutboxStatement).where(OutboxStatement.id.in_(ids)))
    _today().copies += len(ids)


def _today() -> RetentionRun:
    day = clock.now().astimezone(dt.UTC).date()
    found = db.session.get(RetentionRun, day)
    if found is None:
        found = RetentionRun(day=day, statements=0, copies=0)
        db.session.add(found)
    return found


def _count(selects: list[Select[Any]]) -> int:
    if not selects:
        return 0
    every = union(*selects).subquery() if len(selects) > 1 else selects[0].subquery()
    return db.session.scalar(select(func.count()).select_from(every)) or 0


def _statements(by: Rules, moment: dt.datetime) -> list[Select[Any]]:
    """Return selects of the row ids of statements that are too old; together they are all."""
    selects = []
    if by.statements is not None:
        selects.append(_stored_until(months_before(moment, by.statements)))
    if by.network is not None:
        old = _stored_until(months_before(moment, by.network)).where(_is_ours())
        selects += [old.where(*verb) for verb in _network()]
    return selects


def _stored_until(last: dt.datetime) -> Select[Any]:
    # The last row of that time, and not the time: ids are in the order of `stored`.
    row = select(LrsStatement.id).where(LrsStatement.stored <= last)
    row = row.order_by(LrsStatement.stored.desc(), LrsStatement.id.desc()).limit(1)
    looked_at = [
        LrsStatement.id <= position
        for position in db.session.scalars(
            select(Store.position).where(Store.everything.is_(True), Store.removed_at.is_(None))
        )
    ]
    waits = exists().where(Forward.statement == LrsStatement.id)
    return select(LrsStatement.id).where(
        LrsStatement.id <= row.scalar_subquery(), *looked_at, ~waits
    )


def _is_ours() -> ColumnElement[bool]:
    """Return the condition that Ropes itself recorded it."""
    key = find_agent_key(dict(authority_of(AUTHORITY)))
    agent = select(LrsAgent.id).where(LrsAgent.key == key).scalar_subquery()
    return exists().where(
        LrsStatementAgent.agent_id == agent,
        LrsStatementAgent.direct.is_(False),
        LrsStatementAgent.statement == LrsStatement.id,
    )


def _network() -> Iterator[list[ColumnElement[bool]]]:
    """Yield the conditions of each verb that tells of the network, and of taking such a word back."""
    keys = {digest(verb.iri): verb for verb in (*NETWORK_VERBS, VOIDED)}
    rows = db.session.execute(select(LrsVerb.id, LrsVerb.key).where(LrsVerb.key.in_(list(keys))))
    target = select(LrsStatement.statement_id).correlate(None).subquery()
    for row in rows.all():
        conditions = [LrsStatement.verb_id == row.id]
        if keys[row.key] is VOIDED:  # once what it voids is gone
            conditions.append(~exists().where(target.c.statement_id == LrsStatement.refers_to))
        else:  # questions of a lesson are answered too
            conditions.append(_tells_of_network(LrsStatement.text))
        yield conditions


def _tells_of_network(text: Any) -> ColumnElement[bool]:
    return or_(*(text.contains(f'"type":"{kind}"', autoescape=True) for kind in NETWORK_TYPES))


def _copies(by: Rules, moment: dt.datetime) -> list[Select[Any]]:
    """Return selects of the rows of the outbox that are too old; together they are all."""
    held = [
        ~exists().where(Pending.outbox_id == OutboxStatement.id),
        ~exists().where(Parked.outbox_id == OutboxStatement.id),
    ]
    held += [
        OutboxStatement.id <= cursor
        for cursor in db.session.scalars(select(Backfill.cursor).where(Backfill.ended_at.is_(None)))
    ]
    old = select(OutboxStatement.id).where(*held)
    selects = []
    if by.copies is not None:
        selects.append(old.where(OutboxStatement.recorded_at <= months_before(moment, by.copies)))
    if by.network is not None:
        text = OutboxStatement.text
        selects.append(
            old.where(
                OutboxStatement.recorded_at <= months_before(moment, by.network),
                or_(
                    _tells_of_network(text),
                    text.contains(f'"id":"{VOIDED.iri}"', autoescape=True),
                ),
            )
        )
    return selects


def months_before(moment: dt.datetime, months: int) -> dt.datetime:
    """Return the same day so many months earlier; where there is none, the last of that month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)

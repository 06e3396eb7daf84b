"""*Send everything since ...*: the past is queued for a target bit by bit, as it takes it.

A few hundred rows in a transaction, and only when the target has nearly caught up: a million
statements are never queued at once, and what is recorded meanwhile waits behind a few hundred at
most. Each learner's order is kept all the same: before a statement of somebody goes out whose past
has not had its turn, their past is queued ahead (`pull`). Everything goes by the order of the
outbox within what is queued. What other systems stored is sent again by `xapi.delivery.forward`.

Nothing falls between the past and what is recorded from now on: who records writes to the outbox
first and asks for the targets then, and `start` waits for those that have written and not yet
committed. So a recorder either commits before the past is measured, or knows of the target.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, exists, func, select, text
from sqlalchemy.sql.elements import ColumnElement

from lms import clock
from lms.db import db, transaction
from xapi.delivery import forward
from xapi.delivery.target import Waiting
from xapi.delivery.writing import reading, upsert
from xapi.outbox.models import Backfill, BackfillPerson, OutboxStatement, Pending

FED_ROWS = 500
ENOUGH_ROWS = 100  # that wait: as much as is sent at once


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: statements that went out (or were refused) of those that there are."""

    target: str
    since: dt.datetime | None
    done: int
    total: int
    stopped: bool
    over: bool
    started_at: dt.datetime

    @property
    def percent(self) -> int:
        """How much of it is done, rounded down: 100 means all."""
        return 100 if self.total == 0 else self.done * 100 // self.total


def start(target: str, since: dt.datetime | None) -> None:
    """Queue everything recorded since then (None: ever) for a target, which may hold some already.

    Asked while another is under way, it goes back to the earlier of both beginnings.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE xapi_outbox IN SHARE MODE"))
    before = db.session.get(Backfill, target)
    if before is not None and before.ended_at is None:
        since = None if since is None or before.since is None else min(since, before.since)
    first, last, total = db.session.execute(
        select(func.min(OutboxStatement.id), func.max(OutboxStatement.id), func.count()).where(
            *_since(since)
        )
    ).one()
    db.session.execute(delete(BackfillPerson).where(BackfillPerson.target == target))
    forward_last, resume, others = forward.rewind(target, since)
    if before is not None and before.ended_at is None:
        resume = max(resume, before.resume)
    total += others
    db.session.merge(
        Backfill(
            target=target,
            since=since,
            cursor=(first or 1) - 1,
            last_id=last or 0,
            forward_last=forward_last,
            resume=resume,
            total=total,
            queued=0,
            started_at=clock.now(),
            ended_at=None if total else clock.now(),
            stopped=False,
        )
    )
    db.session.flush()


def stop(target: str) -> bool:
    """Queue no more of the past; what is queued still goes. Return whether any was under way."""
    found = _running(target)
    if found is None:
        return False
    _end(found)
    found.stopped = True
    forward.go_on(target, found.resume)
    db.session.flush()
    return True


def progress() -> dict[str, Progress]:
    """Return how far each is, or how it ended, by target."""
    found = {}
    for one in db.session.scalars(select(Backfill)):
        waits = db.session.scalar(
            select(func.count()).where(
                Pending.target == one.target, Pending.outbox_id <= one.last_id
            )
        )
        waits = (waits or 0) + forward.count_waiting(one.target, one.forward_last)
        done = min(max(one.queued - waits, 0), one.total)
        over = one.ended_at is not None and (one.stopped or not waits)
        found[one.target] = Progress(
            one.target,
            one.since,
            one.total if over and not one.stopped else done,
            one.total,
            one.stopped,
            over,
            one.started_at,
        )
    return found


def is_running(target: str) -> bool:
    """Tell whether there is more of the past to be queued for a target."""
    return bool(
        db.session.scalar(
            select(exists().where(Backfill.target == target, Backfill.ended_at.is_(None)))
        )
    )


def feed(target: str) -> None:
    """Queue some more of the past, where a target has nearly caught up with what waits."""
    with reading():
        if not is_running(target) or _waits_enough(target):
            return
    with transaction() as session:
        found = _running(target)
        if found is None:
            return
        rows = session.execute(
            select(OutboxStatement.id, OutboxStatement.person_id)
            .where(
                OutboxStatement.id > found.cursor,
                OutboxStatement.id <= found.last_id,
                *_since(found.since),
            )
            .order_by(OutboxStatement.id)
            .limit(FED_ROWS)
            .with_for_update(read=True, key_share=True)
        ).all()
        ahead = _ahead(target, {row.person_id for row in rows})
        ids = [row.id for row in rows if row.id > ahead.get(row.person_id, 0)]
        _queue(found, ids)
        found.cursor = rows[-1].id if len(rows) == FED_ROWS else found.last_id
        if found.cursor >= found.last_id and forward.has_come_to(target, found.forward_last):
            _end(found)


def find_early(target: str, batch: Sequence[Waiting]) -> set[int]:
    """Return whose statements are in a batch before all of their past is queued."""
    people = {one.whose for one in batch if one.whose is not None}
    with reading():
        found = _running(target, changing=False)
        if found is None or not people or found.cursor >= found.last_id:
            return set()
        ahead = _ahead(target, people)
        return {
            one.whose
            for one in batch
            if one.whose is not None
            and one.row > found.cursor
            and ahead.get(one.whose, 0) < min(one.row, found.last_id)
        }


def pull(target: str, people: Iterable[int]) -> None:
    """Queue some of the past of these people ahead of its turn; call it until none is early."""
    with transaction() as session:
        found = _running(target)
        if found is None:
            return
        people = sorted(people)
        ahead = _ahead(target, people)
        room = FED_ROWS
        for person_id in people:
            ids = session.scalars(
                select(OutboxStatement.id)
                .where(
                    OutboxStatement.person_id == person_id,
                    OutboxStatement.id > max(found.cursor, ahead.get(person_id, 0)),
                    OutboxStatement.id <= found.last_id,
                    *_since(found.since),
                )
                .order_by(OutboxStatement.id)
                .limit(room)
                .with_for_update(read=True, key_share=True)
            ).all()
            _queue(found, ids)
            cursor = found.last_id if len(ids) < room else ids[-1]
            session.execute(
                upsert(BackfillPerson, ["target", "person_id"], ["cursor"]),
                {"target": target, "person_id": person_id, "cursor": cursor},
            )
            room -= len(ids)
            if room == 0:
                return


def _since(since: dt.datetime | None) -> list[ColumnElement[bool]]:
    return [] if since is None else [OutboxStatement.recorded_at >= since]


def _running(target: str, changing: bool = True) -> Backfill | None:
    asked = select(Backfill).where(Backfill.target == target, Backfill.ended_at.is_(None))
    # An administrator may stop it just as we go on with it.
    return db.session.scalar(asked.with_for_update() if changing else asked)


def _waits_enough(target: str) -> bool:
    waiting = select(Pending.outbox_id).where(Pending.target == target).limit(ENOUGH_ROWS)
    return len(db.session.scalars(waiting).all()) >= ENOUGH_ROWS


def _ahead(target: str, people: Iterable[int]) -> dict[int, int]:
    rows = db.session.execute(
        select(BackfillPerson.person_id, BackfillPerson.cursor).where(
            BackfillPerson.target == target, BackfillPerson.person_id.in_(sorted(people))
        )
    )
    return {row.person_id: row.cursor for row in rows}


def _queue(found: Backfill, ids: Sequence[int]) -> None:
    if ids:
        db.session.execute(
            upsert(Pending, ["target", "outbox_id"]),
            [{"target": found.target, "outbox_id": one} for one in ids],
        )
        found.queued += len(ids)


def _end(found: Backfill) -> None:
    found.ended_at = clock.now()
    db.session.execute(delete(BackfillPerson).where(BackfillPerson.target == found.target))

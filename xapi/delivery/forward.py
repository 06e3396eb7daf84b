"""Forwarding: what other systems stored in the built-in store goes on to targets that want it.

The store gives its row ids under a lock, so that they are in the order of commits: here a position
is safe. A hundred rows at a time it becomes rows that wait (`xapi_forward`), so that what a target
refuses is set aside as everywhere else. What Ropes records itself is not among it: that goes by the
outbox.

No circle can come of it. A statement that a store holds is recognised by its id, and a store that
recognises one has nothing new to forward; and what a target sent us with its own credential is not
sent back to it at all (`Store.but_not`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import delete, exists, func, select, update

from lms import clock
from lms.db import db, transaction
from xapi.delivery.embedded import AUTHORITY
from xapi.delivery.outcome import Outcome
from xapi.delivery.target import Waiting
from xapi.delivery.writing import reading, upsert
from xapi.lrs.attached import contents
from xapi.lrs.browse import find_last_before
from xapi.lrs.credentials import authority_of
from xapi.lrs.keys import find_agent_key
from xapi.lrs.models import LrsAgent, LrsStatement, LrsStatementAgent
from xapi.lrs.multipart import attachments_of
from xapi.lrs.store import last_place
from xapi.outbox.models import Backfill, Forward, Store

FED_ROWS = 100
BATCH_MOST = 50
BATCH_MOST_BYTES = 2_000_000  # more only where one statement alone has more
# What each record store gives a statement itself; and a 1.0 store takes no word of 2.0.
_GIVEN = ("authority", "stored", "version")


def is_waiting(target: str) -> bool:
    """Tell whether there is anything to forward to a target, or to look at."""
    if db.session.scalar(select(exists().where(*_waiting(target)))):
        return True
    store = _find(target)
    newest = db.session.scalar(select(func.max(LrsStatement.id))) if store else 0
    return store is not None and (newest or 0) > store.position


def feed(target: str) -> None:
    """Look at the next rows of the store, and note which of them wait for a target."""
    with reading():
        store = _find(target)
        if store is None or db.session.scalar(select(exists().where(*_waiting(target)))):
            return
        rows = db.session.execute(
            select(LrsStatement.id, LrsStatement.text)
            .where(LrsStatement.id > store.position)
            .order_by(LrsStatement.id)
            .limit(FED_ROWS)
        ).all()
        left_out = [authority_of(uid) for uid in (AUTHORITY, store.but_not) if uid]
        position = store.position
    if not rows:
        return
    wanted = [row.id for row in rows if orjson.loads(row.text)["authority"] not in left_out]
    with transaction() as session:
        # Unless an administrator has just sent it back to an earlier place.
        moved = session.execute(
            update(Store)
            .where(Store.name == target, Store.position == position)
            .values(position=rows[-1].id)
        )
        if not wanted or not moved.rowcount:  # type: ignore[attr-defined]
            return
        session.execute(
            upsert(Forward, ["target", "statement"]),
            [{"target": target, "statement": one} for one in wanted],
        )
        past = select(Backfill).where(Backfill.target == target, Backfill.ended_at.is_(None))
        running = session.scalar(past)
        if running is not None:
            running.queued += sum(1 for one in wanted if one <= running.forward_last)


def rewind(target: str, since: dt.datetime | None) -> tuple[int, int, int]:
    """Have a target get what was stored since then (None: ever) once more.

    Returns the last row of it, the place it had come to before, and how many statements it is about;
    zeros where it does not get what other systems store.
    """
    store = _find(target)
    if store is None:
        return 0, 0, 0
    last, resume = last_place().id, store.position
    first = find_last_before(since) if since is not None else 0
    store.position = min(first, resume)
    return last, resume, _count_others(store, since, first)


def go_on(target: str, resume: int) -> None:
    """Leave the past: go on from the place that a target had come to before."""
    store = _find(target)
    if store is not None:
        store.position = max(store.position, resume)


def has_come_to(target: str, row: int) -> bool:
    """Tell whether all rows up to this one were looked at for a target, or it gets none of them."""
    store = _find(target)
    if store is None or store.position >= row:
        return True
    left = select(LrsStatement.id).where(LrsStatement.id > store.position, LrsStatement.id <= row)
    return db.session.scalar(left.limit(1)) is None


def _count_others(store: Store, since: dt.datetime | None, first: int) -> int:
    """Return how many statements other systems stored since then, that is after the row `first`."""
    # By the moment: its index is a twentieth of the rows.
    asked = select(func.count()).select_from(LrsStatement)
    every = db.session.scalar(asked if since is None else asked.where(LrsStatement.stored >= since))
    link = LrsStatementAgent
    keys = [find_agent_key(dict(authority_of(uid))) for uid in (AUTHORITY, store.but_not) if uid]
    left_out = db.session.scalar(
        select(func.count(link.statement.distinct()))
        .join(LrsAgent, LrsAgent.id == link.agent_id)
        .where(LrsAgent.key.in_(keys), link.statement > first)
    )
    return (every or 0) - (left_out or 0)


def take(target: str) -> list[Waiting]:
    """Return the next statements to forward, oldest first, with what is attached to them."""
    with reading():
        rows = db.session.execute(
            select(LrsStatement.id, LrsStatement.statement_id, LrsStatement.text, Forward.doubts)
            .join(Forward, Forward.statement == LrsStatement.id)
            .where(*_waiting(target))
            .order_by(Forward.statement)
            .limit(BATCH_MOST)
        ).all()
        batch: list[Waiting] = []
        size = 0
        for row in rows:
            statement = orjson.loads(row.text)
            attached = _attached(row.id, statement)
            for name in _GIVEN:
                statement.pop(name, None)
            text = orjson.dumps(statement).decode()
            size += len(text) + sum(len(data) for _sha2, _kind, data in attached)
            if batch and size > BATCH_MOST_BYTES:
                break
            batch.append(
                Waiting(
                    row.id,
                    row.statement_id,
                    text,
                    row.doubts,
                    forwarded=True,
                    attached=attached,
                )
            )
    return batch


def remove(target: str, rows: Sequence[int]) -> None:
    """Note that a target has these rows of the store."""
    if rows:
        db.session.execute(
            delete(Forward).where(Forward.target == target, Forward.statement.in_(rows))
        )


def doubt(target: str, row: int) -> None:
    """Note that this one alone was turned away for a reason that may pass."""
    _change(target, row, doubts=Forward.doubts + 1)


def park(target: str, row: int, outcome: Outcome) -> None:
    """Set this one aside, with the words of the refusal."""
    _change(target, row, parked_at=clock.now(), status=outcome.status, words=outcome.words)


def send_again(target: str, row: int | None = None) -> int:
    """Have what was set aside (all, or this one) wait once more; return how many."""
    chosen = [Forward.target == target, Forward.parked_at.is_not(None)]
    if row is not None:
        chosen.append(Forward.statement == row)
    done = db.session.execute(update(Forward).where(*chosen).values(parked_at=None, doubts=0))
    count: int = done.rowcount  # type: ignore[attr-defined]
    return count


def counts() -> dict[str, tuple[int, int]]:
    """Return how many wait to be forwarded, and how many were refused, by target."""
    rows = db.session.execute(
        select(
            Forward.target,
            func.count().label("every"),
            func.count(Forward.parked_at).label("aside"),
        ).group_by(Forward.target)
    )
    return {row.target: (row.every - row.aside, row.aside) for row in rows}


def count_waiting(target: str, last: int) -> int:
    """Return how many of the rows up to this one wait for a target."""
    waiting = select(func.count()).where(*_waiting(target), Forward.statement <= last)
    return db.session.scalar(waiting) or 0


def _waiting(target: str) -> list[Any]:
    return [Forward.target == target, Forward.parked_at.is_(None)]


def _find(target: str) -> Store | None:
    return db.session.scalar(
        select(Store).where(
            Store.name == target, Store.everything.is_(True), Store.removed_at.is_(None)
        )
    )


def _change(target: str, row: int, **values: Any) -> None:
    db.session.execute(
        update(Forward).where(Forward.target == target, Forward.statement == row).values(**values)
    )


def _attached(row_id: int, statement: Mapping[str, Any]) -> tuple[tuple[str, str, bytes], ...]:
    named = {one["sha2"].lower(): one["contentType"] for one in attachments_of(statement)}
    if not named:
        return ()
    kept = contents([row_id])
    return tuple((sha2, named[sha2], content) for sha2, (_, content) in kept.items())

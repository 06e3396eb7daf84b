"""The rows of delivery: what waits, what was delivered, what is parked. Short transactions all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, exists, insert, select, update

from lms import clock
from lms.db import db, transaction
from xapi.delivery import backfill, forward
from xapi.delivery.outcome import Outcome
from xapi.delivery.target import Waiting
from xapi.delivery.writing import reading, upsert
from xapi.outbox.models import OutboxStatement, Parked, Pending, TargetState

BATCH_MOST = 100
BATCH_MOST_CHARS = 1_000_000


def take(target: str) -> list[Waiting]:
    """Return the next statements for a target, oldest first: 100, or a megabyte, at most."""
    with reading():
        rows = db.session.execute(
            select(
                OutboxStatement.id,
                OutboxStatement.statement_id,
                OutboxStatement.text,
                OutboxStatement.person_id,
                Pending.doubts,
            )
            .join(Pending, Pending.outbox_id == OutboxStatement.id)
            .where(Pending.target == target)
            .order_by(Pending.outbox_id)
            .limit(BATCH_MOST)
        ).all()
    batch: list[Waiting] = []
    chars = 0
    for row in rows:
        chars += len(row.text)
        if batch and chars > BATCH_MOST_CHARS:
            break
        batch.append(Waiting(row.id, row.statement_id, row.text, row.doubts, row.person_id))
    return batch


def is_due(target: str) -> bool:
    """Tell whether there is anything to do for a target that need not be left in peace for now."""
    with reading():
        state = db.session.execute(
            select(TargetState.next_try_at, TargetState.last_failure_at).where(
                TargetState.target == target
            )
        ).one_or_none()
        if state is not None and _is_left_in_peace(state.next_try_at, state.last_failure_at):
            return False
        return (
            bool(db.session.scalar(select(exists().where(Pending.target == target))))
            or backfill.is_running(target)
            or forward.is_waiting(target)
        )


def _is_left_in_peace(next_try_at: dt.datetime | None, failed_at: dt.datetime | None) -> bool:
    moment = clock.now()
    # Where the failure is yet to come, the clock was set back since, and the next try is that much
    # too far off: perhaps years.
    set_back = failed_at is not None and failed_at > moment
    return next_try_at is not None and next_try_at > moment and not set_back


def delivered(target: str, address: str, batch: Sequence[Waiting]) -> None:
    """Note that a target has acknowledged these."""
    with transaction():
        _remove(target, batch)
        moment = clock.now()
        _state(
            target,
            {"address": address, "last_success_at": moment, "failures": 0, "next_try_at": None},
            count=len(batch),
        )


def doubt(target: str, one: Waiting) -> None:
    """Note that a statement alone was turned away for a reason that may pass."""
    with transaction() as session:
        if one.forwarded:
            forward.doubt(target, one.row)
            return
        session.execute(
            update(Pending)
            .where(Pending.target == target, Pending.outbox_id.in_(_rows([one])))
            .values(doubts=Pending.doubts + 1)
        )


def park(target: str, one: Waiting, outcome: Outcome) -> None:
    """Set a refused statement aside, with the words of the refusal."""
    with transaction() as session:
        if one.forwarded:
            forward.park(target, one.row, outcome)
            return
        # Held until the end, so that nobody removes what is about to be set aside.
        row = session.scalar(_rows([one]).with_for_update(read=True, key_share=True))
        if row is None:
            return
        _remove(target, [one])
        session.execute(
            upsert(Parked, ["target", "outbox_id"], ["parked_at", "status", "words"]),
            {
                "target": target,
                "outbox_id": row,
                "parked_at": clock.now(),
                "status": outcome.status,
                "words": outcome.words,
            },
        )


def failed(target: str, address: str, outcome: Outcome, next_try_at: dt.datetime) -> None:
    """Note that a target could not be served, and when it is tried again."""
    failures = failures_of(target) + 1
    with transaction():
        _state(
            target,
            {
                "address": address,
                "last_failure_at": clock.now(),
                "failures": failures,
                "words": outcome.words or f"HTTP {outcome.status}",
                "next_try_at": next_try_at,
            },
        )


def failures_of(target: str) -> int:
    """Return how often in a row a target has failed."""
    with reading():
        found = db.session.scalar(select(TargetState.failures).where(TargetState.target == target))
    return found or 0


def send_again(
    target: str, outbox_ids: Sequence[int] | None = None, forwarded: int | None = None
) -> int:
    """Queue what is parked for a target once more; return how many.

    All, or these rows of the outbox, or what other systems stored in this row of the built-in store.
    """
    if forwarded is not None:
        try_now(target)
        return forward.send_again(target, forwarded)
    chosen = select(Parked.target, Parked.outbox_id).where(Parked.target == target)
    if outbox_ids is not None:
        chosen = chosen.where(Parked.outbox_id.in_(outbox_ids))
    rows = [row._asdict() for row in db.session.execute(chosen)]
    if rows:
        db.session.execute(upsert(Pending, ["target", "outbox_id"]), rows)
        ids = [row["outbox_id"] for row in rows]
        db.session.execute(delete(Parked).where(Parked.target == target, Parked.outbox_id.in_(ids)))
    count = len(rows) + (forward.send_again(target) if outbox_ids is None else 0)
    try_now(target)
    return count


def try_now(target: str) -> None:
    """Forget that a target is to be left in peace."""
    db.session.execute(
        update(TargetState).where(TargetState.target == target).values(next_try_at=None)
    )


def _remove(target: str, batch: Sequence[Waiting]) -> None:
    recorded = [one for one in batch if not one.forwarded]
    if recorded:
        db.session.execute(
            delete(Pending).where(Pending.target == target, Pending.outbox_id.in_(_rows(recorded)))
        )
    forward.remove(target, [one.row for one in batch if one.forwarded])


def _rows(batch: Sequence[Waiting]) -> Select[tuple[int]]:
    """Return their rows in the outbox, by what never changes.

    A row may have been removed since they were taken, and SQLite may give its number again.
    """
    return select(OutboxStatement.id).where(
        OutboxStatement.statement_id.in_([one.statement_id for one in batch])
    )


def _state(target: str, values: dict[str, Any], count: int = 0) -> None:
    changed = db.session.execute(
        update(TargetState)
        .where(TargetState.target == target)
        .values(**values, delivered=TargetState.delivered + count)
    )
    if changed.rowcount == 0:  # type: ignore[attr-defined]
        db.session.execute(
            insert(TargetState).values(
                **{"target": target, "delivered": count, "failures": 0, "words": "", **values}
            )
        )

"""Rows that wait to be mailed: claimed by one worker at a time, whatever the clocks say.

A claim runs out by the database's own time. One that lies further ahead than any claim can was
given before that clock was set back, and counts for nothing; so does a next try of that kind.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import threading
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, String, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms import clock
from lms.db import UtcDateTime

CLAIM_SECONDS = 120  # longer than a mail can take, with every timeout
MOST_WAIT = dt.timedelta(hours=6)


class Mailing(StrEnum):
    """How far the mail of a row has come."""

    WAITING = "waiting"
    SENT = "sent"
    NONE = "none"  # not to be mailed: no address, or the person wants none of this kind
    FAILED = "failed"  # refused for good, or tried until patience ended
    DOUBT = "doubt"  # it may have gone out, more than once: not sent again


class MailRow:
    """The columns by which a row is mailed."""

    mailing: Mapped[str] = mapped_column(String(8), default=Mailing.WAITING)
    mail_tries: Mapped[int] = mapped_column(default=0)  # refusals for now, and breaks in the middle
    mail_doubts: Mapped[int] = mapped_column(default=0)  # times that it may have gone out
    next_try_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=clock.now)
    failed: Mapped[str] = mapped_column(String(300), default="")  # why, without any address
    claimed_by: Mapped[str | None] = mapped_column(String(160))
    claimed_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


def database_now(session: Session) -> dt.datetime:
    """Return the time by the database's clock; SQLite's is that of this machine."""
    if session.get_bind().dialect.name == "sqlite":
        return clock.now()
    told: dt.datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return told


def own_name() -> str:
    """Return the name under which this thread claims."""
    return f"{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"[:160]


def claim(session: Session, model: Any, *where: ColumnElement[bool]) -> tuple[int, bool] | None:
    """Claim the next row that is due: (id, whether an earlier claim of it ran out); None: no more.

    A claim that ran out is of a worker that was killed while it sent: the mail may have gone out.
    """
    now, here = database_now(session), clock.now()
    lease = dt.timedelta(seconds=CLAIM_SECONDS)
    free = or_(
        model.claimed_until.is_(None),
        model.claimed_until <= now,
        model.claimed_until > now + 2 * lease,
    )
    due = or_(model.next_try_at <= here, model.next_try_at > here + 2 * MOST_WAIT)
    row = session.scalars(
        select(model)
        .where(model.mailing == Mailing.WAITING, free, due, *where)
        .order_by(model.next_try_at, model.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    ran_out = row.claimed_until is not None
    row.claimed_by, row.claimed_until = own_name(), now + lease
    return row.id, ran_out

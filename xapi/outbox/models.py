"""Statements recorded, the targets, and for each target what waits or was refused."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from lms import clock
from lms.db import BigId, Model, UtcDateTime


class OutboxStatement(Model):
    """A statement as it was recorded; the text never changes."""

    __tablename__ = "xapi_outbox"
    __table_args__ = (Index("ix_xapi_outbox_person", "person_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    statement_id: Mapped[str] = mapped_column(String(36), unique=True)  # UUID
    person_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id"))
    recorded_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    text: Mapped[str] = mapped_column(Text)  # JSON


class Pending(Model):
    """A statement that a target has not acknowledged yet; gone once it has.

    Written in the recording transaction. A row each, and no position in the outbox: transactions
    commit out of the order of their ids, and a position would step over the late ones.
    """

    __tablename__ = "xapi_pending"
    __table_args__ = (Index("ix_xapi_pending_outbox", "outbox_id"), {"sqlite_with_rowid": False})

    target: Mapped[str] = mapped_column(String(40), primary_key=True)
    outbox_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("xapi_outbox.id", ondelete="CASCADE"), primary_key=True
    )
    # How often this one alone was turned away for a reason that may have been passing (403, 500).
    doubts: Mapped[int] = mapped_column(default=0, server_default="0")


class Parked(Model):
    """A statement that a target refused, with the words it used; waits for *send again*."""

    __tablename__ = "xapi_parked"
    __table_args__ = (
        Index("ix_xapi_parked_target_at", "target", "parked_at"),
        Index("ix_xapi_parked_outbox", "outbox_id"),
    )

    target: Mapped[str] = mapped_column(String(40), primary_key=True)
    outbox_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("xapi_outbox.id", ondelete="CASCADE"), primary_key=True
    )
    parked_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=clock.now)
    status: Mapped[int] = mapped_column(Integer)  # HTTP status
    words: Mapped[str] = mapped_column(Text)  # the LRS's own, cut to 2,000 characters


class TargetState(Model):
    """How delivery to one target goes."""

    __tablename__ = "xapi_target"

    target: Mapped[str] = mapped_column(String(40), primary_key=True)
    address: Mapped[str] = mapped_column(Text, default="")  # where it led when last tried
    delivered: Mapped[int] = mapped_column(BigId, default=0)
    last_success_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_failure_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    words: Mapped[str] = mapped_column(Text, default="")  # of the last failure
    next_try_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Store(Model):
    """A record store that an administrator added: a target like those that the settings name.

    name: the target's, made from the label once. secret: sealed (`xapi.sealed`). everything:
    whether it also gets what other systems stored in the built-in store; position: the last
    row of `xapi_statement` that was looked at for it; but_not: the uid of the credential whose
    statements it does not get, as they came from there. removed_at: rows that wait are being
    taken away; then it is gone.
    """

    __tablename__ = "xapi_store"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    label: Mapped[str] = mapped_column(String(120))
    endpoint: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(String(255))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[str] = mapped_column(String(8))  # of the standard: 1.0.3 or 2.0.0
    paused: Mapped[bool] = mapped_column(default=False)
    everything: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(BigId, default=0)
    but_not: Mapped[str] = mapped_column(String(32), default="")
    made_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=clock.now)
    removed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Backfill(Model):
    """*Send everything since ...*: how much of the outbox is queued for a target by now.

    And how much of what other systems stored, where it gets that: there `Store.position` goes back
    and walks again, up to `forward_last` (0: it does not get that); it had come to `resume` before.

    since: of which moment on (None: all). cursor: rows up to here are queued; last_id: where it
    ends, the newest row when it was asked for. total, queued: statements. stopped: an
    administrator ended it early.
    """

    __tablename__ = "xapi_backfill"

    target: Mapped[str] = mapped_column(String(40), primary_key=True)
    since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    cursor: Mapped[int] = mapped_column(BigId)
    last_id: Mapped[int] = mapped_column(BigId)
    forward_last: Mapped[int] = mapped_column(BigId, default=0, server_default="0")
    resume: Mapped[int] = mapped_column(BigId, default=0, server_default="0")
    total: Mapped[int] = mapped_column(BigId)
    queued: Mapped[int] = mapped_column(BigId, default=0)
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=clock.now)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    stopped: Mapped[bool] = mapped_column(default=False)


class BackfillPerson(Model):
    """Somebody whose past was queued ahead of its turn, because they did something meanwhile."""

    __tablename__ = "xapi_backfill_person"
    __table_args__ = ({"sqlite_with_rowid": False},)

    target: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    cursor: Mapped[int] = mapped_column(BigId)  # theirs up to here are queued


class Forward(Model):
    """A statement of another system, in the built-in store, that waits for a target or was refused.

    Waiting while `parked_at` is empty; the other columns are those of Pending and Parked.
    """

    __tablename__ = "xapi_forward"
    __table_args__ = (Index("ix_xapi_forward_statement", "statement"), {"sqlite_with_rowid": False})

    target: Mapped[str] = mapped_column(String(40), primary_key=True)
    statement: Mapped[int] = mapped_column(
        BigId, ForeignKey("xapi_statement.id", ondelete="CASCADE"), primary_key=True
    )
    doubts: Mapped[int] = mapped_column(default=0)
    parked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[int] = mapped_column(default=0)
    words: Mapped[str] = mapped_column(Text, default="")

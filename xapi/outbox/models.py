"""Statements recorded, and for each target the ones that wait or were refused."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from lms import clock
from lms.db import BigId, Model, UtcDateTime


class OutboxStatement(Model):
    """A statement as it was recorded; the text never changes."""

    __tablename__ = "xapi_outbox"

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
    __table_args__ = ({"sqlite_with_rowid": False},)

    target: Mapped[str] = mapped_column(String(40), primary_key=True)
    outbox_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("xapi_outbox.id", ondelete="CASCADE"), primary_key=True
    )
    # How often this one alone was turned away for a reason that may have been passing (403, 500).
    doubts: Mapped[int] = mapped_column(default=0, server_default="0")


class Parked(Model):
    """A statement that a target refused, with the words it used; waits for *send again*."""

    __tablename__ = "xapi_parked"
    __table_args__ = (Index("ix_xapi_parked_target_at", "target", "parked_at"),)

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

"""Files of statements that were asked for, removals, and how long what is kept."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from lms import clock
from lms.db import BigId, Json, Model, UtcDateTime
from lms.people.models import new_uid


class ExportState(StrEnum):
    """How far a file is."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    STOPPED = "stopped"  # by whoever asked, or because somebody's statements were removed
    FAILED = "failed"  # `words` says why


class Export(Model):
    """A file of statements: what is wanted, how far it is, and until when it is kept.

    part, cursor: where the worker goes on. sizes: for each part, how many bytes of its file were
    noted; what a killed worker wrote beyond is cut off.
    """

    __tablename__ = "xapi_export"
    __table_args__ = (Index("ix_xapi_export_state", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    made_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=clock.now)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("lms_person.id", ondelete="SET NULL"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("lms_person.id", ondelete="SET NULL"))
    wanted: Mapped[dict[str, Any]] = mapped_column(Json)  # see xapi.keeping.choice
    state: Mapped[str] = mapped_column(String(10), default=ExportState.WAITING.value)
    part: Mapped[str] = mapped_column(String(12), default="statements")
    cursor: Mapped[str] = mapped_column(String(128), default="")
    last_row: Mapped[int] = mapped_column(BigId, default=0)  # the newest statement of then
    to_do: Mapped[int] = mapped_column(BigId, default=0)  # lines, of all parts
    done: Mapped[int] = mapped_column(BigId, default=0)
    compressed: Mapped[bool] = mapped_column(default=False)
    sizes: Mapped[dict[str, int]] = mapped_column(Json, default=dict)
    words: Mapped[str] = mapped_column(Text, default="")
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class RemovalState(StrEnum):
    """How far a removal is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


class Removal(Model):
    """A person's statements removed for good, and the record that it was done.

    keys, person_id: whose they are, while it is under way; emptied with the last of them.
    digests: keyed hashes of `keys`, by which it can be told later whether somebody's were removed,
    and nobody can be found. reason: the administrator's words. The counts are of rows: statements
    and documents that went, others' statements in which the person's name was replaced, copies
    in the outbox.
    """

    __tablename__ = "xapi_removal"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    asked_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=clock.now)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("lms_person.id", ondelete="SET NULL"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("lms_person.id", ondelete="SET NULL"))
    keys: Mapped[list[str]] = mapped_column(Json)
    digests: Mapped[list[str]] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default=RemovalState.WAITING.value)
    to_do: Mapped[int] = mapped_column(BigId, default=0)  # about how many, when it was asked for
    statements: Mapped[int] = mapped_column(BigId, default=0)
    replaced: Mapped[int] = mapped_column(BigId, default=0)
    documents: Mapped[int] = mapped_column(BigId, default=0)
    copies: Mapped[int] = mapped_column(BigId, default=0)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Retention(Model):
    """One row: for how many months what is kept; None is for ever.

    statements: all that the built-in store holds. network: what Ropes itself recorded of the use of
    the network, in the store and in the outbox. outbox: the copies for sending.
    """

    __tablename__ = "xapi_retention"

    id: Mapped[int] = mapped_column(primary_key=True)
    statements: Mapped[int | None]
    network: Mapped[int | None]
    outbox: Mapped[int | None]
    looked_at: Mapped[dt.datetime | None] = mapped_column(
        UtcDateTime
    )  # when it was last carried out


class RetentionRun(Model):
    """A day on which retention removed something, and how much."""

    __tablename__ = "xapi_retention_run"

    day: Mapped[dt.date] = mapped_column(primary_key=True)  # in UTC
    statements: Mapped[int] = mapped_column(BigId, default=0)
    copies: Mapped[int] = mapped_column(BigId, default=0)

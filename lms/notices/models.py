"""Notices: what each person was told, and how far its mail has come."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from lms.db import Json, Model, UtcDateTime


class Mailing(StrEnum):
    """How far the mail of a notice has come."""

    WAITING = "waiting"
    SENT = "sent"
    NONE = "none"  # the person has no address; the notice stands on the page only
    FAILED = "failed"  # tried until patience ended


class Notice(Model):
    """One notice to one person. `data` holds ids and titles, no names of others.

    address: mailed there, to an address that was the person's, and shown on no page; emptied once
    it was mailed. None for all others, which go to the address that the person has then.
    """

    __tablename__ = "lms_notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)  # sending is idempotent by it
    person_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id"))
    kind: Mapped[str] = mapped_column(String(80))
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    address: Mapped[str | None] = mapped_column(String(254))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    mailing: Mapped[str] = mapped_column(String(8), default=Mailing.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    failed: Mapped[str] = mapped_column(String(300), default="")

    __table_args__ = (
        Index("ix_lms_notice_person_id_created_at", "person_id", "created_at"),
        Index("ix_lms_notice_mailing_next_try_at", "mailing", "next_try_at"),
    )

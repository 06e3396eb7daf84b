"""Notices: what each person was told, and how far its mail has come."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from lms.db import Json, Model, UtcDateTime
from lms.mail.rows import MailRow


class Notice(MailRow, Model):
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
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_lms_notice_person_id_created_at", "person_id", "created_at"),
        Index("ix_lms_notice_mailing_next_try_at", "mailing", "next_try_at"),
    )


class NoticeStop(Model):
    """A kind of notice that a person wants no mail of; it stands on their page all the same."""

    __tablename__ = "lms_notice_stop"

    person_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(80), primary_key=True)

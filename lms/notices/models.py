"""Notices waiting to be sent, or sent."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from lms.db import Json, Model, UtcDateTime


class Notice(Model):
    """One notice to one person. `data` holds ids and titles, no names of others."""

    __tablename__ = "lms_notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)  # sending is idempotent by it
    person_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id"), index=True)
    kind: Mapped[str] = mapped_column(String(80))
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, index=True)
    failed: Mapped[str] = mapped_column(String(300), default="")

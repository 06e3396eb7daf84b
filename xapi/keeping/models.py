"""Files of statements that were asked for."""

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

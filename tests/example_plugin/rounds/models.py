"""The one table. Its name begins with the plugin's."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from lms.db import Model, UtcDateTime


class Round(Model):
    """One round that somebody walked."""

    __tablename__ = "rounds_round"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id"), index=True)
    walked_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    seen: Mapped[str] = mapped_column(String(200))

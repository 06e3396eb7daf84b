"""What the manager's page keeps, so that it counts nothing anew: where each person stands.

All of it follows from what plugins know, and can be built again from that at any time
(`lms.teams.standing`). Met or not met, how many of the asked things, and dates asked for: never
what somebody did or wrote, nor when.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from lms.db import Model, UtcDateTime


class Column(Model):
    """A column whose cells are kept. `reached`: the last person id up to which a job that builds
    it anew has come; None where there is nothing to build.
    """

    __tablename__ = "lms_team_column"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    reached: Mapped[int | None]
    built_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Standing(Model):
    """What one column says of one person (`lms.plugin.TeamColumn.cells`), without today's date.

    rank: `lms.teams.rules.RANKS` of the state; that it is due or overdue follows from `due_at`
    when it is read. It goes with the person's name.
    """

    __tablename__ = "lms_team_standing"
    __table_args__ = ({"sqlite_with_rowid": False},)

    person_id: Mapped[int] = mapped_column(
        ForeignKey("lms_identity.person_id", ondelete="CASCADE"), primary_key=True
    )
    column_id: Mapped[int] = mapped_column(
        ForeignKey("lms_team_column.id", ondelete="CASCADE"), primary_key=True
    )
    rank: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int | None]
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Summary(Model):
    """What all of one person's rows of `Standing` come to, for counting, sorting and filtering.

    rank: of `lms.teams.rules.judge`, without today's date; due_at: the earliest of what is open;
    achieved: how many are done or held; held: how many certificates.
    """

    __tablename__ = "lms_team_summary"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("lms_identity.person_id", ondelete="CASCADE"), primary_key=True
    )
    rank: Mapped[int] = mapped_column(SmallInteger)
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    achieved: Mapped[int]
    held: Mapped[int]


Index("ix_lms_team_standing_column_id", Standing.column_id, Standing.person_id)

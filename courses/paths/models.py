"""Paths, their courses, and who is enrolled."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.catalogue.models import Course
from courses.progress.cycles import CYCLE_MAX_CHARS, FIRST
from lms.db import BigId, Json, Model, UtcDateTime


class Path(Model):
    """Which courses a role takes, in order, for which use case and objective.

    The use case itself is `lms.objectives` under the same slug. `audience` says who is enrolled by
    rule (`courses.paths.audience`). `due_from`: what `due_days` counts from, `enrolment` or `hire`.
    """

    __tablename__ = "courses_path"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    summary: Mapped[str] = mapped_column(Text, default="")
    description: Mapped[str] = mapped_column(Text, default="")
    # The tag (BCP 47) of what is written here; empty where nobody said.
    language: Mapped[str] = mapped_column(String(16), default="")
    use_case: Mapped[str] = mapped_column(String(200), default="")
    business_objective: Mapped[str] = mapped_column(Text, default="")
    owner_title: Mapped[str] = mapped_column(String(120), default="")
    due_days: Mapped[int | None]
    due_from: Mapped[str] = mapped_column(String(16), default="enrolment")
    audience: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    position: Mapped[int] = mapped_column(default=0)
    library_digest: Mapped[str] = mapped_column(String(64), default="")

    steps: Mapped[list[PathCourse]] = relationship(
        order_by="PathCourse.position", cascade="all, delete-orphan", lazy="select"
    )


class PathCourse(Model):
    """A course's place in a path."""

    __tablename__ = "courses_path_course"

    path_id: Mapped[int] = mapped_column(ForeignKey("courses_path.id"), primary_key=True)
    course_id: Mapped[int] = mapped_column(
        ForeignKey("courses_course.id"), primary_key=True, index=True
    )
    position: Mapped[int]

    course: Mapped[Course] = relationship(lazy="joined")


class Enrolment(Model):
    """Somebody is asked to take a path, by a rule or by hand; `due_at` None: whenever they like.

    One row for each cycle (`courses.progress.cycles`); the present one is the one that is open,
    and the database holds that there is one at most. `ended_at` is set where the rule no longer
    fits and nothing was begun, and where the next cycle begins.
    """

    __tablename__ = "courses_enrolment"
    __table_args__ = (UniqueConstraint("person_id", "path_id", "cycle"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id"))
    path_id: Mapped[int] = mapped_column(ForeignKey("courses_path.id"))
    cycle: Mapped[str] = mapped_column(String(CYCLE_MAX_CHARS), default=FIRST)
    enrolled_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    by_rule: Mapped[bool] = mapped_column(default=True)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


Index("ix_courses_enrolment_path_person", Enrolment.path_id, Enrolment.person_id)
Index(
    "uq_courses_enrolment_open",
    Enrolment.person_id,
    Enrolment.path_id,
    unique=True,
    sqlite_where=Enrolment.ended_at.is_(None),
    postgresql_where=Enrolment.ended_at.is_(None),
)

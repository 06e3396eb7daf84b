"""Attempts, answers and completions."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from courses.progress.cycles import CYCLE_MAX_CHARS, FIRST
from lms.db import BigId, Json, Model, UtcDateTime


def new_registration() -> str:
    """Return a new registration: the UUID that ties the statements of an attempt together."""
    return str(uuid.uuid4())


class Attempt(Model):
    """One person's way through one version of a course; earlier attempts are kept.

    `number` counts on through all cycles; `cycle` says in which this one was begun.

    `card_id` is where the person is, on whatever device; `reached` how many cards of the attempt's
    way lie behind. `questions_only`: a second try after failing walks the questions alone.
    `passed` is None until the end, and stays None where the course judges nothing.
    """

    __tablename__ = "courses_attempt"
    __table_args__ = (UniqueConstraint("person_id", "course_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    registration: Mapped[str] = mapped_column(String(36), unique=True, default=new_registration)
    person_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("courses_course.id"), index=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("courses_version.id"))
    number: Mapped[int]
    cycle: Mapped[str] = mapped_column(String(CYCLE_MAX_CHARS), default=FIRST)
    questions_only: Mapped[bool] = mapped_column(default=False)
    card_id: Mapped[str] = mapped_column(String(60))
    reached: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    score_scaled: Mapped[float | None]
    passed: Mapped[bool | None]


# Who is in the middle of what is asked with every delivery from a network (missions).
Index(
    "ix_courses_attempt_open",
    Attempt.version_id,
    Attempt.person_id,
    sqlite_where=Attempt.finished_at.is_(None),
    postgresql_where=Attempt.finished_at.is_(None),
)


class Answer(Model):
    """What a person answered to one card of an attempt: once, whatever is sent again."""

    __tablename__ = "courses_answer"
    __table_args__ = (UniqueConstraint("attempt_id", "card_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("courses_attempt.id"))
    card_id: Mapped[str] = mapped_column(String(60))
    response: Mapped[list[str]] = mapped_column(Json)
    score_scaled: Mapped[float]
    right: Mapped[bool]
    answered_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class Completion(Model):
    """A course or a path somebody finished, for the first time in a cycle; later edits take
    nothing away.

    target: `course/<slug>` or `path/<slug>`, as rules name it (`lms.evidence.Filter.target`).
    """

    __tablename__ = "courses_completion"
    __table_args__ = (UniqueConstraint("person_id", "target", "cycle"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id"))
    target: Mapped[str] = mapped_column(String(80))
    cycle: Mapped[str] = mapped_column(String(CYCLE_MAX_CHARS), default=FIRST)
    completed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    score_scaled: Mapped[float | None]
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("courses_attempt.id"))
    statement_id: Mapped[str | None] = mapped_column(String(36))  # that tells of it


Index(
    "ix_courses_completion_target_person",
    Completion.target,
    Completion.person_id,
    Completion.completed_at,
)

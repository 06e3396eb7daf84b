"""Courses, their published versions, and their pictures."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from lms import clock
from lms.db import Json, Model, UtcDateTime
from lms.people.models import new_uid


class Course(Model):
    """A course: its name for good (`slug`), its draft, and which version is the newest.

    `draft` is a document as JSON data (`courses.catalogue.document`), or None where nothing has
    changed since the last publishing. `draft_revision` grows with every save: who saves says which
    revision they began from. `title`, `summary`, `minutes` and `cards` are those of the newest
    published version, or of the draft where none is published.
    """

    __tablename__ = "courses_course"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    summary: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(16), default="en")
    lessons: Mapped[int] = mapped_column(default=0)
    cards: Mapped[int] = mapped_column(default=0)
    minutes: Mapped[int] = mapped_column(default=0)
    draft: Mapped[dict[str, Any] | None] = mapped_column(Json, deferred=True)
    draft_revision: Mapped[int] = mapped_column(default=0)
    draft_saved_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    draft_saved_by: Mapped[int | None] = mapped_column(
        ForeignKey("lms_person.id", ondelete="SET NULL")
    )
    # The newest version's number; 0: never published. Not a foreign key: the tables would circle.
    published_number: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    # Digest of the shipped text this course was last loaded from; empty where it did not ship.
    library_digest: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=clock.now)

    versions: Mapped[list[CourseVersion]] = relationship(
        back_populates="course", order_by="CourseVersion.number", lazy="select"
    )


class CourseVersion(Model):
    """A published text. It never changes: who began on it finishes on it."""

    __tablename__ = "courses_version"
    __table_args__ = (UniqueConstraint("course_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses_course.id"))
    number: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
    published_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    published_by: Mapped[int | None] = mapped_column(
        ForeignKey("lms_person.id", ondelete="SET NULL")
    )

    course: Mapped[Course] = relationship(back_populates="versions", lazy="select")


class Media(Model):
    """A picture, named by the SHA-256 of its bytes; the bytes are in the media folder."""

    __tablename__ = "courses_media"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    extension: Mapped[str] = mapped_column(String(8))
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int]
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=clock.now)


Index("ix_courses_course_published", Course.published_number, Course.title)


class PublishedIsFinal(Exception):
    """Code tried to change or remove a published version: a fault of ours."""


def _refuse(_mapper: Mapper[CourseVersion], _connection: Any, version: CourseVersion) -> None:
    raise PublishedIsFinal(f"course version {version.id} is published; publish a new one")


event.listen(CourseVersion, "before_update", _refuse)
event.listen(CourseVersion, "before_delete", _refuse)

"""When the manager's page has to be told: whose standing on which path may have changed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from courses.paths.models import Path, PathCourse
from courses.progress.services import CourseBegun
from lms.db import db
from lms.events import StandingChanged, publish


def column_of(path_slug: str) -> str:
    """Return the slug of the column that shows this path."""
    return f"path-{path_slug}"


def note_path(path_slug: str, person_ids: Iterable[int] | None) -> None:
    """Tell that these people (None: all) may stand differently on this path now."""
    people = None if person_ids is None else frozenset(person_ids)
    if people is None or people:
        publish(StandingChanged(people, frozenset({column_of(path_slug)})))


def note_course(course_id: int, person_ids: frozenset[int]) -> None:
    """Tell that these people may stand differently on every path with this course."""
    slugs = db.session.scalars(
        select(Path.slug)
        .join(PathCourse, PathCourse.path_id == Path.id)
        .where(PathCourse.course_id == course_id)
    ).all()
    if slugs:
        publish(StandingChanged(person_ids, frozenset(map(column_of, slugs))))


def note_begun(event: CourseBegun) -> None:
    """Listener: who begins a course has begun the paths that ask for it."""
    note_course(event.course_id, event.person_ids)

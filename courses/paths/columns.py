"""Columns of the manager's page: one for each path, and on a person's own page one a course.

Each is one select over all the people asked for; the number of queries does not grow with them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, null, or_, select

from courses.catalogue.models import Course
from courses.paths.models import Enrolment, Path, PathCourse
from courses.progress.models import Attempt, Completion
from lms import clock
from lms.db import UtcDateTime, db
from lms.plugin import CellState, TeamColumn

DUE_SOON_DAYS = 7


def state_of(done: ColumnElement[bool], due: Any, begun: ColumnElement[bool]) -> ColumnElement[str]:
    """Return a cell's state: done, else overdue, else due within a week, else by what was begun."""
    moment = clock.now()
    soon = moment + dt.timedelta(days=DUE_SOON_DAYS)
    return case(
        (done, CellState.DONE.value),
        (due < literal(moment, UtcDateTime), CellState.OVERDUE.value),
        (due < literal(soon, UtcDateTime), CellState.DUE.value),
        (begun, CellState.ON_TRACK.value),
        else_=CellState.NOT_STARTED.value,
    )


class PathColumn:
    """How far people are on one path: courses completed of all its courses."""

    detail = False

    def __init__(self, slug: str, label: str, courses: Sequence[tuple[int, str]]) -> None:
        self.slug = f"path-{slug}"
        self.label = label
        self.total: int | None = len(courses)
        self.target = f"path/{slug}"
        self.path_slug = slug
        self.course_ids = [course_id for course_id, _ in courses]
        self.targets = [f"course/{course}" for _, course in courses]

    def cells(self, people: Select[tuple[int]]) -> Select[Any]:
        """Return (person_id, state, number, due_at) of everybody enrolled."""
        asked_for = people.subquery()
        wanted = select(asked_for.c[0])
        counted = (
            select(Completion.person_id, func.count().label("number"))
            .where(Completion.target.in_(self.targets), Completion.person_id.in_(wanted))
            .group_by(Completion.person_id)
            .subquery()
        )
        begun = exists().where(
            Attempt.person_id == Enrolment.person_id, Attempt.course_id.in_(self.course_ids)
        )
        finished = Completion.id.is_not(None)
        return (
            select(
                Enrolment.person_id.label("person_id"),
                state_of(finished, Enrolment.due_at, begun).label("state"),
                func.coalesce(counted.c.number, 0).label("number"),
                case((finished, null()), else_=Enrolment.due_at).label("due_at"),
            )
            .join(Path, and_(Path.id == Enrolment.path_id, Path.slug == self.path_slug))
            .outerjoin(
                Completion,
                and_(Completion.person_id == Enrolment.person_id, Completion.target == self.target),
            )
            .outerjoin(counted, counted.c.person_id == Enrolment.person_id)
            .where(Enrolment.ended_at.is_(None), Enrolment.person_id.in_(wanted))
        )


class CourseColumn:
    """How far people are with one course that a path asks of them, or that they began."""

    total: int | None = None
    detail = True

    def __init__(self, course_id: int, slug: str, label: str) -> None:
        self.slug = f"course-{slug}"
        self.label = label
        self.course_id = course_id
        self.target = f"course/{slug}"

    def cells(self, people: Select[tuple[int]]) -> Select[Any]:
        """Return (person_id, state, None, due_at) of everybody it is asked of or who began it."""
        asked_for = people.subquery()
        person = asked_for.c[0]
        due = (
            select(Enrolment.person_id, func.min(Enrolment.due_at).label("due_at"))
            .join(PathCourse, PathCourse.path_id == Enrolment.path_id)
            .where(PathCourse.course_id == self.course_id, Enrolment.ended_at.is_(None))
            .group_by(Enrolment.person_id)
            .subquery()
        )
        begun = exists().where(Attempt.person_id == person, Attempt.course_id == self.course_id)
        finished = Completion.id.is_not(None)
        return (
            select(
                person.label("person_id"),
                state_of(finished, due.c.due_at, begun).label("state"),
                null().label("number"),
                case((finished, null()), else_=due.c.due_at).label("due_at"),
            )
            .outerjoin(due, due.c.person_id == person)
            .outerjoin(
                Completion,
                and_(Completion.person_id == person, Completion.target == self.target),
            )
            .where(or_(due.c.person_id.is_not(None), finished, begun))
        )


def team_columns() -> list[TeamColumn]:
    """Return a column for each path and, for a person's page, one for each course in a path."""
    rows = db.session.execute(
        select(Path.slug, Path.title, Course.id, Course.slug, Course.title)
        .join(PathCourse, PathCourse.path_id == Path.id)
        .join(Course, Course.id == PathCourse.course_id)
        .order_by(Path.position, Path.id, PathCourse.position)
    ).all()
    paths: dict[str, tuple[str, list[tuple[int, str]]]] = {}
    courses: dict[int, CourseColumn] = {}
    for path_slug, path_title, course_id, course_slug, course_title in rows:
        paths.setdefault(path_slug, (path_title, []))[1].append((course_id, course_slug))
        courses.setdefault(course_id, CourseColumn(course_id, course_slug, course_title))
    columns: list[TeamColumn] = [
        PathColumn(slug, title, steps) for slug, (title, steps) in paths.items()
    ]
    return [*columns, *courses.values()]

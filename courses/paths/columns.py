"""Columns of the manager's page: one for each path, and on a person's own page one a course.

Each is one select over all the people asked for; the number of queries does not grow with them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.orm import load_only

from courses.blocks.content import get_content
from courses.catalogue.models import Course
from courses.paths.models import Enrolment, Path, PathCourse
from courses.paths.progress import lessons_behind
from courses.progress.models import Attempt, Completion
from courses.progress.services import find_attempt
from lms import clock
from lms.db import UtcDateTime, db
from lms.plugin import CellState, TeamColumn

DUE_SOON_DAYS = 7
COURSES_IN_BITS = 62  # of a 64-bit integer with a sign


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

    def __init__(
        self,
        path_id: int,
        slug: str,
        label: str,
        courses: Sequence[tuple[int, str]],
        language: str = "",
    ) -> None:
        self.path_id = path_id
        self.slug = f"path-{slug}"
        self.label = label
        self.language = language
        self.total: int | None = len(courses)
        self.target = f"path/{slug}"
        self.course_ids = [course_id for course_id, _slug in courses]
        self.targets = [f"course/{course}" for _id, course in courses]

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
            .outerjoin(
                Completion,
                and_(Completion.person_id == Enrolment.person_id, Completion.target == self.target),
            )
            .outerjoin(counted, counted.c.person_id == Enrolment.person_id)
            .where(
                Enrolment.path_id == self.path_id,
                Enrolment.ended_at.is_(None),
                Enrolment.person_id.in_(wanted),
            )
        )

    @classmethod
    def together(cls, columns: Sequence[PathColumn], people: Select[tuple[int]]) -> Select[Any]:
        """Return (person_id, place, state, due_at) of all these paths in one pass.

        Enrolments lie in the order of person and path, and so do completions and attempts: one
        walk along them is several times cheaper than one walk for each path.
        """
        asked_for = people.subquery()
        wanted = select(asked_for.c[0])
        of_path = Enrolment.path_id
        target = case({one.path_id: one.target for one in columns}, value=of_path)
        finished = Completion.id.is_not(None)
        begun_courses, has_begun = _begun(columns, wanted)
        joined: Any = Enrolment.__table__.outerjoin(
            Completion.__table__,
            and_(Completion.person_id == Enrolment.person_id, Completion.target == target),
        )
        if begun_courses is not None:
            joined = joined.outerjoin(
                begun_courses, begun_courses.c.person_id == Enrolment.person_id
            )
        found = (
            select(
                Enrolment.person_id,
                case({one.path_id: n for n, one in enumerate(columns)}, value=of_path),
                state_of(finished, Enrolment.due_at, has_begun),
                case((finished, null()), else_=Enrolment.due_at),
            )
            .select_from(joined)
            .where(Enrolment.ended_at.is_(None), Enrolment.person_id.in_(wanted))
        )
        if db.session.scalar(select(func.count()).select_from(Path)) == len(columns):
            return found  # all there are: nothing to be left out, row by row
        # In arithmetic, so that the index of paths is not walked out of person order.
        return found.where((of_path + 0).in_([one.path_id for one in columns]))


def _begun(
    columns: Sequence[PathColumn], people: Select[tuple[int]]
) -> tuple[Subquery | None, ColumnElement[bool]]:
    """Return what to join to an enrolment and, with it, whether a course of its path was begun.

    Up to 62 courses are read once as the bits of a number for each person; beyond that each
    enrolment asks for itself, and nothing is joined.
    """
    courses = sorted({course_id for one in columns for course_id in one.course_ids})
    if len(courses) > COURSES_IN_BITS:
        asked = exists().where(
            PathCourse.path_id == Enrolment.path_id,
            Attempt.course_id == PathCourse.course_id,
            Attempt.person_id == Enrolment.person_id,
        )
        return None, asked
    bits = {course_id: 1 << n for n, course_id in enumerate(courses)}
    bit = case(
        {course_id: literal(value, BigInteger) for course_id, value in bits.items()},
        value=Attempt.course_id,
        else_=literal(0, BigInteger),
    )
    # Of each course once: attempts are kept, so whoever has any has the first.
    begun = (
        select(Attempt.person_id, cast(func.sum(bit), BigInteger).label("courses"))
        .where(Attempt.number == 1, Attempt.person_id.in_(people))
        .group_by(Attempt.person_id)
        .subquery()
    )
    of_path = case(
        {
            one.path_id: literal(sum(bits[course_id] for course_id in one.course_ids), BigInteger)
            for one in columns
        },
        value=Enrolment.path_id,
        else_=literal(0, BigInteger),
    )
    return begun, func.coalesce(begun.c.courses, 0).bitwise_and(of_path) != 0


class CourseColumn:
    """How far people are with one course that a path asks of them, or that they began."""

    total: int | None = None
    detail = True

    def __init__(self, course_id: int, slug: str, label: str, language: str = "") -> None:
        self.slug = f"course-{slug}"
        self.label = label
        self.language = language
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

    def where(self, person_id: int) -> str | None:
        """Say on which lesson somebody is who has begun and not finished; None otherwise."""
        attempt = find_attempt(person_id, self.course_id)
        if attempt is None or attempt.finished_at is not None:
            return None
        content = get_content(attempt.version_id)
        total = len(content.lessons)
        number = min(lessons_behind(content, attempt) + 1, total)
        if attempt.questions_only:
            return str(_("Trying the questions again"))
        return str(_("On lesson %(number)d of %(total)d", number=number, total=total))


def team_columns() -> list[TeamColumn]:
    """Return a column for each path and, for a person's page, one for each course in a path."""
    rows = db.session.execute(
        select(Path, Course)
        .options(load_only(Path.slug, Path.title, Path.language))
        .options(load_only(Course.slug, Course.title, Course.language))
        .join(PathCourse, PathCourse.path_id == Path.id)
        .join(Course, Course.id == PathCourse.course_id)
        .order_by(Path.position, Path.id, PathCourse.position)
    ).all()
    paths: dict[int, tuple[Path, list[tuple[int, str]]]] = {}
    courses: dict[int, CourseColumn] = {}
    for path, course in rows:
        paths.setdefault(path.id, (path, []))[1].append((course.id, course.slug))
        courses.setdefault(
            course.id, CourseColumn(course.id, course.slug, course.title, course.language)
        )
    columns: list[TeamColumn] = [
        PathColumn(path.id, path.slug, path.title, steps, path.language)
        for path, steps in paths.values()
    ]
    return [*columns, *courses.values()]

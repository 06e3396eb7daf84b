"""Columns of the manager's page: one for each path, and on a person's own page one a course.

Each is one select over all the people asked for; the number of queries does not grow with them.
They say what was done and by when it is asked for; whether that is late the kernel says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, case, exists, func, null, or_, select

from courses.blocks.content import get_content
from courses.catalogue.models import Course
from courses.paths.cycles import present_cycle
from courses.paths.models import Enrolment, Path, PathCourse
from courses.paths.progress import lessons_behind
from courses.paths.standing import column_of
from courses.progress.models import Attempt, Completion
from courses.progress.services import find_attempt
from lms.db import db
from lms.plugin import CellState, TeamColumn


def state_of(done: ColumnElement[bool], begun: ColumnElement[bool]) -> ColumnElement[str]:
    """Return a cell's state: done, else by whether anything was begun."""
    return case(
        (done, CellState.DONE.value),
        (begun, CellState.ON_TRACK.value),
        else_=CellState.NOT_STARTED.value,
    )


class PathColumn:
    """How far people are on one path in their present cycle: courses completed of its courses."""

    detail = False
    announced = True

    def __init__(
        self,
        path_id: int,
        slug: str,
        label: str,
        courses: Sequence[tuple[int, str]],
        language: str = "",
    ) -> None:
        self.path_id = path_id
        self.slug = column_of(slug)
        self.label = label
        self.language = language
        self.total: int | None = len(courses)
        self.target = f"path/{slug}"
        self.course_ids = [course_id for course_id, _slug in courses]
        self.targets = [f"course/{course}" for _id, course in courses]

    def cells(self, people: Select[tuple[int]]) -> Select[Any]:
        """Return (person_id, state, number, due_at) of everybody enrolled."""
        counted = (
            select(func.count(Completion.target.distinct()))
            .where(
                Completion.person_id == Enrolment.person_id,
                Completion.target.in_(self.targets),
                Completion.cycle >= Enrolment.cycle,
            )
            .correlate(Enrolment)
            .scalar_subquery()
        )
        begun = exists().where(
            Attempt.person_id == Enrolment.person_id,
            Attempt.course_id.in_(self.course_ids),
            Attempt.cycle >= Enrolment.cycle,
        )
        done = exists().where(
            Completion.person_id == Enrolment.person_id,
            Completion.target == self.target,
            Completion.cycle >= Enrolment.cycle,
        )
        return select(
            Enrolment.person_id.label("person_id"),
            state_of(done, begun).label("state"),
            counted.label("number"),
            case((done, null()), else_=Enrolment.due_at).label("due_at"),
        ).where(
            Enrolment.path_id == self.path_id,
            Enrolment.ended_at.is_(None),
            Enrolment.person_id.in_(people),
        )


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
        asked = (
            select(
                Enrolment.person_id,
                func.min(Enrolment.due_at).label("due_at"),
                func.max(Enrolment.cycle).label("cycle"),
            )
            .join(PathCourse, PathCourse.path_id == Enrolment.path_id)
            .where(
                PathCourse.course_id == self.course_id,
                Enrolment.ended_at.is_(None),
                Enrolment.person_id.in_(people),
            )
            .group_by(Enrolment.person_id)
            .subquery()
        )
        cycle = func.coalesce(asked.c.cycle, "")
        begun = exists().where(
            Attempt.person_id == person,
            Attempt.course_id == self.course_id,
            Attempt.cycle >= cycle,
        )
        done = exists().where(
            Completion.person_id == person,
            Completion.target == self.target,
            Completion.cycle >= cycle,
        )
        return (
            select(
                person.label("person_id"),
                state_of(done, begun).label("state"),
                null().label("number"),
                case((done, null()), else_=asked.c.due_at).label("due_at"),
            )
            .outerjoin(asked, asked.c.person_id == person)
            .where(or_(asked.c.person_id.is_not(None), done, begun))
        )

    def where(self, person_id: int) -> str | None:
        """Say on which lesson somebody is who has begun and not finished; None otherwise."""
        attempt = find_attempt(person_id, self.course_id)
        if attempt is None or attempt.finished_at is not None:
            return None
        if attempt.cycle < present_cycle(person_id, self.course_id):
            return None
        content = get_content(attempt.version_id)
        total = len(content.lessons)
        number = min(lessons_behind(content, attempt) + 1, total)
        if attempt.questions_only:
            return str(_("Trying the questions again"))
        return str(_("On lesson %(number)d of %(total)d", number=number, total=total))


_path: Any = Path.__table__
_step: Any = PathCourse.__table__
_course: Any = Course.__table__
_STEPS = (
    select(
        *(_path.c.id, _path.c.slug, _path.c.title, _path.c.language),
        *(_course.c.id, _course.c.slug, _course.c.title, _course.c.language),
    )
    .select_from(
        _path.join(_step, _step.c.path_id == _path.c.id).join(
            _course, _course.c.id == _step.c.course_id
        )
    )
    .order_by(_path.c.position, _path.c.id, _step.c.position)
)


def team_columns() -> list[TeamColumn]:
    """Return a column for each path and, for a person's page, one for each course in a path."""
    paths: dict[int, tuple[str, str, str]] = {}
    steps: dict[int, list[tuple[int, str]]] = {}
    courses: dict[int, CourseColumn] = {}
    for row in db.session.connection().execute(_STEPS):
        path_id, path_slug, path_title, path_language, course_id, slug, title, language = row
        paths[path_id] = (path_slug, path_title, path_language)
        steps.setdefault(path_id, []).append((course_id, slug))
        courses.setdefault(course_id, CourseColumn(course_id, slug, title, language))
    columns: list[TeamColumn] = [
        PathColumn(path_id, slug, title, steps[path_id], language)
        for path_id, (slug, title, language) in paths.items()
    ]
    return [*columns, *courses.values()]

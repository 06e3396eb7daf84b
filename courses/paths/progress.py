"""Where one person stands on a path: what the path's page and the first page show."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import String, and_, func, literal_column, or_, select
from sqlalchemy.orm import aliased

from courses.blocks.content import Content, Edition, get_content, newest_edition
from courses.catalogue.models import Course
from courses.paths.cycles import course_cycles
from courses.paths.models import Enrolment, Path, PathCourse
from courses.progress.cycles import FIRST
from courses.progress.models import Attempt, Completion
from courses.progress.services import way
from lms.db import db


@dataclass(frozen=True, slots=True)
class Standing:
    """One course as one person sees it in a cycle: `edition` is their attempt's, the newest before
    they begin. `lessons_done` of `edition.lessons` lie behind.
    """

    course: Course
    edition: Edition
    attempt: Attempt | None
    completed_at: dt.datetime | None
    lessons_done: int

    @property
    def done(self) -> bool:
        """Whether it has been completed in this cycle, at whatever attempt."""
        return self.completed_at is not None

    @property
    def begun(self) -> bool:
        """Whether there is an attempt."""
        return self.attempt is not None


@dataclass(frozen=True, slots=True)
class NextLesson:
    """The lesson a person is in or comes to next: number of all, title, minutes, and its card."""

    number: int
    total: int
    title: str
    minutes: int
    lesson_id: str
    card_id: str
    begun: bool


def next_lesson(content: Content, attempt: Attempt | None) -> NextLesson:
    """Return the lesson where an attempt stands, or the first one where there is none yet."""
    cards = content.order if attempt is None else way(content, attempt)
    card_id = cards[0] if attempt is None else attempt.card_id
    lesson_id = content.lesson_of[card_id]
    lesson = content.lessons[lesson_id]
    number = list(content.lessons).index(lesson_id) + 1
    return NextLesson(
        number=number,
        total=len(content.lessons),
        title=lesson.title,
        minutes=lesson.minutes,
        lesson_id=lesson_id,
        card_id=card_id,
        begun=attempt is not None,
    )


def lessons_behind(content: Content, attempt: Attempt) -> int:
    """Return how many whole lessons lie behind an attempt."""
    if attempt.questions_only or attempt.finished_at is not None:
        return len(content.lessons)
    behind = 0
    cards = 0
    for lesson in content.document.lessons:
        cards += len(lesson.cards)
        if attempt.reached < cards:
            break
        behind += 1
    return behind


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a person and a course, through all cycles."""

    course: Course
    attempt: Attempt | None  # the newest
    completions: dict[str, dt.datetime]  # by cycle
    cycle: str  # in which the course is asked now

    def within(self, cycle: str) -> Standing:
        """Return how the person stands in a cycle: what was done before it does not count."""
        attempt = self.attempt
        if attempt is not None and attempt.cycle < cycle:
            attempt = None
        completed_at = min(
            (at for done_in, at in self.completions.items() if done_in >= cycle), default=None
        )
        edition, behind = newest_edition(self.course), 0
        if attempt is not None:
            content = get_content(attempt.version_id)
            edition, behind = content.edition, lessons_behind(content, attempt)
        if completed_at is not None:
            behind = edition.lessons
        return Standing(self.course, edition, attempt, completed_at, behind)


def standings(person_id: int, course_ids: list[int] | None = None) -> dict[int, Standing]:
    """Return how a person stands with published courses (None: with all), by id; one query.

    Each in the cycle in which it is asked of the person now (`courses.paths.cycles`).
    """
    return {
        course_id: known.within(known.cycle)
        for course_id, known in _known(person_id, course_ids).items()
    }


def _known(person_id: int, course_ids: list[int] | None) -> dict[int, _Known]:
    later = aliased(Attempt)
    newest = (
        select(func.max(later.number))
        .where(later.person_id == person_id, later.course_id == Course.id)
        .correlate(Course)
        .scalar_subquery()
    )
    asked_in = course_cycles(person_id).subquery()
    asked = (
        select(Course, Attempt, Completion.cycle, Completion.completed_at, asked_in.c.cycle)
        .select_from(Course)
        .outerjoin(
            Attempt,
            and_(
                Attempt.course_id == Course.id,
                Attempt.person_id == person_id,
                Attempt.number == newest,
            ),
        )
        .outerjoin(
            Completion,
            and_(Completion.person_id == person_id, Completion.target == "course/" + Course.slug),
        )
        .outerjoin(asked_in, asked_in.c.course_id == Course.id)
        .where(
            Course.published_number > 0,
            # What was put away is there for those in the middle of it, so that they may finish.
            or_(
                Course.archived_at.is_(None),
                and_(
                    Attempt.id.is_not(None),
                    or_(Completion.id.is_(None), Completion.cycle < Attempt.cycle),
                ),
            ),
        )
        .order_by(Course.title, Course.id)
    )
    if course_ids is not None:
        asked = asked.where(Course.id.in_(course_ids))
    found: dict[int, _Known] = {}
    for course, attempt, done_in, completed_at, cycle in db.session.execute(asked):
        known = found.setdefault(course.id, _Known(course, attempt, {}, cycle or FIRST))
        if completed_at is not None:
            known.completions[done_in] = completed_at
    return found


@dataclass(frozen=True, slots=True)
class PathStanding:
    """A path as one person sees it: its published courses in order."""

    path: Path
    steps: tuple[Standing, ...]
    completed_at: dt.datetime | None

    @property
    def next(self) -> Standing | None:
        """The first course that is not done, or None."""
        return next((step for step in self.steps if not step.done), None)

    @property
    def lessons_done(self) -> int:
        """Lessons behind, over all its courses."""
        return sum(step.lessons_done for step in self.steps)

    @property
    def lessons(self) -> int:
        """Lessons of all its courses."""
        return sum(step.edition.lessons for step in self.steps)

    @property
    def courses_done(self) -> int:
        """Courses done."""
        return sum(step.done for step in self.steps)


def path_standings(person_id: int, paths: list[Path]) -> list[PathStanding]:
    """Return how a person stands on these paths, each in the cycle that is open, or the first.

    Three queries, however many paths there are.
    """
    if not paths:
        return []
    rows = db.session.execute(
        select(PathCourse.path_id, PathCourse.course_id)
        .where(PathCourse.path_id.in_([path.id for path in paths]))
        .order_by(PathCourse.path_id, PathCourse.position)
    ).all()
    courses = _known(person_id, sorted({row.course_id for row in rows}))
    present = _cycles_and_ends(person_id, paths)
    found = []
    for path in paths:
        cycle, completed_at = present[path.id]
        steps = [row.course_id for row in rows if row.path_id == path.id]
        found.append(
            PathStanding(
                path,
                tuple(courses[one].within(cycle) for one in steps if one in courses),
                completed_at,
            )
        )
    return found


def _cycles_and_ends(
    person_id: int, paths: list[Path]
) -> dict[int, tuple[str, dt.datetime | None]]:
    """Return, by path, the person's present cycle of it, and when it was completed in it."""
    cycle = func.coalesce(Enrolment.cycle, literal_column("''", String))
    rows = db.session.execute(
        select(Path.id, cycle, func.min(Completion.completed_at))
        .outerjoin(
            Enrolment,
            and_(
                Enrolment.path_id == Path.id,
                Enrolment.person_id == person_id,
                Enrolment.ended_at.is_(None),
            ),
        )
        .outerjoin(
            Completion,
            and_(
                Completion.person_id == person_id,
                Completion.target == "path/" + Path.slug,
                Completion.cycle >= cycle,
            ),
        )
        .where(Path.id.in_([path.id for path in paths]))
        .group_by(Path.id, Enrolment.cycle)
    )
    return {path_id: (present, ended) for path_id, present, ended in rows}

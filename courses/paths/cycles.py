"""Doing a path again: which cycle is the present one, and how the next begins."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import Select, func, select

from courses.catalogue.models import Course
from courses.paths.enrolment import due_at
from courses.paths.models import Enrolment, Path, PathCourse
from courses.paths.notices import tell_enrolled
from courses.paths.standing import note_path
from courses.progress import services
from courses.progress.cycles import FIRST, check_next
from courses.progress.models import Attempt
from lms import clock
from lms.db import db
from lms.errors import NotFound
from lms.people.models import Person


def course_cycles(person_id: int) -> Select[tuple[int, str]]:
    """Return a select of (course_id, cycle): in which cycle a course is asked of a person now.

    The latest of all open enrolments with that course; courses that nobody asks for are left out.
    """
    return (
        select(PathCourse.course_id, func.max(Enrolment.cycle).label("cycle"))
        .join(Enrolment, Enrolment.path_id == PathCourse.path_id)
        .where(Enrolment.person_id == person_id, Enrolment.ended_at.is_(None))
        .group_by(PathCourse.course_id)
    )


def present_cycle(person_id: int, course_id: int) -> str:
    """Return in which cycle a course is asked of a person now; the first where nobody asks."""
    asked = course_cycles(person_id).where(PathCourse.course_id == course_id).subquery()
    return db.session.scalar(select(asked.c.cycle)) or FIRST


def begin(person: Person, course: Course) -> Attempt:
    """Begin a course in the person's present cycle, or go on; see `courses.progress.services.start`."""
    return services.start(person, course, present_cycle(person.id, course.id))


def begin_next(person_id: int, path: Path, cycle: str, tell: bool = True) -> Enrolment:
    """Ask a person to take a path again, in a cycle named `cycle`; return the new enrolment.

    The enrolment before it ends, and what was done in it stays. The time to finish counts from
    now. Raises NotFound where the person was never enrolled, Invalid where `cycle` is no name of
    one (`courses.progress.cycles`) or does not come after the present one.
    """
    last = db.session.scalar(
        select(Enrolment)
        .where(Enrolment.person_id == person_id, Enrolment.path_id == path.id)
        .order_by(Enrolment.cycle.desc())
        .limit(1)
        .with_for_update()
    )
    if last is None:
        raise NotFound(_("This person was never enrolled in that path."))
    check_next(cycle, last.cycle)
    moment = clock.now()
    if last.ended_at is None:
        last.ended_at = moment
        db.session.flush()  # one open enrolment at most, at any moment
    made = Enrolment(
        person_id=person_id,
        path_id=path.id,
        cycle=cycle,
        enrolled_at=moment,
        due_at=due_at(path, moment, None),
        by_rule=last.by_rule,
    )
    db.session.add(made)
    db.session.flush()
    if tell:
        tell_enrolled(path, [(person_id, made.due_at)], cycle)
    note_path(path.slug, [person_id])
    return made

"""Paths: making them, finding them, and noting who has finished one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Row,
    Select,
    String,
    and_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import selectinload

from courses.catalogue.models import Course
from courses.catalogue.services import get_course
from courses.paths.models import Enrolment, Path, PathCourse
from courses.paths.standing import note_course, note_path
from courses.progress.models import Completion
from courses.progress.services import CourseCompleted, insert_once
from lms import clock, objectives
from lms.db import db
from lms.errors import NotFound
from lms.events import EvidenceChanged, publish
from lms.jobs.queue import wake
from lms.people.models import Person
from xapi import api, build, vocabulary


@dataclass(frozen=True, slots=True)
class PathFacts:
    """All that is said of a path; `courses` are slugs in order."""

    slug: str
    title: str
    courses: tuple[str, ...]
    summary: str = ""
    description: str = ""
    language: str = ""
    use_case: str = ""
    business_objective: str = ""
    owner_title: str = ""
    due_days: int | None = None
    due_from: str = "enrolment"
    audience: Mapping[str, object] = field(default_factory=dict)


def find_path(slug: str) -> Path | None:
    """Return the path of this name, or None."""
    return db.session.scalar(select(Path).where(Path.slug == slug))


def get_path(slug: str) -> Path:
    """Return the path of this name with its courses; raises NotFound."""
    found = db.session.scalar(
        select(Path).where(Path.slug == slug).options(selectinload(Path.steps))
    )
    if found is None:
        raise NotFound("There is no such path here.")
    return found


def put_path(facts: PathFacts, position: int = 0) -> Path:
    """Create the path, or make it say this, and declare its use case; raises NotFound where a
    course is not here. Whoever the rule fits is enrolled by the job it wakes.
    """
    path = find_path(facts.slug) or Path(slug=facts.slug)
    path.title = facts.title
    path.summary = facts.summary
    path.description = facts.description
    path.language = facts.language
    path.use_case = facts.use_case
    path.business_objective = facts.business_objective
    path.owner_title = facts.owner_title
    path.due_days = facts.due_days
    path.due_from = facts.due_from
    path.audience = dict(facts.audience)
    path.position = position
    db.session.add(path)
    db.session.flush()
    wanted = [get_course(slug).id for slug in facts.courses]
    present = {step.course_id: step for step in path.steps}
    for course_id, step in present.items():
        if course_id not in wanted:
            path.steps.remove(step)
    for place, course_id in enumerate(wanted):
        if course_id in present:
            present[course_id].position = place
        else:
            path.steps.append(PathCourse(path_id=path.id, course_id=course_id, position=place))
    objectives.declare(
        facts.slug, facts.use_case or facts.title, facts.business_objective, facts.owner_title
    )
    db.session.flush()
    wake("courses.enrol")
    note_path(path.slug, None)
    return path


def note_finished(event: CourseCompleted) -> None:
    """Listener: whoever has now completed every course of a path has completed the path."""
    complete_paths(event.person_ids, event.course_id)
    note_course(event.course_id, event.person_ids)


def complete_paths(person_ids: frozenset[int], course_id: int | None = None) -> int:
    """Note the paths that these people have finished and return how many; one query to find them.

    course_id: only paths with this course. The first completion of each cycle only; statements
    and EvidenceChanged with them.
    """
    found = db.session.execute(_finished(person_ids, course_id)).all()
    if not found:
        return 0
    moment = clock.now()
    finished = set(
        db.session.execute(
            insert_once(Completion).returning(Completion.person_id, Completion.target),
            [
                {
                    "person_id": row.id,
                    "target": f"path/{row.slug}",
                    "cycle": row.cycle,
                    "completed_at": moment,
                }
                for row in found
            ],
        ).tuples()
    )
    new = [row for row in found if (row.id, f"path/{row.slug}") in finished]
    if new:
        _tell(new)
        publish(EvidenceChanged(frozenset(row.id for row in new)))
    return len(new)


def _finished(person_ids: frozenset[int], course_id: int | None) -> Select[Any]:
    """Who has completed every course of a path in their present cycle of it, and is not noted yet:
    (id, uid, path_id, slug, title, cycle).
    """
    done = Completion.__table__.alias("done")
    cycle = func.coalesce(Enrolment.cycle, literal_column("''", String))
    total = (
        select(PathCourse.path_id, func.count().label("total"))
        .group_by(PathCourse.path_id)
        .subquery()
    )
    path_target = literal("path/", String) + sql_cast(Path.slug, String)
    asked = (
        select(
            Person.id, Person.uid, Path.id.label("path_id"), Path.slug, Path.title,
            cycle.label("cycle"),
        )
        .select_from(Person)
        .join(done, done.c.person_id == Person.id)
        .join(Course, done.c.target == literal("course/", String) + Course.slug)
        .join(PathCourse, PathCourse.course_id == Course.id)
        .join(Path, Path.id == PathCourse.path_id)
        .join(total, total.c.path_id == Path.id)
        .outerjoin(
            Enrolment,
            and_(
                Enrolment.person_id == Person.id,
                Enrolment.path_id == Path.id,
                Enrolment.ended_at.is_(None),
            ),
        )
        .where(
            Person.id.in_(person_ids),
            done.c.cycle >= cycle,
            ~exists().where(
                Completion.person_id == Person.id,
                Completion.target == path_target,
                Completion.cycle >= cycle,
            ),
        )
        .group_by(
            Person.id, Person.uid, Path.id, Path.slug, Path.title, total.c.total, Enrolment.cycle
        )
        .having(func.count(Course.id.distinct()) == total.c.total)
    )  # fmt: skip
    if course_id is not None:
        with_course = select(PathCourse.path_id).where(PathCourse.course_id == course_id)
        asked = asked.where(Path.id.in_(with_course))
    return asked


def _tell(new: Sequence[Row[Any]]) -> None:
    """Record that these people completed these paths, and which statement tells of it."""
    told = api.record_many(
        [
            (
                row.id,
                build.template(
                    row.uid,
                    vocabulary.COMPLETED,
                    build.activity(f"paths/{row.slug}", vocabulary.PATH, row.title),
                    completion=True,
                    category=[build.our_profile()],
                ),
            )
            for row in new
        ]
    )
    done: Any = Completion.__table__
    db.session.connection().execute(
        update(done)
        .where(
            done.c.person_id == bindparam("who"),
            done.c.target == bindparam("what"),
            done.c.cycle == bindparam("which"),
        )
        .values(statement_id=bindparam("told")),
        [
            {"who": row.id, "what": f"path/{row.slug}", "which": row.cycle, "told": one}
            for row, one in zip(new, told, strict=True)
        ],
    )

"""Who is enrolled in which path: by rule, in sets, and by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.orm import aliased

from courses.paths.models import Enrolment, Path, PathCourse
from courses.paths.notices import tell_enrolled
from courses.paths.standing import note_path
from courses.progress.models import Attempt
from courses.progress.services import insert_once
from lms import clock
from lms.db import db, transaction
from lms.events import PeopleChanged
from lms.jobs.queue import wake
from lms.people.models import Person, Unit

BATCH = 500  # rows a transaction: SQLite's one writer must not keep a learner waiting
NOTICE_DAYS = 7  # nobody is given less time than this, however long ago they were hired


def audience(
    said: Mapping[str, Any], today: dt.date, hired: bool = True
) -> list[ColumnElement[bool]]:
    """Return the conditions on Person that a path's audience makes; none means everyone.

    job_roles: any of these (case does not matter). units: in one of these or below.
    hired_within_days: hired so lately, or not yet; left out with `hired` False.
    """
    conditions: list[ColumnElement[bool]] = [Person.active.is_(True)]
    roles = [str(role).lower() for role in said.get("job_roles", ())]
    if roles:
        conditions.append(func.lower(Person.job_role).in_(roles))
    units = [str(unit).lower() for unit in said.get("units", ())]
    if units:
        first = select(Unit.id).where(func.lower(Unit.name).in_(units)).cte("here", recursive=True)
        part = aliased(Unit)
        rows = first.union(select(part.id).where(part.parent_id == first.c.id))
        conditions.append(Person.unit_id.in_(select(rows.c.id)))
    days = said.get("hired_within_days")
    if days is not None and hired:
        conditions.append(Person.hired_on >= today - dt.timedelta(days=int(days)))
    return conditions


def due_at(path: Path, enrolled_at: dt.datetime, hired_on: dt.date | None) -> dt.datetime | None:
    """Return the end of the day by which a path is to be finished, or None."""
    if path.due_days is None:
        return None
    start = enrolled_at.astimezone(dt.UTC).date()
    earliest = start + dt.timedelta(days=min(NOTICE_DAYS, path.due_days))
    if path.due_from == "hire" and hired_on is not None:
        day = max(hired_on + dt.timedelta(days=path.due_days), earliest)
    else:
        day = max(start, hired_on or start) + dt.timedelta(days=path.due_days)
    return dt.datetime.combine(day, dt.time.max.replace(microsecond=0), dt.UTC)


def enrol(path: Path, person_ids: Iterable[int], by_rule: bool = False, tell: bool = True) -> int:
    """Enrol these people and return how many are new; who is enrolled stays as they are, in
    whatever cycle. Whose enrolment has ended comes back to it.

    tell: send each new one a notice; False where they enrol themselves.
    """
    moment = clock.now()
    wanted = list(person_ids)
    hired = db.session.execute(select(Person.id, Person.hired_on).where(Person.id.in_(wanted)))
    rows = [
        {
            "person_id": person_id,
            "path_id": path.id,
            "enrolled_at": moment,
            "due_at": due_at(path, moment, hired_on),
            "by_rule": by_rule,
        }
        for person_id, hired_on in hired
    ]
    if not rows:
        return 0
    made = (
        db.session.execute(
            insert_once(Enrolment).returning(Enrolment.person_id, Enrolment.due_at), rows
        )
        .tuples()
        .all()
    )
    if tell:
        tell_enrolled(path, made)
    note_path(path.slug, {*(person_id for person_id, _due in made), *_come_back(path, wanted)})
    return len(made)


def _come_back(path: Path, person_ids: list[int]) -> Sequence[int]:
    """Open the last cycle of those whose enrolment has ended; return whose it was."""
    later = aliased(Enrolment)
    last = (
        select(func.max(later.cycle))
        .where(later.person_id == Enrolment.person_id, later.path_id == Enrolment.path_id)
        .correlate(Enrolment)
        .scalar_subquery()
    )
    return db.session.scalars(
        update(Enrolment)
        .where(
            Enrolment.path_id == path.id,
            Enrolment.person_id.in_(person_ids),
            Enrolment.ended_at.is_not(None),
            Enrolment.cycle == last,
        )
        .values(ended_at=None)
        .returning(Enrolment.person_id)
        .execution_options(synchronize_session=False)
    ).all()


def enrol_by_rule() -> None:
    """The job: enrol whoever a path's audience fits, end what fits no more and was not begun."""
    for path_id in db.session.scalars(select(Path.id)).all():
        reached: int | None = 0
        while reached is not None:
            reached = _enrol_some(path_id, reached)
        with transaction():
            _end_those_who_left(db.session.get_one(Path, path_id))


def _enrol_some(path_id: int, after: int) -> int | None:
    """Enrol the next of those whose id comes after `after`; return the last id, None at the end."""
    with transaction():
        path = db.session.get_one(Path, path_id)
        enrolled = exists().where(
            Enrolment.person_id == Person.id,
            Enrolment.path_id == path_id,
            Enrolment.ended_at.is_(None),
        )
        found = db.session.scalars(
            select(Person.id)
            .where(*audience(path.audience, clock.today()), ~enrolled, Person.id > after)
            .order_by(Person.id)
            .limit(BATCH)
        ).all()
        enrol(path, found, by_rule=True)
    return found[-1] if len(found) == BATCH else None


def _end_those_who_left(path: Path) -> None:
    fits = select(Person.id).where(*audience(path.audience, clock.today(), hired=False))
    begun = exists().where(
        Attempt.person_id == Enrolment.person_id,
        Attempt.course_id.in_(select(PathCourse.course_id).where(PathCourse.path_id == path.id)),
        Attempt.cycle >= Enrolment.cycle,
    )
    ended = db.session.scalars(
        update(Enrolment)
        .where(
            Enrolment.path_id == path.id,
            Enrolment.by_rule,
            Enrolment.ended_at.is_(None),
            Enrolment.person_id.not_in(fits),
            ~begun,
        )
        .values(ended_at=clock.now())
        .returning(Enrolment.person_id)
        .execution_options(synchronize_session=False)
    ).all()
    note_path(path.slug, ended)


def people_changed(_event: PeopleChanged) -> None:
    """Listener: somebody came, moved or changed role; the job looks who fits what now."""
    wake("courses.enrol")


def find_enrolments(person_id: int) -> list[tuple[Enrolment, Path]]:
    """Return the person's open enrolments with their paths, the soonest due first."""
    rows = db.session.execute(
        select(Enrolment, Path)
        .join(Path, Path.id == Enrolment.path_id)
        .where(Enrolment.person_id == person_id, Enrolment.ended_at.is_(None))
        .order_by(Enrolment.due_at.is_(None), Enrolment.due_at, Path.position, Path.id)
    )
    return [(enrolment, path) for enrolment, path in rows]

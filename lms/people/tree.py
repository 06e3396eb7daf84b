"""The organisation as a tree: who stands below whom, asked of the database in one query.

`Person.manager_id` is the whole truth. Queries climb or descend with a recursive CTE whose UNION
drops rows already seen, so that even a circle that slipped into the data ends.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, Select, exists, literal, select, update
from sqlalchemy.orm import aliased

from lms.db import db
from lms.events import PeopleChanged, publish
from lms.people.models import Person, Unit


def below(person_id: int, direct: bool = False, active_only: bool = True) -> Select[tuple[int]]:
    """Return a select of the ids of those below a person, without the person.

    direct: only those who report to the person; otherwise everybody further down as well.
    active_only: leave out people who are not active; the way down still leads through them.
    """
    if direct:
        found = select(Person.id).where(Person.manager_id == person_id, Person.id != person_id)
    else:
        rows = _descent(person_id)
        found = select(Person.id).join(rows, rows.c.id == Person.id).where(Person.id != person_id)
    return found.where(Person.active) if active_only else found


def _descent(person_id: int) -> CTE:
    first = select(Person.id).where(Person.manager_id == person_id).cte("below", recursive=True)
    report = aliased(Person)
    return first.union(select(report.id).where(report.manager_id == first.c.id))


def chain(person_id: int) -> Select[tuple[int]]:
    """Return a select of the ids of those above a person: the manager, the manager's manager, ..."""
    first = (
        select(Person.manager_id.label("id"))
        .where(Person.id == person_id, Person.manager_id.is_not(None))
        .cte("above", recursive=True)
    )
    higher = aliased(Person)
    rows = first.union(
        select(higher.manager_id).where(higher.id == first.c.id, higher.manager_id.is_not(None))
    )
    return select(rows.c.id).where(rows.c.id != person_id)


def is_above(viewer: Person, person: Person) -> bool:
    """Whether `viewer` manages `person`, directly or over others; nobody is above themself."""
    if viewer.id == person.id or person.manager_id is None:
        return False
    if person.manager_id == viewer.id:
        return True
    asked: Select[Any] = select(literal(1)).where(literal(viewer.id).in_(chain(person.id)))
    return db.session.scalar(asked) is not None


def units_below(unit_id: int) -> Select[tuple[int]]:
    """Return a select of the ids of a unit and of every unit inside it."""
    first = select(Unit.id).where(Unit.id == unit_id).cte("units", recursive=True)
    part = aliased(Unit)
    rows = first.union(select(part.id).where(part.parent_id == first.c.id))
    return select(rows.c.id)


def refresh_managers() -> None:
    """Make `is_manager` say what the tree says: somebody active reports to this person.

    One statement for everybody; rows that are right already are not touched. Whoever became a
    manager, or is none any more, is told of as changed.
    """
    report = aliased(Person)
    has_reports = exists().where(report.manager_id == Person.id, report.active)
    turned: set[int] = set()
    for value, wrong in ((True, has_reports), (False, ~has_reports)):
        turned |= set(
            db.session.scalars(
                update(Person)
                .where(wrong, Person.is_manager.is_not(value))
                .values(is_manager=value)
                .returning(Person.id)
                .execution_options(synchronize_session=False)
            )
        )
    db.session.expire_all()
    if turned:
        publish(PeopleChanged(frozenset(turned)))

"""The demo company's people: inserted in bulk, then known by their employee numbers."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from lms.db import db, transaction
from lms.demo.company import ADMINISTRATOR, AUTHOR, Company
from lms.events import PeopleChanged, publish
from lms.people.models import Identity, Person, Unit


def bring_in(company: Company) -> dict[str, int]:
    """Add units and people; return employee number to person id."""
    ids: dict[str, int] = {}
    with transaction() as session:
        units: dict[str, Unit] = {}
        for name, parent in company.units:
            units[name] = Unit(name=name, parent_id=units[parent].id if parent else None)
            session.add(units[name])
            session.flush()
        for member in company.members:
            given, family = member.name.split(" ", 1)
            person = Person(
                manager_id=ids.get(member.manager or ""),
                unit_id=units[member.unit].id,
                job_role=member.role,
                hired_on=member.hired_on,
                is_manager=member.role in {"executive", "people manager"},
                is_author=member.name == AUTHOR,
                is_administrator=member.name == ADMINISTRATOR,
            )
            person.identity = Identity(
                display_name=member.name,
                given_name=given,
                sort_name=f"{family} {given}",
                email=member.email,
                employee_number=member.key,
            )
            session.add(person)
            session.flush()
            ids[member.key] = person.id
        publish(PeopleChanged(frozenset(ids.values())))
    return ids


def uids(person_ids: Iterable[int]) -> dict[int, str]:
    """Return the opaque ids by person id."""
    found = db.session.execute(select(Person.id, Person.uid).where(Person.id.in_(list(person_ids))))
    return dict(found.tuples().all())

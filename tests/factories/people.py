"""People for tests: plainly invented, one call each."""

from __future__ import annotations

import itertools
from typing import Any

from lms.db import db
from lms.people.models import Identity, Person, Unit

_numbers = itertools.count(1)


def make_person(name: str = "", manager: Person | None = None, **fields: Any) -> Person:
    """Make and commit a person; `fields` are columns of Person, or `email` of Identity."""
    number = next(_numbers)
    display_name = name or f"Person {number}"
    email = fields.pop("email", f"person{number}@example.test")
    person = Person(manager_id=manager.id if manager else None, **fields)
    person.identity = Identity(
        display_name=display_name,
        given_name=display_name.split()[0],
        sort_name=display_name,
        email=email,
    )
    if manager is not None:
        manager.is_manager = True
    db.session.add(person)
    db.session.commit()
    return person


def make_unit(name: str = "", parent: Unit | None = None) -> Unit:
    """Make and commit a part of the organisation."""
    unit = Unit(name=name or f"Unit {next(_numbers)}", parent_id=parent.id if parent else None)
    db.session.add(unit)
    db.session.commit()
    return unit

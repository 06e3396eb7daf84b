"""People for tests: plainly invented, one call each."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import func, insert, select, text

from lms.db import db
from lms.people.joining import sort_name
from lms.people.models import Identity, Person, Unit
from lms.people.search import keep_words

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
        sort_name=sort_name(display_name),
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


def make_people(count: int, manager: Person | None = None, **fields: Any) -> list[int]:
    """Make and commit many people at once; return their ids. For tests of large companies."""
    first = db.session.scalar(select(func.coalesce(func.max(Person.id), 0))) or 0
    ids = list(range(first + 1, first + count + 1))
    manager_id = manager.id if manager else None
    rows = [{"id": one, "manager_id": manager_id, **fields} for one in ids]
    db.session.execute(insert(Person), rows)
    db.session.execute(
        insert(Identity),
        [
            {
                "person_id": one,
                "display_name": f"Many {one}",
                "given_name": "Many",
                "sort_name": f"{one:07d}",
                "email": f"many{one}@example.test",
            }
            for one in ids
        ],
    )
    keep_words(ids)
    if manager is not None:
        manager.is_manager = True
    if db.engine.dialect.name == "postgresql":
        db.session.execute(
            text("SELECT setval('lms_person_id_seq', (SELECT max(id) FROM lms_person))")
        )
    db.session.commit()
    return ids

"""The organisation: who is below whom, against an oracle, with circles in the data too."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms.db import db
from lms.people.models import Person
from lms.people.names import display_names, names
from lms.people.tree import below, chain, is_above, refresh_managers, units_below
from tests.factories.people import make_people, make_person, make_unit
from tests.queries import counted

SIZE = 8


def ids(found: object) -> set[int]:
    return set(db.session.scalars(found))  # type: ignore[call-overload]


def climb(managers: Sequence[int | None], start: int) -> set[int]:
    """The oracle: walk up in Python until the top, or until the walk comes round."""
    seen: set[int] = set()
    at = managers[start]
    while at is not None and at not in seen:
        seen.add(at)
        at = managers[at]
    return seen - {start}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(managers=st.lists(st.none() | st.integers(0, SIZE - 1), min_size=SIZE, max_size=SIZE))
def test_tree_agrees_with_oracle(app: Flask, managers: list[int | None]) -> None:
    people = [Person() for _ in range(SIZE)]
    db.session.add_all(people)
    db.session.flush()
    for person, manager in zip(people, managers, strict=True):
        person.manager_id = None if manager is None else people[manager].id
    db.session.flush()
    above = [climb(managers, one) for one in range(SIZE)]
    for one in range(SIZE):
        assert ids(chain(people[one].id)) == {people[other].id for other in above[one]}
        assert ids(below(people[one].id)) == {
            people[other].id for other in range(SIZE) if one in above[other]
        }
        assert ids(below(people[one].id, direct=True)) == {
            people[other].id for other in range(SIZE) if managers[other] == one != other
        }
        for other in range(SIZE):
            assert is_above(people[one], people[other]) == (one in above[other])
    db.session.rollback()


def test_inactive_people_are_left_out_but_led_through(app: Flask) -> None:
    top = make_person()
    away = make_person(manager=top, active=False)
    low = make_person(manager=away)
    assert ids(below(top.id)) == {low.id}
    assert ids(below(top.id, active_only=False)) == {away.id, low.id}
    assert ids(below(top.id, direct=True)) == set()


def test_managers_are_those_with_active_reports(app: Flask) -> None:
    top = make_person()
    report = make_person(manager=top)
    refresh_managers()
    assert (top.is_manager, report.is_manager) == (True, False)
    report.active = False
    refresh_managers()
    assert top.is_manager is False


def test_units_hold_units(app: Flask) -> None:
    plant = make_unit("Plant")
    line = make_unit("Line", parent=plant)
    make_unit("Office")
    assert ids(units_below(plant.id)) == {plant.id, line.id}


@pytest.mark.parametrize("count", [10, 1000])
def test_names_of_a_set_are_one_query(app: Flask, count: int) -> None:
    made = make_people(count)
    with counted() as queries:
        found = names(below(0).where(Person.id > 0)) if count == 0 else names(made)
    assert len(found) == count
    assert len(queries) == 1


def test_somebody_without_a_name_is_still_listed(app: Flask) -> None:
    person = make_person("Leila Haddad")
    nobody = Person()
    db.session.add(nobody)
    db.session.commit()
    with app.test_request_context():
        assert display_names([person.id, nobody.id, 999_999]) == {
            person.id: "Leila Haddad",
            nobody.id: "Somebody who has left",
        }
        assert display_names(below(person.id)) == {}

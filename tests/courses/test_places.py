"""Those above see on which lesson somebody is, and never what was answered, or when."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import select

from courses.catalogue.models import Course
from courses.paths.enrolment import enrol
from courses.progress.walk import take
from lms.db import db
from lms.people.models import Person
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person

SignIn = Callable[[Person], FlaskClient]


def test_a_persons_page_says_on_which_lesson_they_are(sign_in: SignIn) -> None:
    boss = make_person("Greta Halden", is_manager=True)
    begun, fresh, done = (
        make_person(name, boss) for name in ("Imani Okafor", "Leila Haddad", "Tomasz Wrona")
    )
    path = make_path(make_course("ask"), slug="first")
    enrol(path, [begun.id, fresh.id, done.id])
    course = db.session.scalars(select(Course)).one()
    take(begun, course, 3)
    take(done, course)
    db.session.commit()
    browser = sign_in(boss)

    def page(person: Person) -> str:
        return browser.get(f"/team/people/{person.uid}").text

    assert "On lesson 1 of 2" in page(begun)
    assert "On lesson" not in page(fresh)
    assert "On lesson" not in page(done)
    take(begun, course, 2)
    db.session.commit()
    assert "On lesson 2 of 2" in page(begun)

"""Whatever a page says of one course comes from one version: the learner's own, once they began."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from courses.catalogue.document import Document, Lesson
from courses.catalogue.models import Course
from courses.catalogue.services import publish, save_draft
from courses.paths.enrolment import enrol
from courses.progress.measures import completed
from courses.progress.walk import take
from lms.db import db
from lms.evidence import Filter, Window
from lms.people.models import Person
from tests.factories.courses import make_course, make_path, text_card
from tests.factories.people import make_person

SignIn = Callable[[Person], FlaskClient]

# Nothing of one version reads like anything of the other, numbers included.
OLD = Document(
    title="First title",
    summary="First summary.",
    lessons=(
        Lesson("one", "First opening", 2, (text_card("a", "First card"), text_card("b"))),
        Lesson("two", "First end", 2, (text_card("c"),)),
    ),
)
NEW = Document(
    title="Second title",
    summary="Second summary.",
    lessons=tuple(
        Lesson(f"new-{n}", f"Second lesson {n}", 9, (text_card(f"n{n}", "Second card"),))
        for n in range(7)
    ),
)


def rewrite(course: Course) -> None:
    save_draft(course, NEW, course.draft_revision)
    publish(course)
    db.session.commit()


def one_of_two_done(person: Person, course: Course) -> None:
    take(person, course, cards=2)
    rewrite(course)


PAGES = {
    "/": ("First end", "First title", "First summary", "lesson 2 of 2, 2 minutes", "1 of 2"),
    "/courses/paths/way": ("First title", "First summary.", "2 lessons", "4 minutes", "1 of 2"),
    "/courses/renewed/": ("First title", "First end", "2 lessons, 4 minutes", "1 of 2"),
    "/courses/renewed/two/c": ("First title",),
    "/courses/renewed/one/done": ("First title", "First opening", "First end", "1 of 2"),
    "/courses/pack/renewed/two": ("First title", "First end"),
}


@pytest.mark.parametrize(("address", "said"), PAGES.items())
def test_who_is_in_the_middle_reads_their_version_alone(
    app: Flask, sign_in: SignIn, address: str, said: tuple[str, ...]
) -> None:
    course, person = make_course("renewed", OLD), make_person()
    enrol(make_path(course, slug="way", title="A way"), [person.id])
    one_of_two_done(person, course)
    page = sign_in(person).get(address).text
    assert [words for words in said if words not in page] == []
    assert re.findall(r"Second|\b9 minutes|\b63 minutes|of 7\b|\b7 lessons", page) == []


def test_the_catalogue_says_one_version_of_what_was_begun(app: Flask, sign_in: SignIn) -> None:
    course, person = make_course("renewed", OLD), make_person()
    one_of_two_done(person, course)
    page = sign_in(person).get("/courses/").text
    assert "First title" in page
    assert "2 lessons, 4 minutes" in page
    assert "Second" not in page
    other = sign_in(make_person()).get("/courses/").text
    assert "Second title" in other
    assert "7 lessons, 63 minutes" in other
    assert "First" not in other


def test_a_finished_course_stays_the_one_that_was_finished(app: Flask, sign_in: SignIn) -> None:
    course, person = make_course("renewed", OLD), make_person()
    path = make_path(course, make_course("after", OLD), slug="way", title="A way")
    enrol(path, [person.id])
    take(person, course)
    rewrite(course)
    browser = sign_in(person)
    for address in ("/courses/paths/way", "/courses/renewed/", "/courses/renewed/done"):
        page = browser.get(address).text
        assert "First title" in page, address
        assert "Second" not in page, address
    assert "2 of 4 lessons done" in browser.get("/courses/paths/way").text


def test_the_next_course_at_the_end_of_one_is_of_one_version(app: Flask, sign_in: SignIn) -> None:
    ended, course, person = make_course("ended", OLD), make_course("renewed", OLD), make_person()
    enrol(make_path(ended, course, slug="way", title="A way"), [person.id])
    one_of_two_done(person, course)
    take(person, ended)
    db.session.commit()
    page = sign_in(person).get("/courses/ended/done").text
    assert "2 minutes" in page
    assert "First summary." in page
    assert "Second" not in page


def test_a_certificate_names_the_course_as_the_learner_knows_it(app: Flask) -> None:
    course, person = make_course("renewed", OLD), make_person()
    one_of_two_done(person, course)
    where = Filter(target="course/renewed")
    with app.test_request_context():
        mine = completed.missing(person.id, Window(), where, 1).text
        theirs = completed.missing(make_person().id, Window(), where, 1).text
    assert "First title" in mine
    assert "Second title" in theirs

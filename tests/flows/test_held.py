"""What is held about a person is told in sentences; what is kept stands behind them as JSON."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import select

from courses.catalogue.models import Course
from courses.progress.walk import take
from lms.db import db
from lms.people.models import Person
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person

SignIn = Callable[[Person], FlaskClient]


def test_learning_is_told_in_sentences(sign_in: SignIn) -> None:
    person = make_person("Imani Okafor")
    make_path(make_course("ask"), slug="first")
    take(person, db.session.scalars(select(Course)).one())
    db.session.commit()
    page = html.unescape(sign_in(person).get("/me/held").text)
    said = re.sub(r"<details.*?</details>", "", page, flags=re.S)
    assert "You completed “Ask well”." in said
    assert "You began “Ask well” on" in said
    assert re.search(r"To “[^”]+” in “Ask well” you answered: ", said)
    assert said.count("You completed “Ask well”.") == 2  # by us, and as a statement
    for raw in ("http://adlnet.gov", '"verb"', "course/ask"):
        assert raw not in said
        assert raw in page


def test_an_answer_is_told_with_how_it_went(sign_in: SignIn) -> None:
    person = make_person("Tomasz Wrona")
    make_path(make_course("ask"), slug="first")
    take(person, db.session.scalars(select(Course)).one(), 3)
    db.session.commit()
    page = html.unescape(sign_in(person).get("/me/held").text)
    assert re.search(r"You answered “[^”]+”. Your answer was (not )?right.", page)
    assert re.search(r"You began “Ask well” on .*, and were last there on ", page)

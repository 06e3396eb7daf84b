"""The page that tells people what is held about them speaks for every package that holds something."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from courses.progress.walk import take
from lms.db import db
from lms.people.models import Person
from lms.plugin import Held, Plugin
from tests.factories.courses import make_course
from tests.factories.people import make_person

HOLDERS = ("courses.completions", "courses.attempts", "courses.answers", "xapi.statements")


@pytest.fixture
def held(app: Flask) -> dict[str, Held]:
    parts: list[Plugin] = app.extensions["lms.parts"]
    return {one.slug: one for part in parts for one in part.held}


def test_what_was_learned_is_told(
    app: Flask, held: dict[str, Held], sign_in: Callable[[Person], FlaskClient]
) -> None:
    imani, jonas = make_person("Imani Okafor"), make_person("Jonas Brandt")
    take(imani, make_course("ask-well"))
    db.session.commit()
    for slug in HOLDERS:
        assert held[slug].rows(imani.id), slug
        assert held[slug].rows(jonas.id) == [], slug
    browser = sign_in(imani)
    assert "Your answers" in browser.get("/me/held").get_data(as_text=True)
    assert "ask-well" in browser.get("/me/held.json").get_data(as_text=True)
    assert held["certificates.awards"].rows(imani.id) == []

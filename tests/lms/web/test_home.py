"""The first page, the navigation and the language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms import clock
from lms.db import db
from lms.people.models import Person
from lms.plugin import Audience, HomeCard, NavItem, Plugin
from lms.web.home import build_home, greeting
from tests.factories.people import make_person
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]


@pytest.mark.parametrize(
    ("hour", "words"),
    [(3, "Good evening"), (4, "Good morning"), (11, "Good morning"), (12, "Good afternoon"),
     (17, "Good afternoon"), (18, "Good evening"), (23, "Good evening")],
)  # fmt: skip
def test_the_greeting_fits_the_hour(app: Flask, hour: int, words: str) -> None:
    with app.test_request_context():
        moment = dt.datetime(2026, 11, 23, hour, tzinfo=dt.UTC)
        assert greeting("Imani", moment, None) == f"{words}, Imani."
        assert greeting("", moment, "Three minutes?") == f"{words}. Three minutes?"


def test_the_hour_is_that_of_the_company(make_app: Callable[..., Flask]) -> None:
    app = make_app(LMS_TIME_ZONE="Asia/Tokyo")
    with app.app_context(), app.test_request_context():
        person = make_person("Imani Okafor")
        with clock.travel(dt.datetime(2026, 11, 22, 23, 30, tzinfo=dt.UTC)):
            assert build_home(person).greeting == "Good morning, Imani."


def _cards(app: Flask, *cards: HomeCard) -> None:
    app.extensions["lms.parts"] = [
        *[part for part in app.extensions["lms.parts"] if not part.home_cards],
        Plugin(name="cards", label="cards", home_cards=cards),
    ]


def test_an_empty_page_says_so(app: Flask, sign_in: SignIn) -> None:
    _cards(app)
    assert "Nothing is waiting for you" in sign_in(make_person()).get("/").text


def test_one_card_has_the_primary_action(app: Flask) -> None:
    _cards(
        app,
        HomeCard("late", "late.html", lambda _id: {"primary": True, "question": "Later?"}, 20),
        HomeCard("silent", "silent.html", lambda _id: None, 5),
        HomeCard(
            "first",
            "first.html",
            lambda _id: {"primary": True, "eyebrow": "Day 6", "minutes": 3},
            10,
        ),
        HomeCard("plain", "plain.html", lambda _id: {}, 15),
    )
    with app.test_request_context():
        home = build_home(make_person("Imani Okafor"))
    assert [(card.template, card.primary) for card in home.cards] == [
        ("first.html", True),
        ("plain.html", False),
        ("late.html", False),
    ]
    assert home.eyebrow == "Day 6"
    assert home.greeting.endswith("Imani. Three minutes?")


def test_navigation_shows_each_what_is_theirs(app: Flask, sign_in: SignIn) -> None:
    app.extensions["lms.parts"] = [
        *app.extensions["lms.parts"],
        Plugin(
            name="places",
            label="places",
            navigation=(
                NavItem("Write a course", "web.settings", Audience.AUTHOR, 20),
                NavItem("Your team, so to say", "web.settings", Audience.MANAGER, 30),
                NavItem("The engine room", "web.settings", Audience.ADMINISTRATOR, 40),
            ),
        ),
    ]
    learner = sign_in(make_person()).get("/").text
    assert "Write a course" not in learner
    assert 'aria-current="page"' in learner
    author = sign_in(make_person(is_author=True)).get("/").text
    assert "Write a course" in author
    assert "so to say" not in author
    administrator = sign_in(make_person(is_administrator=True)).get("/").text
    assert "so to say" in administrator
    assert "The engine room" in administrator


def test_language_is_kept_with_the_person(sign_in: SignIn) -> None:
    person = make_person()
    browser = sign_in(person)
    assert '<html lang="en" dir="ltr">' in browser.get("/settings").text
    assert browser.post("/language", data={"language": "ar"}).status_code == 302
    assert '<html lang="ar" dir="rtl">' in browser.get("/settings").text
    db.session.expire_all()
    assert person.language == "ar"


def test_language_of_somebody_who_has_not_signed_in(client: FlaskClient) -> None:
    client.post("/language", data={"language": "fr"})
    assert '<html lang="fr"' in client.get("/no-such-page").text


def test_a_language_we_do_not_speak_is_refused(client: FlaskClient) -> None:
    assert client.post("/language", data={"language": "tlh"}).status_code == 422


def test_the_browser_is_asked_first(client: FlaskClient) -> None:
    page = client.get("/no-such-page", headers={"Accept-Language": "de-CH,de;q=0.9"}).text
    assert '<html lang="de"' in page


def test_the_shell_costs_one_query_for_the_person(app: Flask, sign_in: SignIn) -> None:
    browser = sign_in(make_person())
    _cards(app)
    with counted() as seen:
        browser.get("/settings")
    assert len(seen) <= 2, seen

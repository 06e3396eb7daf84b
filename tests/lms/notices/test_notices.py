"""Notices: durable, once for each key, told in the reader's language, forgotten on erasing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.db import db
from lms.events import PersonErased, publish
from lms.notices.held import told
from lms.notices.models import Notice
from lms.notices.services import newest, send, send_many, sent_keys
from lms.notices.stops import stop
from lms.people.models import Person
from lms.plugin import NoticeKind
from lms.teams.nudges import NUDGE, THANKS, nudge
from tests.factories.people import make_person
from tests.queries import counted
from tests.reading import sentences

SignIn = Callable[[Person], FlaskClient]


def test_a_key_is_sent_once(app: Flask) -> None:
    person = make_person()
    assert send(THANKS.slug, person.id, "once", manager_person_id=person.id)
    assert not send(THANKS.slug, person.id, "once", manager_person_id=person.id)
    db.session.commit()
    assert len(newest(person.id)) == 1
    assert sent_keys(["once", "never"]) == {"once"}


def test_many_cost_few_queries(app: Flask) -> None:
    people = [make_person() for _ in range(30)]
    rows = [(one.id, f"key {one.id}", {"manager_person_id": one.id}) for one in people]
    with counted() as seen:
        assert send_many(THANKS.slug, [*rows, *rows[:3]]) == 30
    assert len(seen) == 1


def test_a_kind_that_nobody_declares_is_a_fault(app: Flask) -> None:
    with pytest.raises(KeyError, match=r"made\.up"):
        send("made.up", make_person().id, "x")


def test_what_is_rolled_back_was_never_sent(app: Flask) -> None:
    person = make_person()
    send(THANKS.slug, person.id, "gone", manager_person_id=person.id)
    db.session.rollback()
    assert newest(person.id) == []


def test_the_page_names_people_as_they_are_called_now(app: Flask, sign_in: SignIn) -> None:
    boss, person = make_person("Greta Halden"), make_person("Imani Okafor")
    nudge(boss, person.id, ["First 30 days"])
    assert boss.identity is not None
    boss.identity.display_name = "Greta Halden-Berg"
    db.session.commit()
    browser = sign_in(person)
    page = browser.get("/notices").text
    assert "Greta Halden-Berg asks: can you look at First 30 days?" in sentences(page)
    assert "One thing is new" in page
    assert "Nothing new since you looked" in browser.get("/notices").text


def test_the_first_page_says_what_is_new_until_it_is_seen(app: Flask, sign_in: SignIn) -> None:
    boss, person = make_person("Greta Halden"), make_person("Imani Okafor")
    nudge(boss, person.id, ["First 30 days"])
    db.session.commit()
    browser = sign_in(person)
    assert "Greta Halden asks" in sentences(browser.get("/").text)
    browser.get("/notices")
    assert "Greta Halden asks" not in sentences(browser.get("/").text)


def test_nobody_sees_what_others_were_told(app: Flask, sign_in: SignIn) -> None:
    boss, person = make_person("Greta Halden"), make_person("Imani Okafor")
    nudge(boss, person.id, ["First 30 days"])
    db.session.commit()
    assert "It is quiet here" in sign_in(make_person()).get("/notices").text


def test_titles_are_text(app: Flask, sign_in: SignIn) -> None:
    person = make_person()
    nudge(person, person.id, ["<script>alert(1)</script>%(x)s"])
    db.session.commit()
    page = sign_in(person).get("/notices").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_erasing_a_person_forgets_what_they_were_told(app: Flask) -> None:
    person, other = make_person(), make_person()
    for one in (person, other):
        send(THANKS.slug, one.id, f"key {one.id}", manager_person_id=other.id)
    publish(PersonErased(person.id))
    db.session.commit()
    assert db.session.scalars(select(Notice.person_id)).all() == [other.id]


def test_every_kind_says_why_it_is_sent(app: Flask) -> None:
    for part in app.extensions["lms.parts"]:
        for kind in part.notice_kinds:
            assert isinstance(kind, NoticeKind)
            assert len(kind.purpose) > 20
            app.jinja_env.get_template(f"{kind.template}.txt")


def test_kinds_here_are_named_after_their_room() -> None:
    assert NUDGE.slug.startswith("teams.")


def test_a_person_sees_all_that_is_held_of_what_they_were_told(app: Flask, sign_in: SignIn) -> None:
    boss, person = make_person("Greta Halden"), make_person("Imani Okafor")
    nudge(boss, person.id, ["First 30 days"])
    stop(person.id, THANKS)
    db.session.commit()
    page = sign_in(person).get("/me/held").text
    assert "What you were told" in page
    assert "Greta Halden asks: can you look at First 30 days?" in page
    assert THANKS.slug in page
    publish(PersonErased(person.id))
    db.session.commit()
    assert told(person.id) == []

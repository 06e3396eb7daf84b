"""Mail that can be stopped is stopped by one click, stays on the page, and can be had again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.db import db
from lms.notices.mailing import mail_waiting
from lms.notices.services import newest
from lms.notices.stops import STOP_PATH, stop, stoppable
from lms.people.models import Person
from lms.teams.nudges import THANKS, nudge, thank
from tests.factories.people import make_person
from tests.mailboxes import Sink, mail_server

pytestmark = pytest.mark.network
SignIn = Callable[[Person], FlaskClient]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with mail_server() as made:
        yield made


@pytest.fixture
def app(make_app: Callable[..., Flask], sink: Sink) -> Iterator[Flask]:
    made = make_app(LMS_MAIL_SERVER="127.0.0.1", LMS_MAIL_PORT=sink.port, WTF_CSRF_ENABLED=True)
    with made.app_context():
        yield made
        db.session.rollback()


def thanked(sink: Sink, times: int = 1) -> tuple[Person, str]:
    """Thank somebody by mail; return them, and the link in the mail's header."""
    person = make_person("Imani Okafor", email="imani@halden.test")
    thank(make_person("Greta Halden"), person.id, times)
    db.session.commit()
    mail_waiting()
    header = sink.taken[-1][1]["List-Unsubscribe"]
    assert header.startswith("<http://localhost/mail/stop/")
    return person, header.strip("<>").removeprefix("http://localhost")


def thank_again(sink: Sink, person: Person) -> int:
    """Thank once more; return how many mails have arrived by now."""
    thank(make_person("Jonas Brandt"), person.id, 2)
    db.session.commit()
    mail_waiting()
    return len(sink.taken)


def test_a_mail_program_stops_a_kind_with_one_click(app: Flask, sink: Sink) -> None:
    person, link = thanked(sink)
    mail = sink.taken[0][1]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for part in ("plain", "html"):
        body = mail.get_body((part,))
        assert body is not None
        assert link in body.get_content()
    answer = app.test_client().post(link, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 204
    assert thank_again(sink, person) == 1
    assert len(newest(person.id)) == 2  # on the page all the same


def test_opening_the_link_stops_nothing_and_its_button_does(app: Flask, sink: Sink) -> None:
    person, link = thanked(sink)
    browser = app.test_client()
    page = browser.get(link).text
    assert "Stop these mails?" in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    assert thank_again(sink, person) == 2
    answer = browser.post(f"{link}/now", data={"csrf_token": token.group(1)}, follow_redirects=True)
    assert "These mails have stopped" in answer.text
    thank(make_person("Leila Haddad"), person.id, 3)
    db.session.commit()
    mail_waiting()
    assert len(sink.taken) == 2


def test_what_was_stopped_is_had_again_on_a_page(app: Flask, sink: Sink, sign_in: SignIn) -> None:
    person, _link = thanked(sink)
    stop(person.id, THANKS)
    db.session.commit()
    browser = sign_in(person)
    page = browser.get("/notices/mail").text
    assert f'value="{THANKS.slug}">' in page  # not ticked
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    every = [kind.slug for kind in stoppable()]
    browser.post("/notices/mail", data={"csrf_token": token.group(1), "kind": every})
    assert thank_again(sink, person) == 2


def test_what_others_ask_is_always_mailed(app: Flask, sink: Sink) -> None:
    person = make_person("Imani Okafor", email="imani@halden.test")
    nudge(make_person("Greta Halden"), person.id, ["First 30 days"])
    db.session.commit()
    mail_waiting()
    assert sink.taken[0][1]["List-Unsubscribe"] is None
    assert sink.taken[0][1]["List-Unsubscribe-Post"] is None


@pytest.mark.parametrize("forge", ["", "x", "nonsense.here"])
def test_a_link_that_is_not_ours_stops_nothing(app: Flask, sink: Sink, forge: str) -> None:
    _person, link = thanked(sink)
    forged = link[: -len(forge)] + forge if forge else f"{STOP_PATH}/{link[-20:]}"
    browser = app.test_client()
    assert browser.get(forged).status_code == 404
    assert browser.post(forged).status_code == 404

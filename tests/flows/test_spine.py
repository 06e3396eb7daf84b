"""The spine, with nothing made up in between: what ships, a signed push, an award, its statement."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select

from certificates.catalogue import load_library as load_certificates
from certificates.models import Award
from courses.catalogue.services import get_course
from courses.exchange.library import load_library as load_courses
from courses.paths.enrolment import enrol_by_rule
from courses.progress.walk import take
from lms import clock
from lms.db import db, transaction
from lms.jobs.queue import run_pending
from lms.people.models import Person
from lms.people.services import rename
from tests.factories.courses import make_course
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_person
from tests.xapi.lrs import Provider
from xapi.outbox.models import OutboxStatement

FIRST_DAY = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
COURSES = (
    "why-we-have-a-network",
    "ask-a-question-that-gets-an-answer",
    "work-out-loud-safely",
)
SignIn = Callable[[Person], FlaskClient]


@pytest.fixture
def imani(app: Flask) -> Person:
    """A new colleague in a house where everything that ships is in force."""
    assert load_courses().refused == {}
    with transaction():
        load_certificates()
    person = make_person(
        "Imani Okafor", email="imani@example.test", hired_on=clock.now().date(), job_role="planner"
    )
    enrol_by_rule()
    return person


def texts() -> dict[str, str]:
    """Return every recorded statement by its id, as it was written."""
    rows = db.session.execute(select(OutboxStatement.statement_id, OutboxStatement.text))
    return dict(rows.tuples().all())


def held(provider: Provider, person: Person, **query: Any) -> dict[str, dict[str, Any]]:
    """Return the statements that the record store holds about a person, by id."""
    home = person_home(provider)
    agent = {"account": {"homePage": home, "name": person.uid}}
    found = provider.find_statements(agent=orjson.dumps(agent).decode(), **query)
    return {one["id"]: one for one in found}


def person_home(provider: Provider) -> str:
    return str(provider.client.application.config["LMS_HOME_PAGE"])


def test_from_what_ships_and_a_signed_push_to_a_certificate(
    app: Flask, client: FlaskClient, imani: Person, sign_in: SignIn
) -> None:
    connector, secret = make_connector()
    account = {"id": "u1", "email": "Imani@Example.test"}
    with clock.travel(FIRST_DAY):
        for slug in COURSES:
            take(imani, get_course(slug))
        db.session.commit()
        run_pending()
        events = [
            act("u1", "joined", group="g1", group_kind="work"),
            act("u1", recipient="u2", client="mobile"),
            act("u1", recipient="u3"),
            act("u1", recipient="u1"),  # an answer to oneself answers nobody
        ]
        assert deliver(client, connector, secret + "x", events, [account]).status_code == 401
        assert deliver(client, connector, secret, events, [account]).status_code == 202
        run_pending()
    browser = sign_in(imani)
    assert db.session.scalars(select(Award)).all() == []
    with clock.travel(FIRST_DAY + dt.timedelta(hours=1)):
        shown = browser.get("/certificates/earn/connected-colleague").text
    assert "3 done, 2 to go." in shown
    assert "2 of 3" in shown
    assert "Answer one more person, by 15 November." in shown

    with clock.travel(FIRST_DAY + dt.timedelta(days=1)):
        again = act("u1", recipient="u4")
        for taken in (202, 200, 200):  # a push that is repeated is acknowledged, and no more
            assert deliver(client, connector, secret, [again]).status_code == taken
            run_pending()
    award = db.session.scalars(select(Award)).one()
    assert award.person_id == imani.id
    assert award.definition.slug == "connected-colleague"
    assert [one["have"] for one in award.evidence["conditions"]] == [1, 3, 2, 1, 1]

    # The record store, asked over HTTP as another system would, holds what happened.
    provider = Provider(app)
    store = held(provider, imani)
    assert store.keys() == texts().keys()
    earned = store[award.statement_id]
    assert earned["verb"]["id"] == "http://id.tincanapi.com/verb/earned"
    assert earned["object"]["id"].endswith("/activities/certificates/connected-colleague/v1")
    assert list(held(provider, imani, verb="http://id.tincanapi.com/verb/earned")) == [
        award.statement_id
    ]
    assert len(held(provider, imani, verb="http://id.tincanapi.com/verb/replied")) == 3
    assert all(one["actor"]["account"]["name"] == imani.uid for one in store.values())

    # What is frozen names the statements that counted, as few as suffice, and they are there.
    path, recipients, days, group, phone = (
        [store[one] for one in condition["statements"]]
        for condition in award.evidence["conditions"]
    )
    assert [one["object"]["id"].rpartition("/")[2] for one in path] == ["first-30-days"]
    assert [one["verb"]["display"]["en"] for one in recipients] == ["replied"] * 3
    assert len({one["timestamp"][:10] for one in days}) == len(days) == 2
    assert [one["verb"]["display"]["en"] for one in group] == ["joined"]
    assert len(phone) == 1
    assert all(len(one["things_digest"]) == 64 for one in award.evidence["conditions"])
    assert "u2" not in orjson.dumps(award.evidence).decode()

    # The paper bears her name; the page that proves it needs no sign-in.
    paper = browser.get(f"/certificates/awards/{award.uid}/paper.pdf")
    assert paper.mimetype == "application/pdf"
    printed = " ".join(one.extract_text() for one in PdfReader(io.BytesIO(paper.data)).pages)
    paper.close()
    proof = client.get(f"/certificates/verify/{award.code}").text
    for line in ("Imani Okafor", "Connected Colleague", *award.printed["proved"]):
        assert line in " ".join(printed.split())
        assert line in proof


def test_a_changed_address_changes_no_statement(
    app: Flask, client: FlaskClient, imani: Person
) -> None:
    connector, secret = make_connector()
    first, second = make_course("first"), make_course("second")
    take(imani, first)
    account = {"id": "u1", "email": "imani@example.test"}
    deliver(client, connector, secret, [act("u1", recipient="u2")], [account])
    run_pending()
    provider = Provider(app)
    recorded, store = texts(), held(provider, imani)
    assert any("replied" in text for text in recorded.values())
    assert recorded.keys() == store.keys()

    # Some are delivered, some wait, when the address, the name and the number change.
    take(imani, second, 2)
    waiting = texts()
    assert len(waiting) > len(recorded)
    rename(imani, "Imani Okafor-Haddad", "imani.haddad@example.test", "77")
    db.session.commit()
    assert texts() == waiting
    run_pending()
    take(imani, second)
    deliver(client, connector, secret, [act("u1", recipient="u3")])
    run_pending()

    after = held(provider, imani)
    assert after.keys() == texts().keys()
    assert {one: after[one] for one in store} == store
    assert {one: texts()[one] for one in waiting} == waiting
    actors = {orjson.dumps(one["actor"], option=orjson.OPT_SORT_KEYS) for one in after.values()}
    assert len(actors) == 1
    assert not any(
        word in text.lower()
        for text in texts().values()
        for word in ("imani", "example.test", '"mbox')
    )
    assert sum("replied" in text for text in texts().values()) == 2  # the link to her account holds


def test_another_device_opens_the_exact_card_with_what_was_answered(
    app: Flask, sign_in: SignIn
) -> None:
    person = make_person()
    take(person, make_course("ask"), 2)
    phone, desk = sign_in(person), sign_in(person)
    page = phone.get("/courses/ask/why/which")
    assert page.status_code == 200
    attempt = page.text.split('name="attempt" value="')[1].split('"')[0]
    data = {"attempt": attempt, "act": "answer", "response": "0"}
    assert phone.post("/courses/ask/why/which", data=data).status_code == 303
    # On the question that was answered and not left, with the same answer and its feedback.
    for door in ("/courses/ask/start", "/courses/ask/why/"):
        answer = desk.post(door) if door.endswith("start") else desk.get(door)
        assert answer.headers["Location"] == "/courses/ask/why/which"
    assert 'href="/courses/ask/why/which"' in desk.get("/").text
    shown = desk.get("/courses/ask/why/which").text
    assert "Not this one." in shown
    assert "Feedback 0." in shown
    assert desk.post("/courses/ask/why/which", data=data | {"act": "continue"}).status_code == 303
    assert phone.get("/courses/ask/why/").headers["Location"] == "/courses/ask/why/so"

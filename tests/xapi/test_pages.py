"""The administrator's pages: what waits, what was refused and why, what was recorded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms import clock
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.factories.people import make_person
from tests.xapi.test_delivery import MOMENT, FakeLrs, add_target, record
from xapi.delivery.outcome import Outcome, Verdict
from xapi.delivery.report import check_delivery
from xapi.outbox.models import Parked, Pending


@pytest.fixture
def browser(app: Flask, sign_in: Callable[[Person], FlaskClient]) -> FlaskClient:
    return sign_in(make_person("Jonas Brandt", is_administrator=True))


def test_all_is_well(app: Flask, browser: FlaskClient) -> None:
    record(3)
    assert "3 statements are on their way" in browser.get("/xapi/delivery").text
    run_pending()
    assert "Every statement has arrived" in browser.get("/xapi/delivery").text
    assert check_delivery() is None


def test_what_was_refused_is_shown_with_its_words_and_sent_again(
    app: Flask, browser: FlaskClient
) -> None:
    words = "<script>alert(1)</script> object.id is not an IRI"
    answers = [Outcome(Verdict.REFUSED, 400, words)]
    fake = add_target(app, lambda _ids: answers[-1] if answers else None)
    record(2)
    run_pending()
    page = browser.get("/xapi/delivery").text
    assert "2 statements were refused" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; object.id is not an IRI" in page
    assert "has refused 2 statements" in (check_delivery() or "")
    answers.clear()
    one = db.session.scalar(select(Parked.outbox_id).limit(1))
    answer = browser.post("/xapi/delivery/fake/again", data={"outbox_id": one})
    assert answer.status_code == 302
    run_pending()
    assert len(fake.held) == 1
    browser.post("/xapi/delivery/fake/again")
    run_pending()
    assert len(fake.held) == 2
    assert db.session.scalar(select(func.count()).select_from(Parked)) == 0


def test_a_store_that_fails_says_what_it_said_and_is_tried_now(
    app: Flask, browser: FlaskClient
) -> None:
    answers: list[Outcome] = [Outcome(Verdict.LATER, 503, "closed for repair")]
    fake = add_target(app, lambda _ids: answers[-1] if answers else None)
    record(2)
    run_pending()
    page = browser.get("/xapi/delivery").text
    assert "1 record store does not take statements just now" in page
    assert "closed for repair" in page
    answers.clear()
    browser.post("/xapi/delivery/fake/now")
    run_pending()
    assert len(fake.held) == 2


def test_everything_since_a_day(app: Flask, browser: FlaskClient) -> None:
    with clock.travel(MOMENT):
        record(3)
    with clock.travel(MOMENT + dt.timedelta(days=2)):
        late = record(2)
    fake: FakeLrs = add_target(app, lambda _ids: None)
    browser.post("/xapi/delivery/fake/since", data={"since": "2026-11-24"})
    run_pending()
    assert fake.held == late
    browser.post("/xapi/delivery/fake/since", data={"since": "yesterday"})
    assert db.session.scalar(select(func.count()).where(Pending.target == "fake")) == 0
    browser.post("/xapi/delivery/fake/since", data={"since": ""})
    run_pending()
    assert len(fake.held) == 7
    assert browser.post("/xapi/delivery/nowhere/since", data={"since": ""}).status_code == 404

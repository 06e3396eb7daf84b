"""Somebody's statements removed: the pages, the commands, and with who somebody is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.factories.people import make_person
from tests.xapi.lrs import OTHER, Provider, statement
from tests.xapi.test_removal import LEILA, MAIL, record, texts
from xapi.keeping import removal
from xapi.outbox import stores


@pytest.fixture
def provider(app: Flask) -> Provider:
    return Provider(app)


@pytest.fixture
def leila(app: Flask) -> Person:
    return make_person("Leila Haddad", email=MAIL)


@pytest.fixture
def browser(app: Flask, sign_in: Callable[[Person], FlaskClient]) -> FlaskClient:
    return sign_in(make_person("Jonas Brandt", is_administrator=True))


def test_the_page_says_what_goes_before_it_does(
    app: Flask, provider: Provider, leila: Person, browser: FlaskClient
) -> None:
    record(leila, 3)
    run_pending()
    provider.post([statement(actor=LEILA)])
    told = {"person": MAIL, "reason": "Case 7"}
    page = browser.post("/xapi/keeping/remove", data=told)
    assert page.status_code == 200
    assert "Remove the statements of Leila Haddad?" in page.text
    assert "4 statements in the built-in record store" in page.text
    assert "3 copies for sending" in page.text
    assert len(texts()) == 4
    answer = browser.post("/xapi/keeping/remove", data={**told, "sure": "y"})
    assert answer.status_code == 302
    assert "are being removed" in browser.get(answer.location).text
    again = browser.post("/xapi/keeping/remove", data={**told, "sure": "y"})
    assert again.status_code == 422
    assert "are being removed already" in again.text
    run_pending()
    page = browser.get(answer.location)
    assert "were removed" in page.text
    assert "Leila" not in page.text
    assert "Case 7" in browser.get("/xapi/keeping").text
    page = browser.post("/xapi/keeping/remove", data=told)
    assert "were removed before" in page.text
    assert "Nothing is held of them here." in page.text
    for wrong in ("", "nobody"):
        answer = browser.post("/xapi/keeping/remove", data={"person": wrong, "sure": "y"})
        assert answer.status_code == 422, wrong
        assert 'id="person-error"' in answer.text


def test_other_record_stores_are_named(
    app: Flask, provider: Provider, browser: FlaskClient
) -> None:
    provider.post([statement(actor=LEILA)])
    stores.add(
        label="Head office",
        endpoint="http://127.0.0.1:9/xapi/",
        key="k",
        secret="s",
        version="1.0.3",
        everything=False,
        taken=[],
        actor_id=None,
    )
    db.session.commit()
    page = browser.post("/xapi/keeping/remove", data={"person": MAIL})
    assert "What “Head office” holds: it must be removed there." in page.text


def test_on_the_command_line(
    app: Flask, provider: Provider, leila: Person, browser: FlaskClient
) -> None:
    record(leila, 2)
    run_pending()
    run = app.test_cli_runner().invoke
    args = ["lrs", "remove-person", MAIL]
    assert run(args=args, input="n\n").exit_code == 1
    assert len(texts()) == 2
    done = run(args=[*args, "--yes", "--reason", "Case 8"])
    assert done.exit_code == 0, done.output
    assert (
        "Removed: statements 2, documents 0, copies 2. Statements of others, changed: 0."
        in done.output
    )
    assert texts() == {}
    assert "such a one: 0 (" in run(args=args).output
    assert "the command line" in browser.get("/xapi/keeping").text


def test_it_can_go_with_who_they_are(
    app: Flask, provider: Provider, leila: Person, browser: FlaskClient
) -> None:
    """Found by the mail address, too, which is gone by the time the worker begins."""
    record(leila, 2)
    run_pending()
    provider.post([statement(actor=LEILA), statement(actor=OTHER)])
    where = f"/people/{leila.uid}/erase"
    assert "Their statements, too" in browser.get(where).text
    browser.post(where, data={"also": "xapi.statements"})
    run_pending()
    assert len(texts()) == 1
    [made] = removal.list_all()
    assert (made.statements, made.copies, made.state) == (3, 2, "done")


def test_it_stays_where_it_is_not_asked_for(
    app: Flask, leila: Person, browser: FlaskClient
) -> None:
    record(leila, 2)
    run_pending()
    browser.post(f"/people/{leila.uid}/erase")
    run_pending()
    assert len(texts()) == 2
    other = make_person("Tomasz Lis")
    record(other)
    uid = other.uid
    db.session.rollback()
    run = app.test_cli_runner().invoke
    assert "There is no “x” that could" in str(
        run(args=["people", "erase", uid, "--yes", "--also", "x"]).exception
    )
    done = run(args=["people", "erase", uid, "--yes", "--also", "xapi.statements"])
    assert done.exit_code == 0, done.output
    run_pending()
    assert len(texts()) == 2


def test_nobody_is_removed_who_is_no_person(
    app: Flask, provider: Provider, browser: FlaskClient
) -> None:
    """The installation and the systems that store here are named by everybody's statements."""
    [made] = provider.post([statement()])
    authority = texts()[made]["authority"]["account"]
    home_page = app.config["LMS_HOME_PAGE"]
    for name in ("ropes", "removed", "lrs/ropes", authority["name"]):
        for sure in ({}, {"sure": "y"}):
            told = {"person": f"{home_page} {name}", **sure}
            answer = browser.post("/xapi/keeping/remove", data=told)
            assert answer.status_code == 422, name
            assert "This is no person" in answer.text
    assert removal.list_all() == []

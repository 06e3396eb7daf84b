"""What every site has at a known address, and the name of the session's cookie."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms import clock
from lms.app import create_app
from lms.db import db
from lms.people.models import new_uid
from lms.web.well_known import parse_contacts
from tests.conftest import settings_for
from tests.factories.people import make_person

HTTPS = "https://learn.example.test"
Make = Callable[..., Flask]


def test_who_finds_a_weakness_reads_whom_to_tell(make_app: Make) -> None:
    app = make_app(LMS_BASE_URL=HTTPS, LMS_SECURITY_CONTACT=parse_contacts("security@example.test"))
    answer = app.test_client().get("/.well-known/security.txt", base_url=HTTPS)
    assert answer.content_type == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == "mailto:security@example.test"
    assert fields["Canonical"] == f"{HTTPS}/.well-known/security.txt"
    ahead = dt.datetime.fromisoformat(fields["Expires"]) - clock.now()
    assert dt.timedelta(days=100) < ahead < dt.timedelta(days=365)  # RFC 9116, 2.5.5
    assert "Set-Cookie" not in answer.headers


def test_without_a_contact_there_is_no_such_file(client: FlaskClient) -> None:
    assert client.get("/.well-known/security.txt").status_code == 404


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a@example.test, https://example.test/report",
         ("mailto:a@example.test", "https://example.test/report")),
        ("mailto:a@example.test,tel:+49-30-1", ("mailto:a@example.test", "tel:+49-30-1")),
    ],
)  # fmt: skip
def test_contacts_are_uris(text: str, read: tuple[str, ...]) -> None:
    assert parse_contacts(text) == read


@pytest.mark.parametrize(
    "text", ["http://example.test", "security", "ftp://a", "mailto:", "a b@example.test", "https:"]
)
def test_what_is_no_contact_stops_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="mail address"):
        parse_contacts(text)


def test_a_password_manager_is_led_to_where_it_is_changed(client: FlaskClient) -> None:
    answer = client.get("/.well-known/change-password")
    assert answer.status_code == 302
    assert answer.location == "/me/sign-in"
    nothing = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"
    assert client.get(nothing).status_code == 404  # by which it sees that statuses mean something


def browser_of(app: Flask, name: str) -> FlaskClient:
    """Return a browser of somebody whom this Ropes signed in, its cookie under this name."""
    browser = app.test_client()
    person = make_person("Imani Okafor")
    assert person.identity is not None
    with browser.session_transaction(base_url=HTTPS) as session:
        session["_user_id"] = person.identity.fs_uniquifier
        session["lms_key"] = new_uid()
        session.permanent = True
    db.session.commit()
    assert browser.get_cookie(name, domain="learn.example.test") is not None
    return browser


@pytest.fixture
def upgrade() -> Iterator[Callable[..., None]]:
    """A function that puts a Ropes behind HTTPS, over the same database, in the place of a browser's."""
    made: list[Flask] = []

    def put(browser: FlaskClient, **more: Any) -> None:
        before = browser.application.config
        where = before["LMS_INSTANCE"], before["SQLALCHEMY_DATABASE_URI"]
        browser.application = create_app(settings_for(*where, LMS_BASE_URL=HTTPS, **more))
        made.append(browser.application)

    yield put
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def names(browser: FlaskClient) -> set[str]:
    wanted = ("ropes", "__Host-ropes")
    return {one for one in wanted if browser.get_cookie(one, domain="learn.example.test")}


def test_with_https_the_cookie_is_this_hosts_alone(make_app: Make) -> None:
    app = make_app(LMS_BASE_URL=HTTPS)
    with app.app_context():
        browser = browser_of(app, "__Host-ropes")
        answer = browser.get("/", base_url=HTTPS)
    assert answer.status_code == 200
    [cookie] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("__Host-")]
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_without_https_a_browser_would_not_take_that_name(make_app: Make) -> None:
    assert make_app().config["SESSION_COOKIE_NAME"] == "ropes"
    assert make_app(LMS_SECURE_COOKIES=True).config["SESSION_COOKIE_NAME"] == "ropes"
    bare = make_app(LMS_BASE_URL=HTTPS, LMS_SECURE_COOKIES=False)
    assert bare.config["SESSION_COOKIE_NAME"] == "ropes"


def test_who_was_signed_in_stays_so_over_the_change(
    make_app: Make, upgrade: Callable[..., None]
) -> None:
    before = make_app()
    with before.app_context():
        browser = browser_of(before, "ropes")
    upgrade(browser)
    assert browser.get("/", base_url=HTTPS).status_code == 200
    assert names(browser) == {"__Host-ropes"}
    assert browser.get("/", base_url=HTTPS).status_code == 200


def test_a_session_of_today_is_worth_nothing_under_the_old_name(make_app: Make) -> None:
    """A neighbour's host may plant a cookie of that name: one of theirs, to be mistaken for mine."""
    app = make_app(LMS_BASE_URL=HTTPS)
    with app.app_context():
        theirs = browser_of(app, "__Host-ropes")
    planted = theirs.get_cookie("__Host-ropes", domain="learn.example.test")
    assert planted is not None
    mine = app.test_client()
    mine.set_cookie("ropes", planted.value, domain="learn.example.test")
    assert mine.get("/", base_url=HTTPS).status_code == 302
    assert mine.get("/sign-in", base_url=HTTPS).status_code == 200


def test_a_session_under_the_old_name_runs_out_in_its_time(
    make_app: Make, upgrade: Callable[..., None]
) -> None:
    before = make_app()
    with before.app_context():
        browser = browser_of(before, "ropes")
    upgrade(browser, LMS_SESSION_DAYS=-1)
    assert browser.get("/", base_url=HTTPS).status_code == 302

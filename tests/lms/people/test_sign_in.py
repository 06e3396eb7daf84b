"""Signing in: by code, link and password; what strangers learn from it, and what guessing costs."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms import clock
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people import joining
from lms.people.codes import open_unsent
from lms.people.models import Identity, JoinLink, Person, SignInCode
from lms.people.security import end_sessions, hashed
from tests.databases import free_port
from tests.factories.people import make_person, make_unit
from tests.reading import sentences

SignIn = Callable[[Person], FlaskClient]
ME = "imani@example.test"
PASSWORD = "three harbour gulls"


class Mailbox:
    """Keeps what a real SMTP server took in."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"

    def last(self) -> tuple[str, str]:
        """Return the code and the path of the link of the latest mail."""
        text = self.mails[-1].get_body(("plain",)).get_content()
        code = re.search(r"\b(\d{3} \d{3})\b", text)
        link = re.search(r"https?://[^/\s]+(/sign-in/by-link/\S+)", text)
        assert code
        assert link
        return code.group(1), link.group(1)


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop()


@pytest.fixture
def mailed(make_app: Callable[..., Flask], mailbox: tuple[Mailbox, int]) -> Iterator[Mailbox]:
    app = make_app(LMS_MAIL_SERVER="127.0.0.1", LMS_MAIL_PORT=mailbox[1])
    with app.app_context():
        make_person("Imani Okafor", email=ME)
        yield mailbox[0]


@pytest.fixture
def browser(mailed: Mailbox) -> FlaskClient:
    from flask import current_app

    return current_app.test_client()


def waiting() -> dict[str, str]:
    """Return what the one mail that waits is going to say."""
    return open_unsent(db.session.scalars(select(SignInCode)).one().unsent or b"") or {}


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/").status_code == 200


@pytest.mark.network
def test_code_signs_in_once(mailed: Mailbox, browser: FlaskClient) -> None:
    asked = browser.post("/sign-in", data={"who": ME.upper(), "next": "/welcome"})
    assert asked.location == "/sign-in/code"
    assert mailed.mails == []  # never inside the request
    run_pending()
    code, _link = mailed.last()
    assert mailed.mails[0]["to"] == ME
    assert not is_in(browser)
    assert browser.post("/sign-in/code", data={"code": code}).location == "/welcome"
    assert is_in(browser)
    assert db.session.scalar(select(func.count()).select_from(SignInCode)) == 0


@pytest.mark.network
def test_link_signs_in_once_and_only_when_pressed(mailed: Mailbox, browser: FlaskClient) -> None:
    browser.post("/sign-in", data={"who": ME})
    run_pending()
    _code, link = mailed.last()
    elsewhere = browser.application.test_client()
    assert elsewhere.get(link).status_code == 200
    assert not is_in(elsewhere)  # a mail scanner that opens links signs nobody in
    assert elsewhere.post(link).status_code == 302
    assert is_in(elsewhere)
    again = browser.application.test_client()
    assert again.post(link).status_code == 410
    assert not is_in(again)


@pytest.mark.network
def test_mail_is_in_the_persons_language_and_secrets_go_once_sent(
    mailed: Mailbox, browser: FlaskClient
) -> None:
    browser.post("/sign-in", data={"who": ME})
    row = db.session.scalars(select(SignInCode)).one()
    assert waiting()["code"] not in row.code_hash
    run_pending()
    db.session.expire_all()
    assert db.session.scalars(select(SignInCode)).one().unsent is None


def test_stranger_and_colleague_see_the_same(app: Flask) -> None:
    make_person(email=ME)
    pages = []
    for who in (ME, "nobody@example.test", "nobody"):
        browser = app.test_client()
        asked = browser.post("/sign-in", data={"who": who})
        shown = browser.get("/sign-in/code")
        wrong = browser.post("/sign-in/code", data={"code": "000 000"})
        pages.append(
            (
                asked.status_code,
                asked.location,
                _plain(shown.text),
                wrong.status_code,
                _plain(wrong.text),
            )
        )
    assert pages[0] == pages[1] == pages[2]


def _plain(page: str) -> str:
    return re.sub(r'(nonce|value|content)="[^"]*"', "", page)


def test_wrong_name_and_wrong_password_see_the_same(app: Flask) -> None:
    person = make_person(email=ME)
    assert person.identity is not None
    person.identity.password = hashed(PASSWORD)
    db.session.commit()
    pages = [
        _plain(app.test_client().post("/sign-in/password", data=data).text).replace(data["who"], "")
        for data in (
            {"who": ME, "password": "wrong wrong wrong"},
            {"who": "nobody@example.test", "password": "wrong wrong wrong"},
        )
    ]
    assert pages[0] == pages[1]


def test_password_signs_in_and_takes_the_way_back(app: Flask) -> None:
    person = make_person(email=ME)
    assert person.identity is not None
    person.identity.password = hashed(PASSWORD)
    assert person.identity.password.startswith("$argon2id$")
    browser = app.test_client()
    for back, leads in (("/welcome", "/welcome"), ("//evil.test", "/"), ("https://evil.test", "/")):
        answer = browser.post(
            "/sign-in/password", data={"who": ME, "password": PASSWORD, "next": back}
        )
        assert answer.location == leads
        assert browser.post("/sign-out").status_code == 302


def test_session_is_new_after_sign_in(app: Flask) -> None:
    person = make_person(email=ME)
    assert person.identity is not None
    person.identity.password = hashed(PASSWORD)
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["planted"] = "by somebody else"
    browser.post("/sign-in/password", data={"who": ME, "password": PASSWORD})
    with browser.session_transaction() as session:
        assert "planted" not in session
        assert session.permanent


def test_ended_sessions_are_worthless(app: Flask, sign_in: SignIn) -> None:
    person = make_person()
    browser = sign_in(person)
    assert is_in(browser)
    assert person.identity is not None
    end_sessions(person.identity)
    assert not is_in(browser)


def test_code_is_refused_after_five_tries(app: Flask) -> None:
    make_person(email=ME)
    browser = app.test_client()
    browser.post("/sign-in", data={"who": ME})
    right = waiting()["code"]
    wrong = f"{(int(right) + 1) % 10**6:06}"
    for _try in range(5):
        assert browser.post("/sign-in/code", data={"code": wrong}).status_code == 422
    assert browser.post("/sign-in/code", data={"code": right}).status_code == 422
    assert not is_in(browser)


def test_code_and_link_have_their_time(app: Flask) -> None:
    make_person(email=ME)
    browser = app.test_client()
    browser.post("/sign-in", data={"who": ME})
    unsent = waiting()
    with clock.travel(clock.now() + dt.timedelta(minutes=16)):
        assert browser.post("/sign-in/code", data={"code": unsent["code"]}).status_code == 422
        assert browser.post(f"/sign-in/by-link/{unsent['token']}").status_code == 410


def test_code_of_one_browser_does_not_open_another(app: Flask) -> None:
    make_person(email=ME)
    mine, other = app.test_client(), app.test_client()
    mine.post("/sign-in", data={"who": ME})
    code = waiting()["code"]
    other.post("/sign-in", data={"who": "nobody@example.test"})
    assert other.post("/sign-in/code", data={"code": code}).status_code == 422


def test_suspended_person_cannot_come_in(app: Flask) -> None:
    person = make_person(email=ME)
    assert person.identity is not None
    person.identity.password = hashed(PASSWORD)
    browser = app.test_client()
    browser.post("/sign-in", data={"who": ME})
    code = waiting()["code"]
    person.active = False
    db.session.commit()
    assert browser.post("/sign-in/code", data={"code": code}).status_code == 422
    answer = browser.post("/sign-in/password", data={"who": ME, "password": PASSWORD})
    assert answer.status_code == 422


def make_link(**more: Any) -> JoinLink:
    link = joining.make_link(
        make_person(is_administrator=True), **{"days": 2, "most_uses": 2, **more}
    )
    db.session.commit()
    return link


def test_people_without_a_mailbox_join_by_a_link(app: Flask) -> None:
    unit = make_unit("Depot Ghent")
    manager = make_person("Leila Haddad")
    link = make_link(unit=unit, manager=manager, job_role="driver")
    path = f"/join/{joining.token_of(link)}"
    browser = app.test_client()
    assert browser.get(path).status_code == 200
    assert browser.post(path, data={"name": "=1+1 E", "password": PASSWORD}).status_code == 422
    form = {"name": "  Imani   Okafor ", "password": PASSWORD}
    assert browser.post(path, data=form).location == "/welcome"
    assert "imani.okafor" in browser.get("/welcome").text
    person = db.session.scalars(
        select(Person).join(Identity).where(Identity.sign_in_name == "imani.okafor")
    ).one()
    assert (person.unit_id, person.manager_id, person.job_role) == (unit.id, manager.id, "driver")
    assert person.identity is not None
    assert person.identity.email is None
    assert manager.is_manager
    back = app.test_client()
    back.post("/sign-in/password", data={"who": "Imani.Okafor", "password": PASSWORD})
    assert is_in(back)
    twin = app.test_client()
    twin.post(path, data={**form, "password": f"{PASSWORD} too"})
    assert "imani.okafor2" in twin.get("/welcome").text
    assert app.test_client().get(path).status_code == 410  # used up


def test_join_link_is_limited_in_time_and_can_be_closed(app: Flask) -> None:
    link = make_link()
    path = f"/join/{joining.token_of(link)}"
    with clock.travel(clock.now() + dt.timedelta(days=3)):
        assert app.test_client().get(path).status_code == 410
    joining.close_link(link, make_person())
    assert app.test_client().get(path).status_code == 410
    assert app.test_client().get("/join/made-up").status_code == 410


def test_a_form_that_is_sent_twice_makes_nobody_twice(app: Flask) -> None:
    path = f"/join/{joining.token_of(make_link(most_uses=1))}"
    form = {"name": "Imani Okafor", "password": PASSWORD}
    for _tap in range(2):  # of which the browser shows the second answer only
        browser = app.test_client()
        assert browser.post(path, data=form).location == "/welcome"
        assert "imani.okafor" in browser.get("/welcome").text
    assert (
        len(db.session.scalars(select(Identity.sign_in_name)).all()) == 2
    )  # and who made the link
    assert db.session.scalars(select(JoinLink)).one().uses == 1
    other = app.test_client().post(path, data={**form, "password": "two harbour gulls"})
    assert other.status_code == 410
    with clock.travel(clock.now() + dt.timedelta(minutes=11)):
        assert app.test_client().post(path, data=form).status_code == 410


def test_a_name_hides_nothing(app: Flask) -> None:
    path = f"/join/{joining.token_of(make_link())}"
    browser = app.test_client()
    browser.post(path, data={"name": "Imani \u202erofakO\u2066 \x07", "password": PASSWORD})
    found = db.session.scalars(select(Identity).where(Identity.sign_in_name.is_not(None))).one()
    assert found.display_name == "Imani rofakO"


def test_whoever_is_in_is_told_so_and_joins_not_again(app: Flask) -> None:
    path = f"/join/{joining.token_of(make_link(most_uses=5))}"
    browser = app.test_client()
    browser.post(path, data={"name": "Imani Okafor", "password": PASSWORD})
    page = browser.get(path).text
    assert "You are in already, Imani" in sentences(page)
    assert 'name="password"' not in page


def test_link_for_one_person_lets_in_that_person(app: Flask) -> None:
    person = make_person("Tomasz Wrona", email=None)
    link = make_link(person=person, most_uses=50)
    path = f"/join/{joining.token_of(link)}"
    browser = app.test_client()
    assert "Tomasz" in browser.get(path).text
    assert browser.post(path, data={"password": PASSWORD}).location == "/welcome"
    assert "tomasz.wrona" in browser.get("/welcome").text
    assert app.test_client().get(path).status_code == 410
    again = app.test_client()
    assert again.post(path, data={"password": PASSWORD}).location == "/welcome"  # a double tap
    assert browser.get("/").status_code == 200  # and the first is not signed out by it
    assert app.test_client().post(path, data={"password": "new harbour gulls"}).status_code == 410


@pytest.mark.parametrize(
    "password", ["short", "aaaaaaaaaaaaaa", "password12", "Imani Okafor", "halden freight1"]
)
def test_easy_passwords_are_refused(app: Flask, password: str) -> None:
    path = f"/join/{joining.token_of(make_link())}"
    data = {"name": "Imani Okafor", "password": password}
    assert app.test_client().post(path, data=data).status_code == 422
    assert db.session.scalars(select(JoinLink)).one().uses == 0

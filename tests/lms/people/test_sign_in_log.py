"""What the audit says of signing in, and what it never says; it does not grow under attack."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms import audit, clock
from lms.audit import AuditEntry
from lms.db import db
from lms.events import SignInChange
from lms.people import codes, joining, sign_in_log
from lms.people.codes import open_unsent
from lms.people.models import Identity, Person, SignInCode
from lms.people.security import hashed
from tests.factories.people import make_person

SignIn = Callable[[Person], FlaskClient]
ME, PASSWORD = "imani@example.test", "three harbour gulls"
ADDRESS = "203.0.113.77"


@pytest.fixture
def me(app: Flask) -> Person:
    person = make_person("Imani Okafor", email=ME)
    assert person.identity is not None
    person.identity.password = hashed(PASSWORD)
    db.session.commit()
    return person


def lines() -> list[tuple[str, str, dict[str, object]]]:
    asked = select(AuditEntry).order_by(AuditEntry.id)
    return [(one.act, one.subject, one.details) for one in db.session.scalars(asked)]


def from_there(app: Flask) -> FlaskClient:
    browser = app.test_client()
    browser.environ_base["REMOTE_ADDR"] = ADDRESS
    return browser


def test_signing_in_and_out_are_told_with_how(app: Flask, me: Person) -> None:
    browser = from_there(app)
    data = {"who": ME, "password": PASSWORD}
    browser.post("/sign-in/password", data=data)
    browser.post("/sign-out")
    browser.post("/sign-in", data={"who": ME})
    words = open_unsent(db.session.scalars(select(SignInCode.unsent)).one() or b"") or {}
    browser.post("/sign-in/code", data={"code": words["code"]})
    browser.post("/me/end-others")
    subject = f"person/{me.uid}"
    assert lines() == [
        ("people.sign_in.done", subject, {"how": "password", "known": False}),
        ("people.sign_in.signed_out", subject, {}),
        ("people.sign_in.done", subject, {"how": "code", "known": True}),
        ("people.sign_in.ended_others", subject, {}),
    ]


def test_failures_are_told_with_whom_they_were_about_and_never_what_was_typed(
    app: Flask, me: Person
) -> None:
    browser = from_there(app)
    for who in (ME, "somebody-unknown@example.test"):
        data = {"who": who, "password": "typed by mistake"}
        assert browser.post("/sign-in/password", data=data).status_code == 422
    browser.post("/sign-in", data={"who": ME})
    assert browser.post("/sign-in/code", data={"code": "12"}).status_code == 422
    assert browser.post("/sign-in/by-link/typed").status_code == 410
    browser.post("/passkeys/sign-in/typed", json={"credential": "{}"})
    subject = f"person/{me.uid}"
    failed = "people.sign_in.failed"
    assert lines() == [
        (failed, subject, {"how": "password"}),
        (failed, "sign-in", {"how": "password"}),
        (failed, subject, {"how": "code"}),
        (failed, "sign-in", {"how": "link"}),
        (failed, "sign-in", {"how": "passkey"}),
    ]
    kept = str([vars(one) for one in db.session.scalars(select(AuditEntry))])
    for typed in ("typed", "example.test", ADDRESS, "Imani"):
        assert typed not in kept


@pytest.mark.usefixtures("in_mid_stretch")
def test_too_many_tries_are_told_once_in_a_quarter_of_an_hour(app: Flask, me: Person) -> None:
    browser = from_there(app)
    for _ in range(13):
        browser.post("/sign-in/password", data={"who": ME, "password": "no"})
    limited = [line for line in lines() if line[0] == "people.sign_in.limited"]
    assert limited == [("people.sign_in.limited", f"person/{me.uid}", {"limit": "password"})]


@pytest.mark.usefixtures("in_mid_stretch")
def test_an_attack_does_not_fill_the_table(
    app: Flask, me: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_log, "FAILURES_A_QUARTER", 5)
    browser = app.test_client()
    for number in range(20):
        browser.environ_base["REMOTE_ADDR"] = f"203.0.113.{number}"
        assert browser.post("/sign-in/by-link/guessed").status_code == 410
    acts = [act for act, _subject, _details in lines()]
    assert acts == ["people.sign_in.failed"] * 5 + ["people.sign_in.more_failed"]
    with clock.travel(clock.now() + dt.timedelta(minutes=15)):
        browser.post("/sign-in/by-link/guessed")
    assert len(lines()) == 7


def test_joining_and_coming_in_by_a_link_are_told(app: Flask, me: Person) -> None:
    link = joining.make_link(make_person(), days=1, most_uses=1)
    mine = joining.make_link(make_person(), days=1, most_uses=1, person=me)
    db.session.commit()
    data = {"name": "Tomasz Wrona", "password": PASSWORD}
    app.test_client().post(f"/join/{joining.token_of(link)}", data=data)
    app.test_client().post(f"/join/{joining.token_of(mine)}", data={"password": "a new one to me"})
    told = {(act, subject) for act, subject, _details in lines()}
    assert ("people.join_link.used", f"person/{me.uid}") in told
    assert ("people.password.changed", f"person/{me.uid}") in told
    newcomer = db.session.scalars(
        select(Identity).where(Identity.display_name == "Tomasz Wrona")
    ).one()
    assert ("people.joined", f"person/{newcomer.person.uid}") in told
    made = next(one for one in lines() if one[2].get("person"))
    assert made[2]["person"] == f"person/{me.uid}"  # for whom the administrator made it


def test_lines_about_signing_in_go_after_their_days_and_those_of_changes_stay(
    app: Flask, me: Person
) -> None:
    sign_in_log.failed(me, "password")
    audit.note("people.password.changed", f"person/{me.uid}")
    audit.note("people.sign_inX", "nobody")  # merely alike
    db.session.commit()
    days = app.config["LMS_SIGN_IN_AUDIT_DAYS"]
    assert days == 90
    for later, left in ((days - 1, 3), (days + 1, 2)):
        with clock.travel(clock.now() + dt.timedelta(days=later)):
            sign_in_log.sweep()
        assert len(lines()) == left
    app.config["LMS_SIGN_IN_AUDIT_DAYS"] = 0
    sign_in_log.failed(me, "password")
    db.session.commit()
    with clock.travel(clock.now() + dt.timedelta(days=1000)):
        sign_in_log.sweep()
    assert len(lines()) == 3


def test_everybody_reads_when_they_signed_in_and_out(me: Person, sign_in: SignIn) -> None:
    assert me.identity is not None
    sign_in_log.signed_in(me.identity, "passkey", True)
    db.session.commit()
    browser = sign_in(me)
    assert "Signed in" in browser.get("/me/held").text
    held = browser.get("/me/held.json").json
    assert [row["act"] for row in held["sign-ins"]["rows"]] == ["people.sign_in.done"]
    assert held["log"]["rows"] == []


def test_every_act_about_signing_in_has_words() -> None:
    folder = Path(codes.__file__).parent
    pattern = r'audit\.note\(\s*"(people\.(?:address|number|joined|join_link\.used)[a-z_.]*)"'
    noted = {act for path in folder.rglob("*.py") for act in re.findall(pattern, path.read_text())}
    assert len(noted) == 4
    noted |= {f"people.{change.replace('_', '.')}" for change in SignInChange}
    noted |= {
        value
        for name, value in vars(sign_in_log).items()
        if isinstance(value, str) and name != "PREFIX" and value.startswith(sign_in_log.PREFIX)
    }
    assert noted == sign_in_log.WORDS.keys()

"""A person's own pages: ways in, and what is held about them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms import clock
from lms.db import db
from lms.people.codes import send_waiting
from lms.people.models import EndedSession, Passkey, Person
from lms.people.security import hashed
from tests.factories.people import make_person, make_unit
from tests.reading import sentences

SignIn = Callable[[Person], FlaskClient]
PASSWORD = "three harbour gulls"


def test_a_number_that_no_row_can_have_is_no_address(app: Flask, sign_in: SignIn) -> None:
    browser = sign_in(make_person())
    assert browser.post(f"/me/passkeys/{2**63}/remove").status_code == 404


def test_new_password_ends_other_sessions(app: Flask, sign_in: SignIn) -> None:
    person = make_person("Imani Okafor", email="imani@example.test")
    here, elsewhere = sign_in(person), sign_in(person)
    assert here.post("/me/password", data={"password": "short"}).status_code == 422
    assert here.post("/me/password", data={"password": PASSWORD}).status_code == 302
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    again = app.test_client()
    again.post("/sign-in/password", data={"who": "imani@example.test", "password": PASSWORD})
    assert again.get("/").status_code == 200


def test_ways_in_are_changed_only_soon_after_sign_in(app: Flask, sign_in: SignIn) -> None:
    person = make_person()
    browser = sign_in(person)
    with browser.session_transaction() as session:
        session["fs_paa"] = 0
    assert browser.post("/me/password", data={"password": PASSWORD}).location == "/me/sign-in"
    assert "sign out and in again" in browser.get("/me/sign-in").text
    db.session.expire_all()
    assert person.identity is not None
    assert person.identity.password is None


def test_sign_out_everywhere_but_here(sign_in: SignIn) -> None:
    person = make_person()
    here, elsewhere = sign_in(person), sign_in(person)
    here.post("/me/end-others")
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


def test_a_copied_session_ends_with_a_sign_out(app: Flask) -> None:
    person = make_person(email="imani@halden.test")
    assert person.identity is not None
    person.identity.password = hashed(PASSWORD)
    db.session.commit()
    here, copy, other = (app.test_client() for _ in range(3))
    for browser in (here, other):
        browser.post("/sign-in/password", data={"who": "imani@halden.test", "password": PASSWORD})
    with here.session_transaction() as session:
        held = dict(session)
    with copy.session_transaction() as session:
        session.update(held)
    assert copy.get("/").status_code == 200
    here.post("/sign-out")
    assert copy.get("/").status_code == 302
    assert copy.post("/me/end-others").location.startswith("/sign-in")
    assert other.get("/").status_code == 200  # another device goes on
    kept = db.session.scalars(select(EndedSession)).one()
    assert kept.key_hash not in str(held)
    with clock.travel(clock.now() + dt.timedelta(days=app.config["LMS_SESSION_DAYS"], minutes=1)):
        send_waiting()
    assert db.session.scalar(select(func.count()).select_from(EndedSession)) == 0


def test_a_session_without_a_key_takes_the_others_with_it(sign_in: SignIn) -> None:
    """Such as one that an older version began: it cannot be told from the person's others."""
    person = make_person()
    here, copy = sign_in(person), sign_in(person)
    with here.session_transaction() as session:
        del session["lms_key"]
    here.post("/sign-out")
    assert copy.get("/").status_code == 302


def test_own_passkey_can_be_removed_and_no_other(sign_in: SignIn) -> None:
    person, stranger = make_person(), make_person()
    passkey = Passkey(
        person_id=person.id, name="A phone", credential_id=b"1", public_key=b"", usage="first",
        backup_state=False, device_type="single_device", lastuse_datetime=clock.now(),
    )  # fmt: skip
    db.session.add(passkey)
    db.session.commit()
    where = f"/me/passkeys/{passkey.id}/remove"
    assert sign_in(stranger).post(where).status_code == 404
    browser = sign_in(person)
    assert "A phone" in browser.get("/me/sign-in").text
    assert browser.post(where).status_code == 302
    assert "A phone" not in browser.get("/me/sign-in").text


def test_what_is_held_is_told_and_exported(sign_in: SignIn) -> None:
    manager = make_person("Leila Haddad")
    person = make_person(
        "Imani Okafor", manager=manager, unit_id=make_unit("Depot").id, job_role="driver"
    )
    assert person.identity is not None
    person.identity.password = hashed(PASSWORD)
    browser = sign_in(person)
    page = browser.get("/me/held").text
    for told in ("Imani Okafor", "Depot", "Leila Haddad", "driver", "Who sees it"):
        assert told in page
    told_all = browser.get("/me/held.json").json
    assert told_all["place"]["rows"][0]["id_in_statements"] == person.uid
    assert told_all["ways-in"]["rows"] == [{"kind": "password", "kept_as": "argon2 hash"}]
    assert "$argon2" not in browser.get("/me/held.json").text


def test_the_day_of_hiring_is_not_taken_for_the_day_of_the_account(
    sign_in: SignIn,
) -> None:
    person = make_person(
        hired_on=dt.date(2026, 11, 2), created_at=dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    )
    page = sentences(sign_in(person).get("/me/held").text)
    assert re.search(r"Hired on</span><span>2 November 2026", page)
    assert re.search(r"Account made on</span><span>1 September 2026", page)

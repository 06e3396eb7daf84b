"""How somebody signs in is changed by those alone who prove who they are, and its owner is told."""

from __future__ import annotations

import ast
import inspect
import re
import time
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms import clock
from lms.audit import AuditEntry
from lms.db import db
from lms.events import SignInChange
from lms.jobs.queue import run_pending
from lms.notices import sign_in as told
from lms.notices.mailing import Mailing
from lms.notices.models import Notice
from lms.notices.services import kinds, newest
from lms.notices.words import mail_parts
from lms.people import codes, joining, services, ways_in
from lms.people.exchange.apply import apply_file
from lms.people.exchange.files import keep_file
from lms.people.models import JoinLink, Passkey, Person, SignInCode
from lms.people.security import PROVED_AT, PROVED_HOW, hashed, matches
from lms.people.views import me, passkeys
from lms.people.views import sign_in as sign_in_views
from tests.factories.people import make_person
from tests.lms.people.test_sign_in import Mailbox, mailbox, mailed

SignIn = Callable[[Person], FlaskClient]
OLD, NEW = "three harbour gulls", "four harbour gulls"
LONG_AGO = 3 * 3600
__all__ = ["mailbox", "mailed"]  # fixtures


@pytest.fixture
def person(app: Flask) -> Person:
    return make_person("Imani Okafor", email="imani@example.test")


def with_password(person: Person) -> Person:
    assert person.identity is not None
    person.identity.password = hashed(OLD)
    db.session.commit()
    return person


def add_passkey(person: Person) -> int:
    passkey = Passkey(
        person_id=person.id, name="A phone", credential_id=b"1", public_key=b"", usage="first",
        backup_state=False, device_type="single_device", lastuse_datetime=clock.now(),
    )  # fmt: skip
    db.session.add(passkey)
    db.session.commit()
    return passkey.id


def proved(browser: FlaskClient, how: str, seconds_ago: float = 0) -> FlaskClient:
    with browser.session_transaction() as session:
        session[PROVED_AT] = time.time() - seconds_ago
        session[PROVED_HOW] = how
    return browser


def is_fresh(browser: FlaskClient) -> bool:
    with browser.session_transaction() as session:
        return time.time() - float(session.get(PROVED_AT, 0)) < 3600


def has_password(person: Person, password: str) -> bool:
    db.session.expire_all()
    assert person.identity is not None
    return matches(password, person.identity.password)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/me/end-others", {}),
        ("/me/password", {"password": NEW}),
        ("/me/password", {"password": NEW, "present": ""}),
        ("/me/password", {"password": NEW, "present": "wrong wrong wrong"}),
        ("/passkeys/sign-in", {}),
        ("/passkeys/sign-in/made-up", {"credential": "{}"}),
        ("/passkeys/new", {"name": "mine"}),
        ("/passkeys/new/made-up", {"credential": "{}"}),
        ("/sign-in", {"who": "imani@example.test"}),
        ("/sign-in/password", {"who": "imani@example.test", "password": "wrong wrong wrong"}),
        ("/sign-in/by-link/made-up", {}),
        ("/sign-in/code", {"code": "1"}),
        ("/people/units/new", {"name": "A unit"}),
    ],
)
def test_a_stolen_session_never_becomes_fresh(
    person: Person, sign_in: SignIn, path: str, data: dict[str, str]
) -> None:
    thief = proved(sign_in(with_password(person)), "code", LONG_AGO)
    for _try in range(2):
        thief.post(path, data=data, headers={"Accept": "application/json"})
    assert not is_fresh(thief)
    thief.post("/me/password", data={"password": NEW})
    assert not has_password(person, NEW)


def test_every_view_that_begins_a_session_is_known() -> None:
    """A new one has to be thought about, and named in the test above."""
    found = {
        node.name
        for module in (me, passkeys, sign_in_views)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.FunctionDef)
        and any(
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id in {"enter", "leave_others"}
            for call in ast.walk(node)
        )
    }
    assert found == {
        "password", "end_others", "_sign_in_response", "enter_code", "by_link", "by_password", "join"
    }  # fmt: skip


def test_the_present_password_is_asked_for_and_proves(person: Person, sign_in: SignIn) -> None:
    browser = proved(sign_in(with_password(person)), "password", LONG_AGO)
    assert 'name="present"' in browser.get("/me/sign-in").text
    wrong = browser.post("/me/password", data={"password": NEW, "present": "wrong"})
    assert wrong.status_code == 422
    assert "not your present password" in wrong.text
    assert browser.post("/me/password", data={"password": NEW, "present": OLD}).status_code == 302
    assert has_password(person, NEW)
    assert is_fresh(browser)


@pytest.mark.parametrize("how", ["code", "link", "passkey"])
def test_who_forgot_it_proves_by_other_means(person: Person, sign_in: SignIn, how: str) -> None:
    browser = proved(sign_in(with_password(person)), how)
    assert 'name="present"' not in browser.get("/me/sign-in").text
    assert browser.post("/me/password", data={"password": NEW}).status_code == 302
    assert has_password(person, NEW)


def test_a_fresh_sign_in_by_password_is_no_other_means(person: Person, sign_in: SignIn) -> None:
    browser = proved(sign_in(with_password(person)), "password")
    assert browser.post("/me/password", data={"password": NEW}).status_code == 422
    assert has_password(person, OLD)


@pytest.mark.usefixtures("in_mid_stretch")
def test_the_present_password_is_not_guessed(person: Person, sign_in: SignIn) -> None:
    thief = proved(sign_in(with_password(person)), "password")
    data = {"password": NEW, "present": "wrong wrong wrong"}
    tried = [thief.post("/me/password", data=data).status_code for _ in range(11)]
    assert tried == [422] * 10 + [429]
    right = thief.post("/me/password", data={"password": NEW, "present": OLD})
    assert right.status_code == 429
    assert has_password(person, OLD)


def test_passkeys_are_added_and_removed_only_when_fresh(person: Person, sign_in: SignIn) -> None:
    passkey_id = add_passkey(person)
    browser = proved(sign_in(person), "code", LONG_AGO)
    page = browser.get("/me/sign-in").text
    assert "Make a passkey" not in page
    assert f"/me/passkeys/{passkey_id}/remove" not in page
    browser.post(f"/me/passkeys/{passkey_id}/remove")
    assert db.session.get(Passkey, passkey_id) is not None
    for path in ("/passkeys/new", "/passkeys/new/first-step-of-another-session"):
        assert browser.post(path, json={"name": "mine"}).status_code == 403


def change_password(person: Person, browser: FlaskClient) -> None:
    with_password(person)
    browser.post("/me/password", data={"password": NEW, "present": OLD})


def changes() -> dict[SignInChange, Callable[[Person, FlaskClient], object]]:
    """Every change of how somebody signs in, and how it is made."""
    return {
        SignInChange.PASSWORD_SET: lambda _person, browser: browser.post(
            "/me/password", data={"password": NEW}
        ),
        SignInChange.PASSWORD_CHANGED: change_password,
        SignInChange.PASSKEY_ADDED: lambda person, _browser: ways_in.note_passkey_added(
            person.identity  # type: ignore[arg-type]
        ),
        SignInChange.PASSKEY_REMOVED: lambda person, browser: browser.post(
            f"/me/passkeys/{add_passkey(person)}/remove"
        ),
        SignInChange.ADDRESS_CHANGED: lambda person, _browser: services.rename(
            person, "Imani Okafor", "imani.okafor@example.test"
        ),
    }


@pytest.mark.parametrize("change", SignInChange)
def test_every_change_is_told_to_its_owner_and_audited(
    person: Person, sign_in: SignIn, change: SignInChange
) -> None:
    changes()[change](person, sign_in(person))
    db.session.commit()
    notices = newest(person.id)
    assert [one.kind for one in notices] == [told.KINDS[change].slug]
    subject, text, _html = mail_parts(notices[0], kinds()[notices[0].kind])
    assert subject in text
    assert "http://localhost/me/sign-in#not-you" in text
    acts = db.session.scalars(select(AuditEntry.act)).all()
    assert f"people.{change.replace('_', '.')}" in acts
    assert subject in sign_in(person).get("/notices").text


def test_a_password_by_a_link_for_one_person_is_told(app: Flask, person: Person) -> None:
    link = joining.make_link(make_person(), days=1, most_uses=1, person=with_password(person))
    path = f"/join/{joining.token_of(link)}"
    assert app.test_client().post(path, data={"password": NEW}).status_code == 302
    assert [one.kind for one in newest(person.id)] == ["notices.password_changed"]


def by_hand(person: Person, address: str) -> None:
    services.rename(person, "Imani Okafor", address, by=make_person())


def by_import(person: Person, address: str) -> None:
    assert person.identity is not None
    person.identity.employee_number = "4711"
    db.session.commit()
    apply_file(f"Employee ID,E-Mail,Name\n4711,{address},Imani Okafor\n".encode(), None)


@pytest.mark.network
@pytest.mark.parametrize("change", [by_hand, by_import])
def test_another_address_is_told_at_the_former_one_and_its_codes_are_worthless(
    mailed: Mailbox, change: Callable[[Person, str], None]
) -> None:
    person = db.session.scalars(select(Person)).one()
    codes.ask_for(person.identity)
    change(person, "new@example.test")
    db.session.commit()
    assert db.session.scalars(select(SignInCode)).all() == []
    run_pending()
    sent = {mail["to"]: mail.get_body(("plain",)).get_content() for mail in mailed.mails}
    assert sorted(sent) == ["imani@example.test", "new@example.test"]
    assert "new@example.test" not in sent["imani@example.test"]
    assert "Halden Freight" in sent["imani@example.test"]
    assert "/me/sign-in#not-you" in sent["new@example.test"]
    db.session.expire_all()
    kept = db.session.scalars(select(Notice.address).where(Notice.mailing == Mailing.SENT)).all()
    assert sorted(kept, key=str) == ["", None]  # the former address is not kept
    assert len(newest(person.id)) == 1


@pytest.mark.parametrize("address", ["imani@example.test", "Imani@Example.test"])
def test_the_same_address_is_no_change(person: Person, address: str) -> None:
    by_hand(person, address)
    by_import(person, address)
    assert newest(person.id) == []


def test_a_stolen_session_of_an_administrator_lets_nobody_in(
    person: Person, sign_in: SignIn
) -> None:
    """As oneself: by a link for oneself, another address, a file, or another's rights."""
    assert person.identity is not None
    person.is_administrator = True
    link = joining.make_link(person, days=1, most_uses=1, person=person)
    other = make_person()
    content = f"E-Mail,Name,Employee ID\n{person.identity.email},Imani Okafor,4711\n".encode()
    waiting = keep_file(content, "people.csv", person)
    db.session.commit()
    token = joining.token_of(link)
    data = {"name": "Imani Okafor", "email": "thief@example.test"}

    def act(browser: FlaskClient) -> list[int]:
        page = browser.get(f"/people/import/{waiting.uid}").text
        digest = re.search(r'name="digest" value="([^"]+)"', page)
        assert digest is not None
        return [
            browser.post(f"/people/{person.uid}", data=data).status_code,
            browser.post(f"/people/{other.uid}/roles", data={"administrator": "y"}).status_code,
            browser.post(f"/people/{person.uid}/link").status_code,
            browser.get(f"/people/links/{link.uid}/qr.svg").status_code,
            browser.post(
                f"/people/import/{waiting.uid}", data={"digest": digest.group(1)}
            ).status_code,
        ]

    def done() -> tuple[bool, ...]:
        db.session.expire_all()
        identity = person.identity
        assert identity is not None
        return (
            identity.email == data["email"],
            other.is_administrator,
            len(db.session.scalars(select(JoinLink)).all()) > 1,
        )

    thief = proved(sign_in(person), "code", LONG_AGO)
    assert act(thief) == [403, 302, 302, 403, 302]
    assert token not in thief.get(f"/people/links/{link.uid}").text
    assert done() == (False, False, False)
    assert person.identity.employee_number is None  # as the file has it
    renamed = {"name": "Imani Okafor-Berg", "email": person.identity.email or ""}
    assert thief.post(f"/people/{person.uid}", data=renamed).status_code == 302
    fresh = proved(thief, "code")
    assert token in fresh.get(f"/people/links/{link.uid}").text
    assert act(fresh)[:4] == [302, 302, 302, 200]
    assert done() == (True, True, True)


def test_a_session_that_is_fresh_in_the_future_is_not_fresh(
    person: Person, sign_in: SignIn
) -> None:
    """Such as one that began before the clock was set back."""
    browser = proved(sign_in(person), "code", -LONG_AGO)
    browser.post("/me/password", data={"password": NEW})
    assert not has_password(person, NEW)

"""The gate: undeclared views do not exist, others open to those they were declared for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.db import db
from lms.people.access import Who, allow
from lms.people.gate import is_safe_way_back
from lms.people.models import Person
from tests.factories.people import make_person

SignIn = Callable[[Person], FlaskClient]


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    made = make_app()

    @made.get("/undeclared")
    def undeclared() -> str:
        return "open by mistake"

    @made.get("/about/<person_uid>")
    @allow(Who.SELF, Who.ABOVE)
    def about(person_uid: str) -> str:
        return "about"

    @made.get("/things/<int:number>")
    @allow(Who.SELF, owner=lambda number: number)
    def things(number: int) -> str:
        return "thing"

    with made.app_context():
        yield made


def test_undeclared_view_does_not_exist(sign_in: SignIn, client: FlaskClient) -> None:
    assert client.get("/undeclared").status_code == 404
    assert sign_in(make_person(is_administrator=True)).get("/undeclared").status_code == 404


def test_relation_decides(sign_in: SignIn) -> None:
    top = make_person()
    middle = make_person(manager=top)
    low = make_person(manager=middle)
    for viewer, status in ((top, 200), (middle, 200), (low, 200), (make_person(), 404)):
        assert sign_in(viewer).get(f"/about/{low.uid}").status_code == status
    assert sign_in(low).get(f"/about/{top.uid}").status_code == 404
    assert sign_in(top).get("/about/nobody").status_code == 404


def test_owner_of_a_thing(sign_in: SignIn) -> None:
    owner = make_person()
    assert sign_in(owner).get(f"/things/{owner.id}").status_code == 200
    assert sign_in(make_person()).get(f"/things/{owner.id}").status_code == 404


def test_stranger_is_sent_to_sign_in_and_back(client: FlaskClient) -> None:
    answer = client.get("/about/someone?tab=2")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=%2Fabout%2Fsomeone%3Ftab%3D2"
    script = client.get("/about/someone", headers={"Accept": "application/json"})
    assert script.status_code == 401
    assert "Sign in again" in script.json["error"]


def test_suspended_person_is_out_at_the_next_request(sign_in: SignIn) -> None:
    person = make_person()
    browser = sign_in(person)
    assert browser.get("/").status_code == 200
    person.active = False
    db.session.commit()
    assert browser.get("/").status_code == 302


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test",
        "https://evil.test/",
        "/\\evil.test",
        "\\\\evil.test",
        "javascript:alert(1)",
        "",
        "/a\nLocation: x",
        "/\t/evil.test",
        "evil.test",
        "///evil.test",
    ],
)
def test_way_back_stays_here(target: str) -> None:
    assert not is_safe_way_back(target)

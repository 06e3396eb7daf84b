"""What no browser of a person sends is refused in words, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.db import db
from lms.people.models import Person
from tests.factories.people import make_person

SignIn = Callable[[Person], FlaskClient]
NUL = "%00"


@pytest.mark.parametrize(
    "address",
    [
        "/team?search=a%00",
        "/team?unit=%00",
        "/people/?search=%00&q=%00",
        "/people/%00",
        "/certificates/verify/%00",
        "/certificates/verify?code=%00",
        "/courses/%00/",
        "/courses/authoring/?q=%00",
        "/join/%00",
    ],
)
def test_nul_in_an_address_is_no_fault_of_ours(sign_in: SignIn, app: Flask, address: str) -> None:
    boss = make_person("Greta Halden", is_manager=True, is_administrator=True, is_author=True)
    make_person("Tomasz Wrona", boss)
    assert sign_in(boss).get(address).status_code in (400, 404)


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/sign-in", {"who": "a\0b"}),
        ("/sign-in/password", {"who": "a\0b", "password": "x"}),
        ("/people/units/new", {"name": "a\0b", "parent": ""}),
        ("/people/new", {"name": "a\0b", "unit": ""}),
    ],
)
def test_nul_in_a_form_is_no_fault_of_ours(
    sign_in: SignIn, client: FlaskClient, address: str, fields: dict[str, str]
) -> None:
    boss = make_person("Greta Halden", is_administrator=True)
    browser = sign_in(boss) if address.startswith("/people") else client
    answer = browser.post(address, data=fields)
    assert answer.status_code == 400
    assert "We could not read that" in answer.text


def test_a_long_way_back_is_left_out_and_tells_nobody_who_is_here(client: FlaskClient) -> None:
    make_person("Imani Okafor", email="imani@halden.example")
    db.session.commit()
    for who in ("imani@halden.example", "nobody@halden.example"):
        answer = client.post("/sign-in", data={"who": who, "next": "/" + "x" * 600})
        assert answer.status_code == 302, who
        assert answer.headers["Location"] == "/sign-in/code"

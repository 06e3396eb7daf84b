"""Passkeys are offered where a browser would allow them, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.people.models import Person
from lms.people.security import passkeys_work_here
from tests.factories.people import make_person


@pytest.mark.parametrize(
    ("address", "work"),
    [
        ("https://learn.example.com", True),
        ("https://learn.example.com:8443", True),
        ("http://localhost:8000", True),
        ("http://learn.example.com", False),
        ("http://192.0.2.7:8000", False),
        ("https://192.0.2.7", False),  # a passkey belongs to a name
        ("https://[2001:db8::7]", False),
        ("http://localhost.example.com", False),
    ],
)
def test_where_they_are_offered(app: Flask, address: str, work: bool) -> None:
    with app.test_request_context("/", base_url=address):
        assert passkeys_work_here() is work
    shown = app.test_client().get("/sign-in", base_url=address).text
    assert ("Use a passkey" in shown) is work


@pytest.mark.parametrize("address", ["https://learn.example.com", "http://learn.example.com"])
def test_the_page_of_devices_says_so(
    app: Flask, sign_in: Callable[[Person], FlaskClient], address: str
) -> None:
    person = make_person("Imani Okafor")
    browser = sign_in(person)
    cookie = browser.get_cookie("ropes")
    assert cookie is not None
    browser.set_cookie("ropes", cookie.value, domain="learn.example.com")
    page = browser.get("/me/sign-in", base_url=address)
    assert page.status_code == 200
    assert ("Make a passkey" in page.text) is address.startswith("https:")

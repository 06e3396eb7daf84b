"""What WTForms says of a field is said in our words, and in the reader's language."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from lms.people.models import Person
from tests.factories.people import make_person

SignIn = Callable[[Person], FlaskClient]


@pytest.mark.parametrize(
    ("address", "fields", "says"),
    [
        ("/people/links/", {"unit": "", "days": "", "most_uses": "5"}, "Fill this in, please."),
        ("/people/links/", {"unit": "", "days": "soon", "most_uses": "5"}, "like 12."),
        ("/people/links/", {"unit": "x", "days": "5", "most_uses": "5"}, "Choose one from"),
        ("/people/new", {"unit": "", "name": "A", "hired_on": "31.12.2026"}, "like 2026-11-30"),
        ("/people/new", {"unit": "", "name": "A" * 201}, "too long: 200 characters at most"),
    ],
)
def test_a_field_says_what_to_do(
    sign_in: SignIn, address: str, fields: dict[str, str], says: str
) -> None:
    page = sign_in(make_person(is_administrator=True)).post(address, data=fields).text
    assert says in page
    for jargon in ("This field", "Field cannot", "Not a valid"):
        assert jargon not in page

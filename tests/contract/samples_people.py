"""Sample values for the addresses of people."""

from __future__ import annotations

from typing import Any

from lms.people.joining import make_link, token_of
from lms.people.models import Person
from tests.contract.samples import offers
from tests.factories.people import make_person


@offers("people", "security")
def people_samples(owner: Person) -> dict[str, Any]:
    """A join link that is open; links and challenges that nobody sent are refused in words."""
    link = make_link(make_person(is_administrator=True), days=1, most_uses=1)
    return {"people.join:token": token_of(link), "token": "nobody-sent-this"}

"""What the access test fills into the addresses of xapi."""

from __future__ import annotations

from typing import Any

from lms.people.models import Person
from tests.contract.samples import offers


@offers("xapi_lrs", "xapi")
def xapi_samples(_owner: Person) -> dict[str, Any]:
    return {"token": "eyJhZnRlciI6IjEifQ"}  # a further page, after the first statement

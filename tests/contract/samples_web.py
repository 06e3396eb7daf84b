"""Samples for the addresses of the shell."""

from __future__ import annotations

from typing import Any

from lms.people.models import Person
from lms.web.assets import assets
from tests.contract.samples import offers


@offers("web")
def web_samples(owner: Person) -> dict[str, Any]:
    return {"version": assets().version, "name": "web/ropes.css"}

"""Samples for the addresses of the shell."""

from __future__ import annotations

from typing import Any

from lms.notices.stops import stop_url, stoppable
from lms.people.models import Person
from lms.web.assets import assets
from tests.contract.samples import offers


@offers("notices", "notices_one_click")
def notices_samples(owner: Person) -> dict[str, Any]:
    return {"token": stop_url(owner, stoppable()[0]).rpartition("/")[2]}


@offers("web")
def web_samples(owner: Person) -> dict[str, Any]:
    return {"version": assets().version, "name": "web/ropes.css"}

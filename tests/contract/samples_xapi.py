"""What the access test fills into the addresses of xapi."""

from __future__ import annotations

from typing import Any

from lms.db import db
from lms.people.models import Person
from tests.contract.samples import offers
from xapi import api, build, vocabulary


@offers("xapi_lrs", "xapi", "xapi_profile")
def xapi_samples(owner: Person) -> dict[str, Any]:
    course = build.activity("courses/sample/v1", vocabulary.COURSE, "Sample")
    recorded = api.record(owner.id, build.statement(owner.uid, vocabulary.COMPLETED, course))
    db.session.commit()
    return {
        "token": "eyJhZnRlciI6IjEifQ",  # a further page, after the first statement
        "target": "embedded",
        "version": "v1",  # of the profile
        "statement_id": recorded,
    }

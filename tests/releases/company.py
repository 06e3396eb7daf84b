"""The small company whose database is kept with each release: two dozen people, eighteen days.

It is the demo's story with fewer people, and then one of every thing that the story does not bring
(a join link, an export, a card half written): `tests.contract.samples` makes those for the access
test, and so nobody has to remember them here.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from flask import Flask
from sqlalchemy import select

from certificates import awards
from certificates.models import Award
from esn.demo import traffic
from lms import migrate
from lms.app import create_app
from lms.db import db, transaction
from lms.demo import build, company
from lms.people import codes, tries
from lms.people.models import Person
from tests.contract.samples import Samples
from tests.xapi.lrs import Provider, statement
from xapi.delivery import backfill

DAYS = 18
STAFF = 10
LEADING_TEAM_SIZE = 9
ACTIVITY = 0.1  # of the demo's: the dump is to stay small
SECRET = "the-secret-of-a-company-that-never-was"
# No addresses of this machine, and nothing that changes from one build to the next without need.
SETTINGS = {"TESTING": True, "WTF_CSRF_ENABLED": False}


@contextmanager
def small_company(database: str = "") -> Iterator[Flask]:
    """Build the company and yield its app, the context pushed; `database`: empty for SQLite."""
    with tempfile.TemporaryDirectory(prefix="ropes-release-") as folder:
        settings = build.settings_for(
            Path(folder), "http://127.0.0.1:8000", SECRET, LMS_JOBS="manual", **SETTINGS
        )
        app = create_app({**settings, "LMS_DATABASE_URL": database} if database else settings)
        with app.app_context():
            migrate.upgrade()
            _tell(app)
            _add_what_is_missing(app)
            yield app
            db.session.remove()
            db.engine.dispose()


def _tell(app: Flask) -> None:
    rates = {persona: rate * ACTIVITY for persona, rate in traffic.RATE.items()}
    with (
        mock.patch.multiple(company, STAFF=STAFF, LEADING_TEAM_SIZE=LEADING_TEAM_SIZE),
        mock.patch.dict(traffic.RATE, rates),
    ):
        build._tell(app, lambda _said: None, DAYS)


def _add_what_is_missing(app: Flask) -> None:
    with transaction(reads_first=True) as session:
        owner = session.scalars(
            select(Person)
            .where(Person.is_manager, Person.id.not_in(select(Award.person_id)))
            .order_by(Person.id)
        ).first()
        assert owner is not None
        samples = Samples(owner)
        for rule in app.url_map.iter_rules():
            if not rule.endpoint.endswith("static"):
                samples.values(rule)
        assert owner.identity is not None
        assert owner.identity.email is not None
        with app.test_request_context():
            codes.ask(owner.identity.email)
            tries.allowed("password", "somebody", 5)
        award = session.scalars(select(Award).order_by(Award.id)).first()
        assert award is not None
        awards.revoke(award, "Left the company", None)
    _write_as_another_system(app)
    with transaction():
        backfill.start("archive", None)


def _write_as_another_system(app: Flask) -> None:
    """Statements that void, refer and nest, and documents, as another system sends them."""
    provider = Provider(app)
    first = statement()
    provider.post([first, statement(context={"statement": _reference(first)})])
    provider.post(statement(verb={"id": "http://adlnet.gov/expapi/verbs/voided"},
                            object=_reference(first)))  # fmt: skip
    query: dict[str, Any] = {"activityId": "http://example.test/activities/one", "profileId": "p"}
    kept = provider.ask(
        "PUT", "activities/profile", query_string=query, data=base64.b64encode(b"kept"),
        content_type="text/plain", headers={"If-None-Match": "*"},
    )  # fmt: skip
    assert kept.status_code == 204, kept.text


def _reference(to: dict[str, Any]) -> dict[str, Any]:
    return {"objectType": "StatementRef", "id": to["id"]}

"""Fifty requests at once, on both databases: one award, one statement, one notice, one paper."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from certificates import evaluation
from certificates.catalogue import load_library
from certificates.models import Award, Document
from lms.app import create_app
from lms.db import db, transaction
from lms.events import EvidenceChanged, publish
from lms.migrate import upgrade
from lms.notices.models import Notice
from tests import databases
from tests.certificates import facts
from tests.conftest import settings_for
from tests.factories.people import make_person
from xapi.outbox.models import OutboxStatement

REQUESTS = 50


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql", marks=[pytest.mark.postgres, pytest.mark.network, pytest.mark.long]
        ),
    ]
)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An app on a database of each kind, whichever kind the run as a whole uses."""
    address = f"sqlite:///{tmp_path / 'race.sqlite3'}"
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgresql")
        name = f"race_{tmp_path.name[-20:].replace('-', '_')}"
        databases.run_sql(server, f'CREATE DATABASE "{name}"')
        address = f"{server}/{name}"
    app = create_app(settings_for(tmp_path, address))
    with app.app_context():
        upgrade()
        facts.install(app)
        with transaction():
            load_library()
        yield app
        db.session.remove()
        db.engine.dispose()


def test_fifty_requests_and_three_pushes_give_one_of_each(place: Flask) -> None:
    person = make_person("Imani Okafor")
    facts.earn_connected(person)
    assert person.identity is not None
    person_id, key = person.id, person.identity.fs_uniquifier
    db.session.remove()
    barrier = threading.Barrier(REQUESTS + 3, timeout=60)
    statuses: list[int] = []
    failures: list[BaseException] = []

    def check_now() -> None:
        browser = place.test_client()
        with browser.session_transaction() as session:
            session["_user_id"] = key
            session["_fresh"] = True
        barrier.wait()
        statuses.append(browser.post("/certificates/earn/connected-colleague/check").status_code)

    def push() -> None:
        with place.app_context():
            barrier.wait()
            with transaction():
                publish(EvidenceChanged(frozenset({person_id})))
            evaluation.run()

    def kept(call: object) -> None:
        try:
            call()  # type: ignore[operator]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=kept, args=(check_now,)) for _ in range(REQUESTS)]
    threads += [threading.Thread(target=kept, args=(push,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert failures == []
    assert statuses == [302] * REQUESTS
    counts = [
        db.session.scalar(select(func.count()).select_from(model))
        for model in (Award, OutboxStatement, Notice, Document)
    ]
    assert counts == [1, 1, 1, 1]

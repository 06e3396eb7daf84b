"""What other systems keep here about somebody is told to them, and to nobody else."""

from __future__ import annotations

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.db import db
from lms.jobs.queue import run_pending
from lms.people import held as people_held
from lms.people.models import Person
from tests.factories.people import make_person
from tests.xapi.lrs import ACTIVITY, OTHER, Provider, statement
from tests.xapi.test_alone import signed_in
from tests.xapi.test_removal import record

MAIL = "imani.okafor@example.test"
AGENT = {"mbox": f"mailto:{MAIL}"}
FORKLIFT = {
    "id": "http://example.test/forklift",
    "definition": {"name": {"en": "Forklift licence"}},
}


@pytest.fixture
def imani(app: Flask) -> Person:
    return make_person("Imani Okafor", email=MAIL)


@pytest.fixture
def provider(app: Flask) -> Provider:
    return Provider(app)


@pytest.fixture
def hers(app: Flask, imani: Person) -> FlaskClient:
    return signed_in(app, imani)


def test_statements_of_other_systems_are_told(
    app: Flask, provider: Provider, imani: Person, hers: FlaskClient
) -> None:
    assert "What other systems recorded about you" in hers.get("/me/held").text
    account = {"homePage": app.config["LMS_HOME_PAGE"], "name": imani.uid}
    theirs = [
        statement(actor=AGENT, object=FORKLIFT),
        statement(actor={"mbox": f"mailto:{MAIL.title()}"}, object=FORKLIFT),
        statement(actor={"account": account}, object=FORKLIFT),
        statement(actor=OTHER, object={"objectType": "Agent", **AGENT}),
    ]
    others = [
        statement(actor=OTHER, context={"instructor": AGENT}),
        statement(actor=OTHER, context={"extensions": {"http://example.test/x": AGENT}}),
        statement(actor=OTHER),
    ]
    provider.post([*theirs, *others])
    record(imani, 2)
    run_pending()
    held = people_held.export(imani)
    rows = held["xapi.others"]["rows"]
    assert [orjson.loads(row["statement"])["id"] for row in rows] == [
        one["id"] for one in reversed(theirs)
    ]
    assert len(held["xapi.statements"]["rows"]) == 2  # what Ropes recorded stands there, once
    page = hers.get("/me/held").text
    assert "“did”: Forklift licence" in page
    assert people_held.export(make_person("Tomasz Lis"))["xapi.others"]["rows"] == []


def test_documents_of_other_systems_are_told(
    app: Flask, provider: Provider, imani: Person, hers: FlaskClient
) -> None:
    for agent, content in ((AGENT, b"page 7"), ({"mbox": f"mailto:{MAIL.upper()}"}, b"\xff\xfe")):
        query = {"agent": orjson.dumps(agent).decode()}
        provider.ask(
            "PUT", "activities/state", data=content, headers={"Content-Type": "text/plain"},
            query_string={**query, "activityId": ACTIVITY["id"], "stateId": "bookmark"},
        )  # fmt: skip
    provider.ask(
        "PUT", "agents/profile", json={"likes": "rope"}, headers={"If-None-Match": "*"},
        query_string={"agent": orjson.dumps(AGENT).decode(), "profileId": "likes"},
    )  # fmt: skip
    rows = people_held.export(imani)["xapi.documents"]["rows"]
    assert [(row["kind"], row["name"], row["content"]) for row in rows] == [
        ("agent", "likes", '{"likes": "rope"}'),
        ("state", "bookmark", "//4="),
        ("state", "bookmark", "page 7"),
    ]
    page = hers.get("/me/held").text
    assert "Where you left off: “bookmark”." in page
    assert "A note about you: “likes”." in page


def test_without_a_store_there_is_nothing(app: Flask, imani: Person, hers: FlaskClient) -> None:
    app.config["LMS_LRS_EMBEDDED"] = False
    held = people_held.export(imani)
    assert (held["xapi.others"]["rows"], held["xapi.documents"]["rows"]) == ([], [])
    assert hers.get("/me/held").status_code == 200
    db.session.rollback()

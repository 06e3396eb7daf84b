"""What is recorded is what was said, in the transaction of what it tells."""

from __future__ import annotations

import datetime as dt
import uuid

import orjson
import pytest
from flask import Flask
from sqlalchemy import func, select

from lms import clock
from lms.db import db
from lms.errors import DomainError
from tests.factories.people import make_person
from xapi import api, build, vocabulary
from xapi.outbox.models import OutboxStatement

MOMENT = dt.datetime(2026, 11, 23, 8, 30, 15, 250000, dt.UTC)


def recorded() -> list[dict]:
    texts = db.session.scalars(select(OutboxStatement.text).order_by(OutboxStatement.id))
    return [orjson.loads(text) for text in texts]


def a_course():
    return build.activity("courses/welcome/v1", vocabulary.COURSE, "Welcome", "Say hello.")


def test_a_full_statement_is_written_as_the_standard_wants(app: Flask) -> None:
    person = make_person("Imani Okafor")
    registration = str(uuid.uuid4())
    statement = build.statement(
        person.uid,
        vocabulary.ANSWERED,
        build.activity("courses/welcome/v1/questions/ask", vocabulary.QUESTION, "Whom to ask"),
        registration=registration,
        score_scaled=0.5,
        success=False,
        completion=True,
        response="a[,]b",
        duration_seconds=61.239,
        parent=a_course(),
        grouping=[build.activity("paths/first-30-days", vocabulary.PATH, "First 30 days")],
        extensions={"http://localhost/xapi/extensions/try": None},
    )
    with clock.travel(MOMENT):
        statement_id = api.record(person.id, statement)
    [written] = recorded()
    assert written == {
        "id": statement_id,
        "actor": {
            "objectType": "Agent",
            "account": {"homePage": "http://localhost", "name": person.uid},
        },
        "verb": {"id": vocabulary.ANSWERED.iri, "display": {"en": "answered"}},
        "object": {
            "objectType": "Activity",
            "id": "http://localhost/activities/courses/welcome/v1/questions/ask",
            "definition": {"type": vocabulary.QUESTION, "name": {"en": "Whom to ask"}},
        },
        "result": {
            "score": {"scaled": 0.5},
            "success": False,
            "completion": True,
            "response": "a[,]b",
            "duration": "PT61.24S",
        },
        "context": {
            "registration": registration,
            "contextActivities": {
                "parent": [
                    {
                        "objectType": "Activity",
                        "id": "http://localhost/activities/courses/welcome/v1",
                        "definition": {
                            "type": vocabulary.COURSE,
                            "name": {"en": "Welcome"},
                            "description": {"en": "Say hello."},
                        },
                    }
                ],
                "grouping": [
                    {
                        "objectType": "Activity",
                        "id": "http://localhost/activities/paths/first-30-days",
                        "definition": {
                            "type": vocabulary.PATH,
                            "name": {"en": "First 30 days"},
                        },
                    }
                ],
            },
            "extensions": {"http://localhost/xapi/extensions/try": None},
        },
        "timestamp": "2026-11-23T08:30:15.250000Z",
    }
    assert uuid.UUID(statement_id).version == 4


def test_a_template_says_the_same_as_tincan(app: Flask) -> None:
    person = make_person()
    values = {
        "registration": str(uuid.uuid4()),
        "score_scaled": 1,
        "success": True,
        "completion": True,
        "response": "",
        "duration_seconds": 3600.0,
        "parent": a_course(),
        "grouping": [a_course()],
        "category": [build.our_profile()],
        "extensions": {"http://localhost/e": {"a": [1, None]}},
        "result_extensions": {"http://localhost/r": 40},
        "timestamp": MOMENT.astimezone(dt.timezone(dt.timedelta(hours=2))),
    }
    api.record(person.id, build.statement(person.uid, vocabulary.PASSED, a_course(), **values))
    made = api.record_many(
        [
            (person.id, build.template(person.uid, vocabulary.PASSED, a_course(), **values)),
            (person.id, build.template(person.uid, vocabulary.JOINED, a_course())),
        ]
    )
    first, second, third = recorded()
    assert [second["id"], third["id"]] == made
    assert dt.datetime.fromisoformat(first.pop("timestamp")) == MOMENT
    assert dt.datetime.fromisoformat(second.pop("timestamp")) == MOMENT
    del first["id"], second["id"]
    assert first["result"]["extensions"] == {"http://localhost/r": 40}
    assert first == second
    [category] = first["context"]["contextActivities"]["category"]
    assert category["id"] == vocabulary.ROPES_VERSION_IRI
    assert set(third) == {"id", "timestamp", "actor", "verb", "object"}


def test_what_is_rolled_back_was_never_said(app: Flask) -> None:
    person = make_person()
    api.record(person.id, build.statement(person.uid, vocabulary.PASSED, a_course()))
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(OutboxStatement)) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"score_scaled": 1.1},
        {"score_scaled": float("nan")},
        {"duration_seconds": -0.5},
        {"duration_seconds": float("inf")},
        {"registration": "first attempt"},
        {"timestamp": dt.datetime(2026, 1, 1)},  # noqa: DTZ001
        {"extensions": {"try": 2}},
        {"result_extensions": {"try": 2}},
    ],
)
def test_what_no_record_store_takes_is_refused_at_once(app: Flask, wrong: dict) -> None:
    for make in (build.statement, build.template):
        with pytest.raises(DomainError):
            make("person", vocabulary.ANSWERED, a_course(), **wrong)


@pytest.mark.parametrize("path", ["", "/courses/welcome", "courses/welcome/"])
def test_an_activity_has_one_address(app: Flask, path: str) -> None:
    with pytest.raises(ValueError, match="slash"):
        build.activity(path, vocabulary.COURSE, "Welcome")

"""Statements: what recording one costs a learner's request, and how fast the record store stores."""

from __future__ import annotations

import base64
import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any

import orjson
from flask import Flask
from sqlalchemy import select

from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.benchmarks.harness import (
    Place,
    Result,
    benchmark,
    by_turns,
    cpu_ms,
    rate,
    rates_ratio,
)
from tests.benchmarks.raw import RawCopy
from xapi import api, build, vocabulary
from xapi.lrs import credentials
from xapi.outbox.models import OutboxStatement

BATCHES, TOGETHER, BATCH, WARM = 200, 10, 100, 10


def make_client(app: Flask) -> Any:
    """Return a function that posts JSON text to the record store."""
    made, secret = credentials.add("bench", ["all"])
    db.session.commit()
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"{made.key}:{secret}".encode()).decode(),
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
    }
    client = app.test_client()

    def post(body: bytes) -> None:
        answer = client.post("/xapi/statements", data=body, headers=headers)
        assert answer.status_code == 200, answer.text

    return post


def statement(number: int) -> dict[str, Any]:
    """Return a statement as a learner's answer makes it; 200 people, 50 questions of 5 courses."""
    home, course = "https://ropes.example.test", f"courses/course-{number % 5}/v1"
    return {
        "id": str(uuid.uuid4()),
        "actor": {
            "objectType": "Agent",
            "account": {"homePage": home, "name": f"person{number % 200}"},
        },
        "verb": {"id": vocabulary.ANSWERED.iri, "display": {"en": "answered"}},
        "object": {
            "objectType": "Activity",
            "id": f"{home}/activities/{course}/questions/{number % 50}",
            "definition": {"type": vocabulary.QUESTION, "name": {"en": "Whom do you ask?"}},
        },
        "result": {"success": True, "score": {"scaled": 1.0}, "response": "a"},
        "context": {
            "registration": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{number % 200}")),
            "contextActivities": {
                "parent": [{"id": f"{home}/activities/{course}/lessons/1"}],
                "grouping": [{"id": f"{home}/activities/{course}"}],
            },
        },
        "timestamp": "2026-11-23T09:00:00.000000Z",
    }


@benchmark("xapi.record", unit="ms CPU", target_ratio=60)
def record(place: Place) -> Result:
    """Two statements built with tincan and recorded: what an answer in a lesson adds."""
    place.make_app()
    person = Person()
    db.session.add(person)
    db.session.commit()
    course = build.activity("courses/welcome/v1", vocabulary.COURSE, "Welcome")
    question = build.activity("courses/welcome/v1/questions/ask", vocabulary.QUESTION, "Whom?")

    def two() -> None:
        for verb in (vocabulary.ANSWERED, vocabulary.PROGRESSED):
            api.record(
                person.id,
                build.statement(
                    person.uid, verb, question, success=True, response="a", parent=course
                ),
            )

    value = cpu_ms(two, times=300)
    texts = db.session.scalars(select(OutboxStatement.text).limit(2)).all()
    db.session.rollback()
    raw = place.raw_sqlite()
    raw.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY, uid TEXT UNIQUE, text TEXT)")
    raw.execute("CREATE TABLE pending (target TEXT, id INT, PRIMARY KEY (target, id))")

    def insert() -> None:
        for text in texts:
            row = raw.execute(
                "INSERT INTO outbox (uid, text) VALUES (?, ?)", (str(uuid.uuid4()), text)
            )
            raw.execute("INSERT INTO pending VALUES ('embedded', ?)", (row.lastrowid,))

    raw.execute("BEGIN IMMEDIATE")
    floor = cpu_ms(insert, times=300)
    raw.execute("ROLLBACK")
    return Result(
        value=value, floor=floor, floor_is="the same texts, raw, in two tables, no commit"
    )


@benchmark("xapi.batches", unit="statements/s", target_ratio=0.4, more_is_better=True)
def batches(place: Place) -> Result:
    """POST /xapi/statements in batches of 100, beside raw inserts of the very same rows.

    All batches are stored once before; their rows are then inserted as they are, a batch a commit,
    into the same tables of another database set up alike (indexes, keys, durability), in turn with
    the same batches being posted to a third.
    """
    bodies = [
        orjson.dumps([statement(number * BATCH + one) for one in range(BATCH)])
        for number in range(BATCHES + WARM)
    ]
    post = make_client(place.make_app())
    for body in bodies:
        post(body)
    floor = RawCopy(place, BATCH)
    post = make_client(place.make_app())
    left, rows = iter(bodies), iter(floor.batches)
    kinds: dict[str, Callable[[], Any]] = {
        "store": lambda: post(next(left)),
        "raw": lambda: floor.insert(next(rows)),
    }
    by_turns(kinds, WARM)
    taken = by_turns(kinds, BATCHES // TOGETHER, TOGETHER)
    return Result(
        value=rate(taken["store"], BATCH),
        floor=rate(taken["raw"], BATCH),
        floor_is="the same rows, raw, 100 statements a commit, turn by turn",
        ratio=rates_ratio(taken["store"], taken["raw"]),
        notes={
            f"ms a batch, {name}": round(statistics.median(times) * 1000, 2)
            for name, times in taken.items()
        },
    )


@benchmark("xapi.deliver", unit="statements/s", target_ratio=0.3, more_is_better=True)
def deliver(place: Place) -> Result:
    """From the outbox into the built-in record store, by the worker's own job."""
    place.make_app()
    person = Person()
    db.session.add(person)
    db.session.commit()
    course = build.activity("courses/welcome/v1", vocabulary.COURSE, "Welcome")
    api.record_many(
        [
            (person.id, build.template(person.uid, vocabulary.JOINED, course))
            for _ in range(BATCHES * BATCH)
        ]
    )
    db.session.commit()
    start = time.perf_counter()
    run_pending()
    value = BATCHES * BATCH / (time.perf_counter() - start)
    copy = RawCopy(place, BATCH)
    start = time.perf_counter()
    for rows in copy.batches:
        copy.insert(rows)
    return Result(
        value=value,
        floor=BATCHES * BATCH / (time.perf_counter() - start),
        floor_is="the rows of the store, raw, 100 statements a commit",
    )

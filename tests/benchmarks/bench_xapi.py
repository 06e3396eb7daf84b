"""Statements: what recording one costs a learner's request, and how fast the record store stores."""

from __future__ import annotations

import base64
import sqlite3
import time
import uuid
from typing import Any

import orjson
from flask import Flask, jsonify, request
from sqlalchemy import select

from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests import databases
from tests.benchmarks.harness import Place, Result, benchmark, cpu_ms, per_second
from xapi import api, build, vocabulary
from xapi.lrs import credentials
from xapi.outbox.models import OutboxStatement

TABLES = ("xapi_statement", "xapi_statement_agent", "xapi_statement_activity")
BATCHES, BATCH, SINGLES = 60, 100, 400


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


@benchmark("xapi.record", unit="ms CPU", target=1.2)
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


@benchmark("xapi.batches", unit="statements/s", target=1500, target_ratio=0.4, more_is_better=True)
def batches(place: Place) -> Result:
    """POST /xapi/statements in batches of 100, beside raw inserts of the very same rows."""
    post = make_client(place.make_app())
    bodies = [
        orjson.dumps([statement(number * BATCH + one) for one in range(BATCH)])
        for number in range(BATCHES + 2)
    ]
    for body in bodies[:2]:
        post(body)

    def run() -> int:
        for body in bodies[2:]:
            post(body)
        return BATCHES * BATCH

    value = per_second(run)
    return _beside_raw_inserts(place, value)


def _beside_raw_inserts(place: Place, value: float) -> Result:
    """Set statements a second beside raw inserts of the rows that the store now holds."""
    if databases.KIND != "sqlite":
        return Result(value=value)
    return Result(
        value=value,
        floor=_raw_inserts(place),
        floor_is="the same rows, raw, 100 statements a commit",
    )


def _raw_inserts(place: Place) -> float:
    """Return statements a second when the rows that are there go into a bare copy of the tables."""
    raw = place.raw_sqlite()
    source = db.engine.raw_connection()
    inserts: dict[str, tuple[str, list[tuple[Any, ...]]]] = {}
    for table in TABLES:
        cursor = source.cursor()
        for (sql,) in cursor.execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY rowid",
            (table,),
        ).fetchall():
            raw.execute(sql)
        rows = cursor.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - our own names
        marks = ",".join("?" * len(rows[0]))
        inserts[table] = (f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
    source.close()
    raw.execute("PRAGMA foreign_keys=OFF")
    statements = inserts["xapi_statement"][1]
    by_statement: dict[str, dict[int, list[tuple[Any, ...]]]] = {}
    for table in TABLES[1:]:
        grouped: dict[int, list[tuple[Any, ...]]] = {}
        for row in inserts[table][1]:
            grouped.setdefault(row[2], []).append(row)
        by_statement[table] = grouped

    def run() -> int:
        for start in range(0, len(statements), BATCH):
            batch = statements[start : start + BATCH]
            raw.execute("BEGIN IMMEDIATE")
            raw.executemany(inserts["xapi_statement"][0], batch)
            for table, grouped in by_statement.items():
                links = [link for row in batch for link in grouped[row[0]]]
                raw.executemany(inserts[table][0], links)
            raw.execute("COMMIT")
        return len(statements)

    return per_second(run)


@benchmark("xapi.single", unit="statements/s", target_ratio=0.5, more_is_better=True)
def single(place: Place) -> Result:
    """POST /xapi/statements one by one, beside the slower of a bare Flask POST and a commit."""
    post = make_client(place.make_app())
    bodies = [orjson.dumps(statement(number)) for number in range(SINGLES + 20)]
    for body in bodies[:20]:
        post(body)

    def run() -> int:
        for body in bodies[20:]:
            post(body)
        return SINGLES

    value = per_second(run)
    bare = Flask("bare")

    @bare.post("/")
    def take() -> Any:
        return jsonify([request.get_json()["id"]])

    client = bare.test_client()

    def posts() -> int:
        for body in bodies[20:]:
            client.post("/", data=body, content_type="application/json")
        return SINGLES

    flask = per_second(posts)
    commits = _commits(place.raw_sqlite(), [body.decode() for body in bodies[20:]])
    return Result(
        value=value,
        floor=min(flask, commits),
        floor_is="bare Flask POST" if flask < commits else "one-row commits",
        notes={"bare Flask POST": round(flask), "one-row commits": round(commits)},
    )


def _commits(raw: sqlite3.Connection, texts: list[str]) -> float:
    raw.execute("CREATE TABLE one (id INTEGER PRIMARY KEY, text TEXT)")

    def run() -> int:
        for text in texts:
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("INSERT INTO one (text) VALUES (?)", (text,))
            raw.execute("COMMIT")
        return len(texts)

    return per_second(run)


@benchmark("xapi.deliver", unit="statements/s", target=1500, more_is_better=True)
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
    return _beside_raw_inserts(place, value)

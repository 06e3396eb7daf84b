"""A record store with very many statements, filled in bulk: what no test could store one by one.

The rows are those that storing would make: the texts pass the store's own validation (a test holds
them to it), agents and activities are linked as `xapi.lrs.parts` says.
"""

from __future__ import annotations

import datetime as dt
import uuid
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import current_app
from sqlalchemy import insert

from lms.db import db
from lms.people.joining import folded
from lms.people.models import Identity, Person, new_uid
from xapi import vocabulary
from xapi.lrs.credentials import authority_of
from xapi.lrs.models import (
    LrsActivity,
    LrsAgent,
    LrsStatement,
    LrsStatementActivity,
    LrsStatementAgent,
    LrsVerb,
)
from xapi.lrs.parts import digest, find_agent_key
from xapi.lrs.store import iso

START = dt.datetime(2025, 11, 1, 6, 0, tzinfo=dt.UTC)
STEP = dt.timedelta(seconds=30)  # a million of them are most of a year
PEOPLE, COURSES, QUESTIONS = 2000, 20, 500
VERBS = (
    *[vocabulary.ANSWERED] * 12, *[vocabulary.PROGRESSED] * 3, vocabulary.COMPLETED,
    vocabulary.INITIALIZED, vocabulary.PASSED, vocabulary.REPLIED,
)  # fmt: skip
RARE, RARE_EVERY = vocabulary.EARNED, 500
VOIDED_EVERY = 997
CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What the store was filled with: uids of people, keys of verbs and activities."""

    count: int
    people: list[str]
    common_verb: str
    rare_verb: str
    question: str
    course: str
    registration: str


def _mixed(number: int, seed: int) -> int:
    """Return a number that has nothing to do with its neighbours', and is always the same."""
    mixed = (number + seed * 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9 % 2**64
    return (mixed ^ mixed >> 31) * 0x94D049BB133111EB % 2**64 >> 20


class _Plan:
    """Which statement is about what: a fixed mixture, by number."""

    def __init__(self, people: Sequence[str]) -> None:
        self.home = current_app.config["LMS_HOME_PAGE"]
        self.people = people
        self.authority = authority_of("ropes")
        self.verbs = list(dict.fromkeys((*VERBS, RARE)))
        self.courses = [f"{self.home}/activities/courses/c{one}/v1" for one in range(COURSES)]
        self.questions = [f"{self.courses[one % COURSES]}/cards/{one}" for one in range(QUESTIONS)]

    def verb(self, number: int) -> vocabulary.VerbTerm:
        return RARE if number % RARE_EVERY == 0 else VERBS[_mixed(number, 1) % len(VERBS)]

    def person(self, number: int) -> int:
        return _mixed(number, 2) % PEOPLE

    def question(self, number: int) -> int:
        return _mixed(number, 3) % QUESTIONS

    def registration(self, person: int) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"registration {person}"))

    def statement(self, number: int) -> dict[str, Any]:
        verb, person, question = self.verb(number), self.person(number), self.question(number)
        moment = iso(START + number * STEP)
        return {
            "id": str(uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)),
            "actor": {
                "objectType": "Agent",
                "account": {"homePage": self.home, "name": self.people[person]},
            },
            "verb": {"id": verb.iri, "display": {"en": verb.label}},
            "object": {
                "objectType": "Activity",
                "id": self.questions[question],
                "definition": {
                    "type": vocabulary.QUESTION,
                    "name": {"en": f"Whom do you ask about {question}?"},
                },
            },
            "result": {"success": number % 3 > 0, "score": {"scaled": 1.0}, "response": "a"},
            "context": {
                "registration": self.registration(person),
                "contextActivities": {
                    "grouping": [
                        {
                            "id": self.courses[question % COURSES],
                            "definition": {"name": {"en": f"Course {question % COURSES}"}},
                        }
                    ]
                },
            },
            "timestamp": moment,
            "stored": moment,
            "authority": self.authority,
            "version": "1.0.0",
        }


def fill(count: int) -> Filled:
    """Fill an empty store with `count` statements of 2,000 people, in one commit."""
    plan = _Plan(_people())
    verb_ids = {one.iri: number for number, one in enumerate(plan.verbs, 1)}
    agents = [{"account": {"homePage": plan.home, "name": uid}} for uid in plan.people]
    agents.append({"account": plan.authority["account"]})  # type: ignore[dict-item]
    _insert(LrsVerb, (
        {"id": verb_ids[one.iri], "key": digest(one.iri), "iri": one.iri, "display": {"en": one.label}}
        for one in plan.verbs
    ))  # fmt: skip
    _insert(LrsAgent, (
        {"id": number, "key": find_agent_key(one), "identifier": one, "name": None}
        for number, one in enumerate(agents, 1)
    ))  # fmt: skip
    activities = [*plan.questions, *plan.courses]
    _insert(LrsActivity, (
        {"id": number, "key": digest(iri), "iri": iri,
         "definition": {"name": {"en": f"Whom do you ask about {number - 1}?"}}}
        for number, iri in enumerate(activities, 1)
    ))  # fmt: skip
    by_person: dict[int, array[int]] = defaultdict(lambda: array("q"))
    by_question: dict[int, array[int]] = defaultdict(lambda: array("q"))
    by_course: dict[int, array[int]] = defaultdict(lambda: array("q"))
    for number in range(1, count + 1):
        question = plan.question(number)
        by_person[plan.person(number)].append(number)
        by_question[question].append(number)
        by_course[question % COURSES].append(number)
    _copy(LrsStatement, _statements(plan, verb_ids, count))
    everyone = len(agents)
    _copy(LrsStatementAgent, (
        {"agent_id": one + 1, "direct": True, "statement": number}
        for one in sorted(by_person) for number in by_person[one]
    ))  # fmt: skip
    _copy(LrsStatementAgent, (
        {"agent_id": everyone, "direct": False, "statement": number}
        for number in range(1, count + 1)
    ))  # fmt: skip
    for direct, first, found in ((True, 1, by_question), (False, QUESTIONS + 1, by_course)):
        _copy(LrsStatementActivity, (
            {"activity_id": first + one, "direct": direct, "statement": number}
            for one in sorted(found) for number in found[one]
        ))  # fmt: skip
    db.session.commit()
    with db.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    return Filled(
        count,
        list(plan.people),
        digest(vocabulary.ANSWERED.iri),
        digest(RARE.iri),
        digest(plan.questions[7]),
        digest(plan.courses[7]),
        plan.registration(7),
    )


def _people() -> list[str]:
    people = [new_uid() for _number in range(PEOPLE)]
    db.session.execute(insert(Person), [{"uid": uid, "active": True} for uid in people])
    ids = {row.uid: row.id for row in db.session.query(Person.uid, Person.id)}
    db.session.execute(
        insert(Identity),
        [
            {
                "person_id": ids[uid],
                "display_name": f"Person {number:04d}",
                "sort_name": folded(f"Person {number:04d}"),
                "fs_uniquifier": new_uid(),
            }
            for number, uid in enumerate(people)
        ],
    )
    return people


def _statements(plan: _Plan, verb_ids: dict[str, int], count: int) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        told = plan.statement(number)
        yield {
            "id": number,
            "statement_id": told["id"],
            "stored": START + number * STEP,
            "verb_id": verb_ids[told["verb"]["id"]],
            "registration": told["context"]["registration"],
            "refers_to": None,
            "voiding": False,
            "voided": number % VOIDED_EVERY == 0,
            "fingerprint": f"{number:032x}",
            "text": orjson.dumps(told).decode(),
        }


def _insert(model: Any, rows: Iterable[dict[str, Any]]) -> None:
    db.session.execute(insert(model), list(rows))


def _copy(model: Any, rows: Iterator[dict[str, Any]]) -> None:
    """Write rows by the fastest way that the database has, in the session's transaction."""
    columns = [one.name for one in model.__table__.columns]
    names = ", ".join(columns)
    raw: Any = db.session.connection().connection.driver_connection
    if db.engine.dialect.name == "postgresql":
        first = next(rows)
        columns = [name for name in columns if name in first]
        with (
            raw.cursor() as cursor,
            cursor.copy(f"COPY {model.__tablename__} ({', '.join(columns)}) FROM STDIN") as copy,
        ):
            copy.write_row([first[name] for name in columns])
            for row in rows:
                copy.write_row([row[name] for name in columns])
        return
    marks = ", ".join("?" * len(columns))
    write = f"INSERT INTO {model.__tablename__} ({names}) VALUES ({marks})"  # noqa: S608 - ours
    chunk: list[list[Any]] = []
    for row in rows:
        chunk.append([_plain(row.get(name)) for name in columns])
        if len(chunk) == CHUNK:
            raw.executemany(write, chunk)
            chunk.clear()
    raw.executemany(write, chunk)


def _plain(value: Any) -> Any:
    """Return a value as SQLite keeps it."""
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return int(value) if isinstance(value, bool) else value

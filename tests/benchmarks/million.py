"""A record store with a million statements, filled by bulk SQL with the rows the store would make.

Skewed as in a company: 2,000 people of whom a few do most, 12 verbs from frequent to rare, 30
courses and one activity that all statements name, references and voided statements among them,
stored over most of a year. `tests/xapi/test_million.py` holds the rows against the store's own.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from lms.db import db
from xapi.lrs import sql, terms
from xapi.lrs.parts import parts_of
from xapi.lrs.store import Prepared, _rows, iso, links_of

HOME = "https://ropes.example.test"
COURSES, QUESTIONS, PEOPLE = 30, 60, 2_000
EVERY = {"id": f"{HOME}/activities/programme"}  # named by all
BEGIN = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
VERBS = {
    "answered": 550, "progressed": 250, "initialized": 80, "completed": 50, "passed": 30,
    "failed": 15, "replied": 8, "reacted": 4, "shared": 2, "mentioned": 1,
}  # fmt: skip
RARE = "http://example.test/verbs/certified"  # one statement in 50,000
COMMENTED = "http://example.test/verbs/commented"  # one in 100, about another statement
VOIDED = "http://adlnet.gov/expapi/verbs/voided"  # one in 1,000
CHUNK, TOGETHER = 10_000, 100  # statements written at once; those of them with one `stored`
STEP = dt.timedelta(seconds=30)

Who = Callable[[int], dict[str, Any]]


def verb_iri(name: str) -> str:
    """Return a verb's IRI."""
    return f"http://example.test/verbs/{name}"


def person(number: int) -> dict[str, Any]:
    """Return a person."""
    return {"objectType": "Agent", "account": {"homePage": HOME, "name": f"person{number}"}}


def registration(who: int, course: int) -> str:
    """Return the registration of a person in a course."""
    return str(uuid.UUID(int=(0x40008000 << 64) + who * COURSES + course + 1))


def statement_id(number: int) -> str:
    """Return the id of the statement with this number, from 1 on."""
    return str(uuid.UUID(int=(0xABC << 100) + number))


def stored_at(number: int) -> dt.datetime:
    """Return when the statement with this number is stored."""
    return BEGIN + STEP * ((number - 1) // TOGETHER * TOGETHER)


def question_iri(course: int, question: int) -> str:
    """Return the activity that a statement in a course is about."""
    return f"{HOME}/activities/courses/{course}/questions/{question}"


def statements(count: int, who_is: Who = person) -> Iterator[dict[str, Any]]:
    """Yield statements as they are sent, the same ones each time; `who_is` names people."""
    chance = random.Random(3)
    names, weights = list(VERBS), list(VERBS.values())
    verbs = chance.choices(names, weights, k=10_000)
    for number in range(1, count + 1):
        who = int(PEOPLE * chance.random() ** 3)  # a tenth does nearly half of all
        course = int(COURSES * chance.random() ** 2)
        question = number * 7 % QUESTIONS
        target: dict[str, Any] = {
            "objectType": "Activity",
            "id": question_iri(course, question),
            "definition": {"name": {"en": f"Whom do you ask about {question}?"}},
        }
        verb = verb_iri(verbs[number % 10_000])
        if number % 50_000 == 49_999:
            verb = RARE
        elif number % 100 == 50:
            verb = COMMENTED
            target = {
                "objectType": "StatementRef",
                "id": statement_id(1 + int(number * chance.random() * 0.99)),
            }
        elif number % 1_000 == 999:
            verb = VOIDED
            target = {"objectType": "StatementRef", "id": statement_id(number - 7)}
        context: dict[str, Any] = {
            "registration": registration(who, course),
            "contextActivities": {
                "grouping": [{"id": f"{HOME}/activities/courses/{course}"}, EVERY]
            },
        }
        if number % 10 == 0:
            context["instructor"] = who_is(who % 40)
        yield {
            "id": statement_id(number),
            "actor": who_is(who),
            "verb": {"id": verb, "display": {"en": verb.rpartition("/")[2]}},
            "object": target,
            "result": {"success": number % 3 != 0, "response": "a colleague in the same group"},
            "context": context,
            "timestamp": "2026-11-23T09:00:00.000000Z",
        }


def fill(count: int, authority: dict[str, Any], who_is: Who = person) -> None:
    """Fill an empty store."""
    here = sql.Here()
    targets: dict[int, int] = {}
    voided: list[tuple[int]] = []
    chunk: list[Prepared] = []
    first = 1

    def write() -> None:
        nonlocal first
        ids = terms.ids_of(here, [one.parts for one in chunk], 0)
        came = {one.statement_id: place for place, one in enumerate(chunk, first)}
        rows = []
        for start in range(0, len(chunk), TOGETHER):
            moment = stored_at(first + start)
            told = here.to_driver(sql.statements.c.stored)(moment)
            rows += _rows(chunk[start : start + TOGETHER], came, ids, iso(moment), told)
        _insert(here, sql.statements, rows)
        for table, several in links_of({came[one.statement_id]: one.parts for one in chunk}, ids):
            _insert(here, table, several)
        first += len(chunk)
        chunk.clear()

    for number, statement in enumerate(statements(count, who_is), 1):
        statement["authority"] = authority
        statement["version"] = "1.0.0"
        prepared = Prepared(statement["id"], statement, parts_of(statement))
        if prepared.parts.refers_to is not None:
            targets[number] = uuid.UUID(prepared.parts.refers_to).int & 0xFFFFFFFFFFFF
            if prepared.parts.voids:
                voided.append((targets[number],))
        chunk.append(prepared)
        if len(chunk) == CHUNK:
            write()
    if chunk:
        write()
    references = sorted(_closure(targets))
    _insert(here, sql.references, references)
    here.execute_many(
        "UPDATE xapi_statement SET voided = TRUE WHERE id = {one} AND NOT voiding", voided
    )
    db.session.commit()


def _closure(targets: dict[int, int]) -> Iterator[tuple[int, int]]:
    for source in targets:
        reached: int | None = targets[source]
        while reached is not None:  # who targets does so backward: no rings
            yield source, reached
            reached = targets.get(reached)


def _insert(here: sql.Here, table: Any, rows: list[tuple[Any, ...]]) -> None:
    if not here.is_postgresql:
        here.insert(table, rows)
        return
    names = ", ".join(column.name for column in table.columns)
    with (
        here.driver.cursor() as cursor,
        cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)

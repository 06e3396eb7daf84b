"""Statements taken out of the store: as if they had never been there, and nothing else touched."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import Table, func, select

from lms.app import create_app
from lms.db import db
from tests.conftest import settings_for
from tests.xapi.lrs import Provider, attachment, multipart, statement
from xapi.lrs import discard as module
from xapi.lrs.models import (
    LrsActivity,
    LrsAgent,
    LrsAttachment,
    LrsReference,
    LrsStatement,
    LrsStatementActivity,
    LrsStatementAgent,
    LrsStatementAttachment,
)
from xapi.lrs.store import lock_writers

VOIDED = "http://adlnet.gov/expapi/verbs/voided"


@pytest.fixture
def provider(app: Flask) -> Provider:
    return Provider(app)


def discard(*statement_ids: str) -> int:
    """Discard statements in a transaction of their own."""
    lock_writers()
    rows = db.session.scalars(
        select(LrsStatement.id).where(LrsStatement.statement_id.in_(statement_ids))
    ).all()
    count = module.discard(rows)
    db.session.commit()
    return count


def rows(*models: Any) -> int:
    found = sum(db.session.scalar(select(func.count()).select_from(one)) or 0 for one in models)
    db.session.rollback()
    return found


def somebody(number: int) -> dict[str, Any]:
    return {"mbox": f"mailto:person{number}@example.test"}


def chance(dice: random.Random, before: list[str]) -> dict[str, Any]:
    """Return a statement that shares what it names with many others."""
    kind = dice.randrange(5)
    parts: dict[str, Any] = {"actor": somebody(dice.randrange(6))}
    if kind == 0 and before:
        parts["object"] = {"objectType": "StatementRef", "id": dice.choice(before)}
    elif kind == 1:
        parts["object"] = {"objectType": "Agent", **somebody(dice.randrange(6))}
    elif kind == 2:
        parts["actor"] = {
            "objectType": "Group",
            "member": [somebody(one) for one in dice.sample(range(6), 2)],
        }
    else:
        parts["object"] = {"id": f"http://example.test/activities/{dice.randrange(5)}"}
    if dice.random() < 0.4:
        parts["context"] = {
            "instructor": somebody(dice.randrange(8)),
            "registration": str(uuid.UUID(int=dice.randrange(3))),
            "contextActivities": {
                "parent": [{"id": f"http://example.test/activities/{dice.randrange(9)}"}]
            },
        }
    return statement(id=str(uuid.UUID(int=dice.getrandbits(128), version=4)), **parts)


def answers(provider: Provider) -> dict[str, list[str]]:
    """Return the ids that every filter finds."""
    found = {"all": provider.find()}
    for number in range(8):
        agent = orjson.dumps(somebody(number)).decode()
        for related in ("false", "true"):
            found[f"agent {number} {related}"] = provider.find(agent=agent, related_agents=related)
    for number in range(9):
        activity = f"http://example.test/activities/{number}"
        for related in ("false", "true"):
            found[f"activity {number} {related}"] = provider.find(
                activity=activity, related_activities=related
            )
    for number in range(3):
        found[f"registration {number}"] = provider.find(registration=str(uuid.UUID(int=number)))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_is_as_if_the_rest_had_never_come(
    seed: int, app: Flask, migrated: Callable[[Path], str], tmp_path: Path
) -> None:
    """A store from which some were discarded answers as one that only ever had the others.

    Who refers to one that goes may itself stay: then nothing is found through it any more.
    """
    dice = random.Random(seed)
    made: list[dict[str, Any]] = []
    for _ in range(60):
        made.append(chance(dice, [one["id"] for one in made[-10:]]))
    gone = {one["id"] for one in dice.sample(made, 25)}
    provider = Provider(app)
    for start in range(0, 60, 7):
        provider.post(made[start : start + 7])
    assert discard(*gone) == 25
    left = answers(provider)
    tables = rows(LrsAgent), rows(LrsActivity), rows(LrsStatementAgent), rows(LrsStatementActivity)
    pairs = rows(LrsReference)
    db.session.remove()
    folder = tmp_path / "other"
    folder.mkdir()
    other = create_app(settings_for(folder, migrated(folder)))
    with other.app_context():
        fresh = Provider(other)
        for one in made:
            if one["id"] not in gone:
                fresh.post([one])
        assert answers(fresh) == left
        assert tables == (
            rows(LrsAgent),
            rows(LrsActivity),
            rows(LrsStatementAgent),
            rows(LrsStatementActivity),
        )
        assert pairs == rows(LrsReference)
        db.session.remove()
        db.engine.dispose()


def test_an_id_is_never_given_again(app: Flask, provider: Provider) -> None:
    first = provider.post([statement(), statement()])
    highest = db.session.scalar(select(func.max(LrsStatement.id)))
    stored = provider.ask("GET", query_string={"statementId": first[1]}).json["stored"]
    discard(*first)
    assert rows(LrsStatement, LrsStatementAgent, LrsStatementActivity, LrsAgent, LrsActivity) == 0
    [again] = provider.post([statement()])
    assert db.session.scalar(select(LrsStatement.id)) == (highest or 0) + 1
    assert provider.ask("GET", query_string={"statementId": again}).json["stored"] > stored


def test_another_process_forgets_what_was_removed(app: Flask, provider: Provider) -> None:
    """SQLite gives the id of a removed agent again; who remembers the old one is not misled."""
    [one] = provider.post([statement(actor=somebody(1))])
    db.session.remove()
    other = create_app(settings_for(app.config["LMS_INSTANCE"], app.config["LMS_DATABASE_URL"]))
    with other.app_context():
        elsewhere = Provider(other)
        assert discard(one) == 1
        elsewhere.post([statement(actor=somebody(2), object={"id": "http://example.test/new"})])
        db.session.remove()
    [mine] = provider.post([statement(actor=somebody(1))])
    for number, count in ((1, 1), (2, 1)):
        agent = orjson.dumps(somebody(number)).decode()
        assert len(provider.find(agent=agent)) == count, number
    assert provider.find(activity="http://example.test/activities/one") == [mine]
    with other.app_context():
        db.engine.dispose()


def test_attachments_go_with_the_last_that_names_them(app: Flask, provider: Provider) -> None:
    described = attachment(b"seven lines")
    one, two = (statement(attachments=[described]) for _ in range(2))
    for each in (one, two):
        body, content_type = multipart(each, (described["sha2"], b"seven lines"))
        assert provider.ask("POST", data=body, content_type=content_type).status_code == 200
    discard(one["id"])
    assert (rows(LrsAttachment), rows(LrsStatementAttachment)) == (1, 1)
    discard(two["id"])
    assert (rows(LrsAttachment), rows(LrsStatementAttachment)) == (0, 0)


def test_nothing_is_found_through_a_link_that_is_gone(app: Flask, provider: Provider) -> None:
    bottom = statement(actor=somebody(1))
    middle = statement(actor=somebody(2), object={"objectType": "StatementRef", "id": bottom["id"]})
    top = statement(actor=somebody(3), object={"objectType": "StatementRef", "id": middle["id"]})
    provider.post([bottom, middle, top])
    agent = orjson.dumps(somebody(1)).decode()
    assert set(provider.find(agent=agent)) == {bottom["id"], middle["id"], top["id"]}
    discard(middle["id"])
    assert provider.find(agent=agent) == [bottom["id"]]
    provider.post([middle])  # and it may come back
    assert set(provider.find(agent=agent)) == {bottom["id"], middle["id"], top["id"]}


def test_what_was_voided_stays_voided(app: Flask, provider: Provider) -> None:
    one = statement()
    void = statement(verb={"id": VOIDED}, object={"objectType": "StatementRef", "id": one["id"]})
    provider.post([one])
    provider.post([void])
    discard(void["id"])
    assert provider.ask("GET", query_string={"statementId": one["id"]}).status_code == 404
    assert (
        provider.ask("GET", query_string={"voidedStatementId": one["id"]}).json["id"] == one["id"]
    )


def test_every_table_of_statements_is_thought_of(app: Flask) -> None:
    """A new table that holds a statement's id must be emptied with it."""
    known = {
        "xapi_statement_agent",
        "xapi_statement_activity",
        "xapi_statement_attachment",
        "xapi_mention",
        "xapi_reference",
        "xapi_forward",  # by its foreign key
    }
    tables: list[Table] = list(db.metadata.tables.values())
    of_statements = {
        table.name
        for table in tables
        if table.name.startswith("xapi_")
        and {"statement", "source"} & {column.name for column in table.columns}
    }
    assert of_statements == known

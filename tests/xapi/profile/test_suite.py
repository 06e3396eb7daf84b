"""Every kind of statement, made by the suite through its own doors, held against the profile."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from courses.blocks.content import get_content
from courses.progress.services import answer, move_on, start
from courses.progress.walk import right_answer
from lms import clock
from lms.db import db
from tests.factories.courses import make_course
from tests.factories.people import make_person
from tests.xapi.lrs import Provider
from tests.xapi.profile.kinds import Statements, say_everything
from xapi import vocabulary
from xapi.outbox.models import OutboxStatement
from xapi.profile.document import published
from xapi.profile.follow import follows
from xapi.profile.match import Judgement, judge

PROFILE = orjson.loads(published(vocabulary.ROPES_VERSION))
PATTERNS = {one["id"]: one for one in PROFILE["patterns"]}


@pytest.fixture
def statements(app: Flask, client: FlaskClient) -> Statements:
    """What the suite says when everything is done, as it stands in the outbox, by id."""
    return say_everything(app, client)


def judged(statement: dict[str, Any], known: Statements) -> Judgement:
    return judge(statement, PROFILE["templates"], known.get)


def test_each_kind_fits_one_template_and_no_template_is_without_a_kind(
    statements: Statements,
) -> None:
    met: set[str] = set()
    for statement in statements.values():
        judgement = judged(statement, statements)
        assert judgement.fits, (judgement.reason(), statement)
        assert len(judgement.met) == 1, "two kinds that cannot be told apart"
        met.update(judgement.met)
    assert met == {one["id"] for one in PROFILE["templates"]}


def test_the_record_store_gives_back_what_fits(app: Flask, statements: Statements) -> None:
    """With what an LRS adds: stored, authority, version, and in both versions of the standard."""
    for version in ("1.0.3", "2.0.0"):
        held = {one["id"]: one for one in Provider(app, version=version).find_statements()}
        assert len(held) == len(statements) - 1  # the voided one is not given
        for statement in held.values():
            assert judged(statement, statements).fits


def test_attempts_follow_their_pattern_and_so_does_whatever_stands_alone(
    statements: Statements,
) -> None:
    attempts: dict[str, list[tuple[dt.datetime, tuple[str, ...]]]] = defaultdict(list)
    alone = set()
    for statement in statements.values():
        met = judged(statement, statements).met
        registration = statement["context"].get("registration")
        if registration is None:
            alone.add(follows([met], PATTERNS))
        else:
            moment = dt.datetime.fromisoformat(statement["timestamp"])
            attempts[registration].append((moment, met))
    assert alone == {
        f"{vocabulary.ROPES}#patterns/{slug}"
        for slug in ("act", "certificate", "path", "taken-back")
    }
    assert len(attempts) == 3
    for row in attempts.values():
        row.sort(key=lambda one: one[0])
        assert follows([met for _, met in row], PATTERNS) == f"{vocabulary.ROPES}#patterns/attempt"
        assert len({moment for moment, _ in row}) == len(row)  # each a moment of its own (9.0)


def test_an_answer_from_a_phone_whose_clock_is_wrong_still_follows(app: Flask) -> None:
    person, course = make_person(), make_course()
    attempt = start(person, course)
    content = get_content(attempt.version_id)
    for card_id in content.order:
        if content.asks(card_id):
            chosen = right_answer(content.cards[card_id])
            answer(person, attempt, card_id, chosen, clock.now() - dt.timedelta(days=9))
        move_on(person, attempt, card_id)
    db.session.commit()
    rows = [orjson.loads(text) for text in db.session.scalars(select(OutboxStatement.text))]
    rows.sort(key=lambda one: dt.datetime.fromisoformat(one["timestamp"]))
    assert rows[0]["verb"]["id"] == vocabulary.INITIALIZED.iri
    assert follows([judged(one, {}).met for one in rows], PATTERNS)

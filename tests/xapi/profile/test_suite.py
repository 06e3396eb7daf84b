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

from certificates.catalogue import publish as publish_rule
from certificates.models import Award, Origin
from courses.blocks.content import get_content
from courses.catalogue.document import Lesson
from courses.progress.services import answer, move_on, start
from courses.progress.walk import right_answer, take
from esn.vocabulary import REMOVED, Act
from lms import clock
from lms.db import db, transaction
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.factories.courses import make_course, make_path, text_card
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_person
from tests.xapi.lrs import Provider
from xapi import vocabulary
from xapi.outbox.models import OutboxStatement
from xapi.profile.document import published
from xapi.profile.follow import follows
from xapi.profile.match import Judgement, judge

PROFILE = orjson.loads(published(vocabulary.ROPES_VERSION))
PATTERNS = {one["id"]: one for one in PROFILE["patterns"]}
RULE = """
slug: careful-reader
title: Careful Reader
summary: Has read it all.
requires:
  all:
    - completed: path/all-of-it
      title: All of it
      proved: All of it completed
"""
Statements = dict[str, dict[str, Any]]


def learn(person: Person) -> None:
    """Fail a course and pass it, complete one without questions, and so a path and a certificate."""
    judged = make_course("judged")
    plain = make_course(
        "plain",
        lessons=(Lesson("only", "Only one", 2, (text_card("one"), text_card("two"))),),
        pass_score=None,
    )
    make_path(judged, plain, slug="all-of-it")
    with transaction():
        publish_rule(RULE, Origin.ADMINISTRATOR)
    take(person, judged, choose=lambda card: ["1", "2"] if card.data["multiple"] else ["2"])
    take(person, judged)
    take(person, plain)
    db.session.commit()
    run_pending()


def use_the_network(client: FlaskClient) -> None:
    """Do everything that can be done there, with all that can be said of it; take one back."""
    connector, secret = make_connector()
    events = [
        act("u1", one.value, parent="m0", group="g1", group_kind="work", recipient="u2")
        for one in Act
    ]
    events += [act("u1", one.value) for one in Act]
    events += [{k: v for k, v in act("u1", "joined", group="g1").items() if k != "object"}]
    account = {"id": "u1", "email": "imani@example.test"}
    assert deliver(client, connector, secret, events, [account]).status_code == 202
    run_pending()
    gone = act("u1", REMOVED, object=events[0]["object"])
    assert deliver(client, connector, secret, [gone]).status_code == 202
    run_pending()


@pytest.fixture
def statements(app: Flask, client: FlaskClient) -> Statements:
    """What the suite says when everything is done, as it stands in the outbox, by id."""
    app.config["LMS_ESN_STATEMENTS"] = "all"
    imani = make_person("Imani Okafor", email="imani@example.test")
    learn(imani)
    use_the_network(client)
    assert db.session.scalars(select(Award)).one().person_id == imani.id
    rows = db.session.execute(
        select(OutboxStatement.statement_id, OutboxStatement.text).order_by(OutboxStatement.id)
    )
    return {one: orjson.loads(text) for one, text in rows.tuples()}


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

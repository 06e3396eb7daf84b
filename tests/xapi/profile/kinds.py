"""A company in which every kind of statement is made, by the suite and through its own doors."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from certificates.catalogue import publish as publish_rule
from certificates.models import Award, Origin
from courses.catalogue.document import Lesson
from courses.progress.walk import take
from esn.vocabulary import REMOVED, Act
from lms.db import db, transaction
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.factories.courses import make_course, make_path, text_card
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_person
from xapi.outbox.models import OutboxStatement

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


def say_everything(app: Flask, client: FlaskClient) -> Statements:
    """Do everything, and return what the suite has said, as it stands in the outbox, by id."""
    app.config["LMS_ESN_STATEMENTS"] = "all"
    imani = make_person("Imani Okafor", email="imani@example.test")
    learn(imani)
    use_the_network(client)
    assert db.session.scalars(select(Award)).one().person_id == imani.id
    return recorded()


def recorded() -> Statements:
    """Return what stands in the outbox, by id, in order."""
    rows = db.session.execute(
        select(OutboxStatement.statement_id, OutboxStatement.text).order_by(OutboxStatement.id)
    )
    return {one: orjson.loads(text) for one, text in rows.tuples()}

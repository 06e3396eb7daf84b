"""What a connector keeps of its ledger, so that nobody has to look through it: exact, whatever happens."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

import pytest
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from certificates.catalogue import get_offered, load_library
from certificates.rules.compile import is_asked, standings
from esn.connectors.matrix.connector import MatrixConnector
from esn.connectors.webhook.connector import WebhookConnector
from esn.ledger.retention import forget_old
from esn.models import Connector, Usage
from lms import clock, migrate
from lms.db import db
from lms.evidence import Filter, Window, bases_of, get_measure, is_reported
from lms.jobs.queue import queue, run_pending
from tests.factories.esn import act, deliver, make_acts, make_connector
from tests.factories.people import make_people, make_person
from tests.queries import counted
from xapi.outbox.models import OutboxStatement

PHONE = Filter(client="mobile")


def kept() -> tuple[int, bool]:
    row = db.session.execute(select(Connector.acts, Connector.told_client)).one()
    db.session.rollback()
    return row.acts, row.told_client


def test_acts_are_counted_once_and_no_more_when_taken_back_or_forgotten(
    app: Flask, client: FlaskClient
) -> None:
    app.config["LMS_ESN_RETENTION_DAYS"] = 90
    connector, secret = make_connector()
    old = act("u1", at=(clock.now() - dt.timedelta(days=89)).isoformat())
    events = [act("u1", "posted"), act("u2"), old]
    for _ in range(2):  # the same acts, in deliveries of their own
        deliver(client, connector, secret, [*events, act("u3")])
        run_pending()
    assert kept()[0] == 5
    deliver(client, connector, secret, [{"verb": "removed", "object": events[0]["object"]}])
    run_pending()
    assert kept()[0] == 4
    with clock.travel(clock.now() + dt.timedelta(days=5)):
        forget_old()
    assert kept()[0] == 3 == db.session.scalar(select(func.count(Usage.id)))


def test_an_act_told_twice_in_one_breath_has_one_statement_its_own(
    app: Flask, client: FlaskClient
) -> None:
    app.config["LMS_ESN_STATEMENTS"] = "all"
    make_person(email="imani@example.test")
    connector, secret = make_connector()
    said = act("u1", "posted")
    deliver(client, connector, secret, [said, said], [{"id": "u1", "email": "imani@example.test"}])
    run_pending()
    told = db.session.scalars(select(OutboxStatement.statement_id)).all()
    assert told == db.session.scalars(select(Usage.statement_id)).all()
    assert len(told) == 1


def test_the_page_of_a_network_asks_the_ledger_nothing(
    app: Flask, client: FlaskClient, sign_in: Any
) -> None:
    connector, secret = make_connector()
    deliver(client, connector, secret, [act("u1")])
    run_pending()
    administrator = sign_in(make_person(is_administrator=True))
    with counted() as seen:
        page = administrator.get(f"/esn/connectors/{connector.uid}")
    assert "acts known" in page.text
    assert not [one for one in seen if "esn_usage" in one]


def test_a_device_is_asked_for_from_the_first_act_on_that_names_one_and_for_good(
    app: Flask, client: FlaskClient
) -> None:
    """A webhook may say the device; one that never does makes nobody wait for it."""
    load_library()
    person = make_person()
    rule = get_offered("connected-colleague").rule
    connector, secret = make_connector()
    deliver(client, connector, secret, [act("u1"), act("u1")])
    run_pending()
    assert not is_reported("esn.acts", PHONE)
    assert [standings(rule, [person.id])[0].asked["phone"], kept()[1]] == [False, False]
    deliver(client, connector, secret, [act("stranger", client="desktop")])
    run_pending()
    assert [standings(rule, [person.id])[0].asked["phone"], kept()[1]] == [True, True]
    with clock.travel(clock.now() + dt.timedelta(days=4000)):
        forget_old()  # the act is gone, the fact is not
    assert is_asked(rule.conditions[-1])


def test_a_network_that_tells_no_devices_is_not_waited_for_whatever_its_acts_say(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (MatrixConnector.reports_client, WebhookConnector.reports_client) == (False, True)
    make_connector()
    db.session.execute(update(Connector).values(kind="matrix", told_client=True))
    db.session.commit()
    assert not is_reported("esn.acts", PHONE)
    assert is_reported("esn.acts", Filter())


def test_what_values_rest_on_is_one_query_for_many_people(app: Flask) -> None:
    people = make_people(30)
    connector, _secret = make_connector()
    make_acts(connector, people, 10)
    with counted() as seen:
        found = bases_of(
            "esn.recipients", people, Window(within_days=14), Filter(verb="replied"), 3
        )
    assert len(seen) == 1
    assert found.keys() == set(people)
    assert {len(basis.things) for basis in found.values()} == {3}


def test_what_is_missing_is_one_query_built_once(app: Flask) -> None:
    person_id = make_person().id
    measure = get_measure("esn.days")
    for now in (clock.now(), clock.now() + dt.timedelta(days=30)):
        with clock.travel(now), counted() as seen:
            measure.missing(person_id, Window(within_days=14), Filter(verb="replied"), 2)
        assert len(seen) == 1


def test_many_acts_take_as_many_queries_as_few(app: Flask, client: FlaskClient) -> None:
    load_library()
    connector, secret = make_connector()

    def queries(acts: int) -> int:
        deliver(client, connector, secret, [act("u1", client="mobile") for _ in range(acts)])
        with counted() as seen:
            queue().run("esn.normalise")
        return len(seen)

    assert queries(2) >= queries(300) > 0


def take_back_to(revision: str) -> None:
    """Take the branch of esn back to a revision."""

    def steps(heads: tuple[str, ...], _context: MigrationContext) -> list[Any]:
        mine = tuple(one for one in heads if one.startswith("esn_"))
        return migrate.scripts()._downgrade_revs(revision, mine)  # type: ignore[arg-type]

    db.session.remove()
    migrate._run(partial(steps))


def test_a_migration_finds_in_the_ledger_what_is_kept_from_now_on(
    app: Flask, client: FlaskClient
) -> None:
    connector, secret = make_connector()
    deliver(client, connector, secret, [act("u1"), act("u2", client="desktop")])
    run_pending()
    silent, _secret = make_connector("Silent")
    silent_id = silent.id
    take_back_to("esn_0003")
    migrate.upgrade()
    rows = db.session.execute(
        select(Connector.id, Connector.acts, Connector.told_client).order_by(Connector.id)
    ).all()
    assert [tuple(row)[1:] for row in rows] == [(2, True), (0, False)]
    assert rows[1].id == silent_id

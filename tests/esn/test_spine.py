"""From a signed delivery to a value that a rule can ask for."""

from __future__ import annotations

import datetime as dt

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from esn.connectors.webhook.signature import sign
from esn.ledger.accounts import link_accounts
from esn.models import Delivery, Usage
from lms import clock
from lms.db import db
from lms.evidence import Filter, Window, get_measure
from lms.jobs.queue import run_pending
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_person

START = dt.datetime(2026, 10, 1, 9, tzinfo=dt.UTC)


def value(slug: str, person_id: int, window: Window, where: Filter) -> int:
    rows = dict(db.session.execute(get_measure(slug).values(window, where)).tuples().all())
    return rows.get(person_id, 0)


def test_a_push_becomes_evidence(app: Flask, client: FlaskClient) -> None:
    imani = make_person("Imani Okafor", email="imani@example.test")
    connector, secret = make_connector()
    accounts = [{"id": "u1", "email": "Imani@Example.test"}]
    events = [act("u1", recipient="u2"), act("u1", recipient="u3"), act("u1", recipient="u1")]
    assert deliver(client, connector, secret, events, accounts).status_code == 202
    run_pending()
    where = Filter(verb="replied")
    assert value("esn.recipients", imani.id, Window(), where) == 2
    assert value("esn.acts", imani.id, Window(), where) == 2
    assert value("esn.acts", imani.id, Window(), Filter(others_only=False)) == 3
    assert db.session.scalar(select(Delivery.payload)) is None


def test_pushes_three_times_over_count_once(app: Flask, client: FlaskClient) -> None:
    make_person(email="imani@example.test")
    connector, secret = make_connector()
    events = [act("u1", recipient="u2") for _ in range(250)]
    answers = [deliver(client, connector, secret, events).status_code for _ in range(3)]
    assert answers[0] == 202
    answers.append(deliver(client, connector, secret, events[:5]).status_code)
    run_pending()
    assert db.session.scalar(select(func.count()).select_from(Usage)) == 250


def test_best_stretch_of_days_counts_whenever_it_was(app: Flask, client: FlaskClient) -> None:
    person = make_person(email="p@example.test")
    connector, secret = make_connector()
    with clock.travel(START):
        deliver(client, connector, secret, accounts=[{"id": "u1", "email": "p@example.test"}])
    for days, recipient in ((0, "a"), (13, "b"), (14, "c"), (40, "d")):
        with clock.travel(START + dt.timedelta(days=days)):
            deliver(client, connector, secret, [act("u1", recipient=recipient)])
            run_pending()
    fortnight = Window(within_days=14)
    assert value("esn.recipients", person.id, fortnight, Filter()) == 2
    assert value("esn.recipients", person.id, Window(within_days=15), Filter()) == 3
    with clock.travel(START + dt.timedelta(days=41)):
        gap = get_measure("esn.recipients").missing(person.id, fortnight, Filter(), 3)
    assert (gap.have, gap.need) == (1, 3)
    assert gap.by == (START + dt.timedelta(days=53)).date()
    assert gap.text == "Turn to two more people, by 23 November."


def test_somebody_added_later_keeps_what_they_did(app: Flask, client: FlaskClient) -> None:
    connector, secret = make_connector()
    deliver(client, connector, secret, [act("u9")], [{"id": "u9", "employee_number": "77"}])
    run_pending()
    person = make_person()
    assert person.identity is not None
    person.identity.employee_number = "77"
    db.session.commit()
    link_accounts()
    assert value("esn.acts", person.id, Window(), Filter()) == 1


def test_deleted_content_is_taken_back(app: Flask, client: FlaskClient) -> None:
    person = make_person(email="p@example.test")
    connector, secret = make_connector()
    event = act("u1", "posted")
    deliver(client, connector, secret, [event], [{"id": "u1", "email": "p@example.test"}])
    run_pending()
    assert value("esn.acts", person.id, Window(), Filter()) == 1
    deliver(client, connector, secret, [{"verb": "removed", "object": event["object"]}])
    run_pending()
    assert value("esn.acts", person.id, Window(), Filter()) == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"verb": "hacked"}, "events[0].verb must be one of"),
        ({"at": "yesterday"}, "events[0].at must be a moment"),
        ({"at": "2026-13-01T00:00:00Z"}, "not a moment that exists"),
        ({"at": "2199-01-01T00:00:00Z"}, "in the future"),
        ({"actor": 5}, "events[0].actor must be a text"),
        ({"client": "fridge"}, "events[0].client"),
        ({"client": {}}, "events[0].client"),
        ({"verb": ["posted"]}, "events[0].verb must be one of"),
        ({"group_kind": "Private: Ann's"}, "events[0].group_kind"),
    ],
)
def test_a_wrong_property_is_named(
    app: Flask, client: FlaskClient, change: dict[str, object], says: str
) -> None:
    connector, secret = make_connector()
    answer = deliver(client, connector, secret, [{**act("u1"), **change}])
    assert answer.status_code == 422
    assert says in answer.get_json()["error"]
    assert db.session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_forged_stale_and_unset_fail_closed(app: Flask, client: FlaskClient) -> None:
    connector, secret = make_connector()
    assert deliver(client, connector, secret + "x", [act("u1")]).status_code == 401
    with clock.travel(clock.now() - dt.timedelta(minutes=6)):
        event = act("u1")
    stale = clock.now() - dt.timedelta(minutes=6)
    body = orjson.dumps({"events": [event]})
    old = str(int(stale.timestamp()))
    headers = {"X-Ropes-Timestamp": old, "X-Ropes-Signature": sign(secret, old, body)}
    address = f"/esn/intake/{connector.uid}"
    assert client.post(address, data=body, headers=headers).status_code == 401
    connector.secret = None
    db.session.commit()
    assert deliver(client, connector, "", [act("u1")]).status_code == 401
    assert db.session.scalar(select(func.count()).select_from(Delivery)) == 0

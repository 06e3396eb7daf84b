"""The ledger under what networks really do: any order, twice, deleted, erased, too old."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Select, delete, func, select

from esn.ledger import normalise
from esn.ledger.retention import forget_old
from esn.models import Account, Connector, Delivery, Removed, Usage
from lms import clock
from lms.db import db
from lms.events import PersonErased, publish
from lms.evidence import Condition, Filter, Window, get_measure
from lms.jobs.queue import queue, run_pending
from lms.people.erasing import erase
from lms.people.models import Person
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_person
from tests.queries import counted
from xapi.outbox.models import OutboxStatement

SCRIPT = [
    {"id": "1", "verb": "posted", "actor": "a", "object": "p1", "group": "g"},
    {"id": "2", "verb": "replied", "actor": "b", "object": "r1", "parent": "p1", "group": "g"},
    {"id": "3", "verb": "replied", "actor": "a", "object": "r2", "parent": "p1", "group": "g"},
    {"id": "4", "verb": "reacted", "actor": "b", "object": "x1", "parent": "r2"},
    {"id": "5", "verb": "posted", "actor": "b", "object": "slip"},
    {"verb": "removed", "object": "slip"},
    {"id": "6", "verb": "reacted", "actor": "a", "object": "x2", "parent": "r1"},
    {"verb": "removed", "event": "6"},
]


def script() -> list[dict[str, object]]:
    at = "2026-11-02T09:00:00Z"
    return [dict(one) if one["verb"] == "removed" else {**one, "at": at} for one in SCRIPT]


def picture() -> list[tuple[str, str | None]]:
    """What the ledger says: who did what, and whom it answers, without ids of rows."""
    keys = dict(db.session.execute(select(Account.id, Account.key)).tuples().all())
    rows = db.session.execute(select(Usage.event_key, Usage.recipient_id)).all()
    return sorted((event, keys.get(recipient)) for event, recipient in rows)


@pytest.fixture
def usual(app: Flask, client: FlaskClient) -> tuple[Connector, str, list[tuple[str, str | None]]]:
    connector, secret = make_connector()
    deliver(client, connector, secret, script())
    run_pending()
    return connector, secret, picture()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(len(SCRIPT))), twice=st.integers(0, 7), cut=st.integers(1, 8))
def test_any_order_and_repetition_ends_the_same(
    client: FlaskClient,
    usual: tuple[Connector, str, list[tuple[str, str | None]]],
    order: list[int],
    twice: int,
    cut: int,
) -> None:
    connector, secret, expected = usual
    for model in (Usage, Removed, Account, Delivery):
        db.session.execute(delete(model))
    db.session.commit()
    events = [script()[number] for number in (*order, twice)]
    for start in range(0, len(events), cut):
        deliver(client, connector, secret, events[start : start + cut])
        run_pending()
    assert picture() == expected
    assert len(expected) == 4
    assert sum(recipient is not None for _event, recipient in expected) == 3


def test_a_reply_to_oneself_answers_nobody(
    usual: tuple[Connector, str, list[tuple[str, str | None]]], client: FlaskClient
) -> None:
    connector, secret, _expected = usual
    person = make_person(email="a@example.test")
    deliver(client, connector, secret, accounts=[{"id": "a", "email": "a@example.test"}])
    run_pending()
    values = get_measure("esn.recipients").values(Window(), Filter(verb="replied"))
    assert db.session.execute(values).all() == []
    values = get_measure("esn.acts").values(Window(), Filter(verb="posted"))
    assert db.session.execute(values).all() == [(person.id, 1)]


def test_a_job_killed_between_its_transactions_loses_and_doubles_nothing(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, secret = make_connector()
    deliver(client, connector, secret, [act("u1", recipient="u2") for _ in range(350)])
    calls = iter(range(100))
    monkeypatch.setattr(normalise, "ACTS_IN_A_TRANSACTION", 100)

    def stop(_seconds: float) -> None:
        if next(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("esn.ledger.normalise.time.sleep", stop)
    with pytest.raises(KeyboardInterrupt):
        run_pending()
    assert db.session.scalar(select(func.count()).select_from(Usage)) == 200
    db.session.rollback()
    queue().run("esn.normalise")
    assert db.session.scalar(select(func.count()).select_from(Usage)) == 350


def test_deliveries_are_read_together_and_a_bad_one_among_them_alone(
    app: Flask, client: FlaskClient
) -> None:
    connector, secret = make_connector()
    for _ in range(5):
        deliver(client, connector, secret, [act("u1")])
    bad = db.session.scalars(select(Delivery).order_by(Delivery.id)).all()[2]
    bad.payload = {"accounts": [], "removed": [], "acts": [{"event": "e", "actor": "u1"}]}
    bad_id = bad.id
    db.session.commit()
    run_pending()
    assert db.session.scalar(select(func.count()).select_from(Usage)) == 4
    left = select(Delivery.id, Delivery.tries).where(Delivery.done_at.is_(None))
    assert [tuple(row) for row in db.session.execute(left)] == [(bad_id, 1)]
    with counted() as seen:
        for _ in range(5):
            deliver(client, connector, secret, [act("u1")])
        queue().run("esn.normalise")
    assert sum("INSERT INTO esn_usage" in one for one in seen) == 1


def test_an_erased_person_is_unlinked_and_stays_so(app: Flask, client: FlaskClient) -> None:
    connector, secret = make_connector()
    person = make_person("Leila Haddad", email="leila@example.test")
    claim = [{"id": "u1", "email": "leila@example.test"}]
    deliver(client, connector, secret, [act("u1")], claim)
    run_pending()
    assert db.session.scalar(select(Account.person_id)) == person.id
    erase(person, None)
    db.session.commit()
    run_pending()
    assert db.session.scalars(select(Account.person_id)).all() == [None]
    deliver(client, connector, secret, [act("u1")], claim)
    run_pending()
    assert db.session.scalars(select(Account.person_id)).all() == [None]
    # What was known stays under the opaque id; what came later is nobody's.
    assert db.session.scalars(select(Usage.person_id).order_by(Usage.id)).all() == [person.id, None]
    publish(PersonErased(person.id))


def test_retention_deletes_what_is_too_old_and_nothing_else(
    app: Flask, client: FlaskClient
) -> None:
    app.config["LMS_ESN_RETENTION_DAYS"] = 90
    connector, secret = make_connector()
    now = clock.now()
    for days in (200, 91, 89, 1):
        at = (now - dt.timedelta(days=days)).isoformat()
        deliver(client, connector, secret, [act("u1", at=at, object=f"d{days}")])
    run_pending()
    forget_old()
    assert db.session.scalar(select(func.count()).select_from(Usage)) == 2
    db.session.rollback()
    with clock.travel(now + dt.timedelta(days=3)):
        forget_old()
        assert db.session.scalar(select(func.count()).select_from(Delivery)) == 0
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Usage)) == 1
    app.config["LMS_ESN_RETENTION_DAYS"] = 0
    with clock.travel(now + dt.timedelta(days=4000)):
        forget_old()
    assert db.session.scalar(select(func.count()).select_from(Usage)) == 1


def test_too_large_and_chunked_bodies_are_refused_in_json(app: Flask, client: FlaskClient) -> None:
    connector, _secret = make_connector()
    answer = client.post(f"/esn/intake/{connector.uid}", data=b"x" * (4 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert "in parts" in answer.get_json()["error"]


def recorded() -> list[str]:
    return list(db.session.scalars(select(OutboxStatement.text)))


@pytest.mark.parametrize(("setting", "expected"), [("none", 0), ("counted", 2), ("all", 5)])
def test_which_acts_become_statements(
    app: Flask,
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    expected: int,
) -> None:
    app.config["LMS_ESN_STATEMENTS"] = setting
    imani = make_person("Imani Okafor", email="imani@example.test")
    tomasz = make_person("Tomasz Wrona", email="tomasz@example.test")
    in_force = [
        Condition(
            "esn.recipients",
            Filter(verb="replied", group_kind="work"),
            people=_only(imani.id),
        ),
        Condition("esn.acts", Filter(verb="joined"), people=_only(imani.id)),
        Condition("courses.completed", Filter(target="path/first-30-days")),
    ]
    monkeypatch.setattr("esn.statements.conditions_in_force", lambda: in_force)
    connector, secret = make_connector()
    accounts = [
        {"id": "i", "email": "imani@example.test"},
        {"id": "t", "email": "tomasz@example.test"},
    ]
    events = [
        act("i", "replied", recipient="t", group="g", group_kind="work"),  # counts
        act("i", "replied", recipient="t", group="h", group_kind="social"),
        act("i", "joined", object="g", group="g", group_kind="work"),  # counts
        act("i", "reacted", recipient="t"),
        act("t", "replied", recipient="i", group="g", group_kind="work"),  # not Tomasz's condition
        act("nobody", "replied", recipient="i"),
    ]
    deliver(client, connector, secret, events, accounts)
    run_pending()
    found = recorded()
    assert len(found) == expected
    assert all("example.test" not in text for text in found)
    if setting == "counted":
        assert all(imani.uid in text and tomasz.uid not in text for text in found)


def test_acts_of_somebody_linked_later_are_recorded_then(app: Flask, client: FlaskClient) -> None:
    app.config["LMS_ESN_STATEMENTS"] = "all"
    connector, secret = make_connector()
    events = [act("u1") for _ in range(120)]
    deliver(client, connector, secret, events, [{"id": "u1", "employee_number": "77"}])
    run_pending()
    assert recorded() == []
    person = make_person()
    assert person.identity is not None
    person.identity.employee_number = "77"
    db.session.commit()
    queue().run("esn.link")
    assert len(recorded()) == 120
    queue().run("esn.link")
    assert len(recorded()) == 120


def _only(person_id: int) -> Select[tuple[int]]:
    return select(Person.id).where(Person.id == person_id)


def test_the_value_is_that_of_the_best_stretch(app: Flask, client: FlaskClient) -> None:
    """The query against counting by hand, over random histories."""
    dice = random.Random(20261123)
    connector, secret = make_connector()
    person = make_person(email="p@example.test")
    start = clock.now() - dt.timedelta(days=80)
    history = [
        (dice.randrange(60), f"r{dice.randrange(6)}", f"g{dice.randrange(3)}") for _ in range(80)
    ]
    events = [
        act("u1", at=(start + dt.timedelta(days=day)).isoformat(), recipient=who, group=group)
        for day, who, group in history
    ]
    deliver(client, connector, secret, events, [{"id": "u1", "email": "p@example.test"}])
    run_pending()
    for days in (1, 3, 14, 90):
        stretches = [[one for one in history if last - days < one[0] <= last] for last in range(60)]
        by_hand = {
            "esn.acts": max(len(found) for found in stretches),
            "esn.recipients": max(len({one[1] for one in found}) for found in stretches),
            "esn.days": max(len({one[0] for one in found}) for found in stretches),
            "esn.groups": max(len({one[2] for one in found}) for found in stretches),
        }
        for slug, expected in by_hand.items():
            values = get_measure(slug).values(Window(within_days=days), Filter())
            assert db.session.execute(values).all() == [(person.id, expected)], (slug, days)


def test_what_is_missing_names_the_day_on_which_something_is_lost(
    app: Flask, client: FlaskClient
) -> None:
    connector, secret = make_connector()
    person = make_person(email="p@example.test")
    now = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    with clock.travel(now):
        events = [
            act("u1", at=(now - dt.timedelta(days=days)).isoformat(), recipient=who, client=device)
            for days, who, device in (
                (40, "x", "mobile"),
                (9, "a", "desktop"),
                (3, "a", "desktop"),
                (6, "b", "desktop"),
            )
        ]
        deliver(client, connector, secret, events, [{"id": "u1", "email": "p@example.test"}])
        run_pending()
        measure = get_measure("esn.recipients")
        gap = measure.missing(person.id, Window(within_days=14), Filter(verb="replied"), 3)
        # The answer to a is three days old again: the one to b is lost first.
        assert (gap.have, gap.text) == (2, "Answer one more person, by 27 November.")
        acts = get_measure("esn.acts")
        gap = acts.missing(person.id, Window(within_days=14), Filter(client="mobile"), 1)
        assert gap.met  # it was done, whenever that was
        gap = acts.missing(person.id, Window(), Filter(verb="posted", client="mobile"), 2)
        assert (gap.have, gap.text, gap.by) == (0, "Two more posts from your phone.", None)

"""Statements kept for so many months: what is older goes, and nothing that is still needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from lms import clock
from lms.audit import AuditEntry
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.factories.people import make_person
from tests.xapi.lrs import Provider, statement
from xapi import api, build, vocabulary
from xapi.keeping import retention
from xapi.keeping.retention import Rules, months_before
from xapi.lrs.models import LrsStatement
from xapi.outbox.models import Backfill, Forward, OutboxStatement, Parked, Pending, Store
from xapi.vocabulary import VerbTerm

START = dt.datetime(2026, 1, 10, 12, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def provider(app: Flask) -> Provider:
    return Provider(app)


@pytest.fixture
def person(app: Flask) -> Person:
    return make_person("Leila Haddad")


def days(number: int) -> dt.datetime:
    return START + dt.timedelta(days=number)


def record(person: Person, verb: VerbTerm = vocabulary.PROGRESSED, kind: str = "") -> str:
    """Record one statement now, and have it delivered."""
    thing = build.activity("courses/welcome/v1", kind or vocabulary.COURSE, "Welcome")
    [made] = api.record_many([(person.id, build.template(person.uid, verb, thing))])
    db.session.commit()
    run_pending()
    return made


def keep(*args: Any, **rules: int) -> None:
    """Set the rules, and carry them out as of now."""
    with clock.travel(NOW):
        retention.change(Rules(**rules), None)
        db.session.commit()
        retention.work()


def stored() -> set[str]:
    found = set(db.session.scalars(select(LrsStatement.statement_id)))
    db.session.rollback()
    return found


def copies() -> set[str]:
    found = set(db.session.scalars(select(OutboxStatement.statement_id)))
    db.session.rollback()
    return found


@pytest.fixture
def told(person: Person, provider: Provider) -> dict[str, str]:
    """Statements of several kinds, old and new, by a name."""
    found = {}
    for age, day in (("old", 0), ("new", 300)):
        with clock.travel(days(day)):
            found[f"{age} course"] = record(person)
            found[f"{age} answer"] = record(person, vocabulary.ANSWERED, vocabulary.QUESTION)
            found[f"{age} post"] = record(person, vocabulary.POSTED, vocabulary.FORUM_TOPIC)
            found[f"{age} help"] = record(person, vocabulary.ANSWERED, vocabulary.FORUM_REPLY)
            [found[f"{age} other"]] = provider.post(
                [
                    statement(
                        verb={"id": vocabulary.POSTED.iri},
                        object={
                            "id": "http://example.test/topic",
                            "definition": {"type": vocabulary.FORUM_TOPIC},
                        },
                    )
                ]
            )
    return found


def named(told: dict[str, str], ids: set[str]) -> set[str]:
    return {name for name, one in told.items() if one in ids}


def test_without_rules_all_is_kept(told: dict[str, str]) -> None:
    keep()
    assert stored() == set(told.values())


def test_statements_go_with_their_copies(told: dict[str, str]) -> None:
    keep(statements=6)
    assert named(told, stored()) == {name for name in told if name.startswith("new")}
    assert named(told, copies()) == {
        "new course",
        "new answer",
        "new post",
        "new help",
    }


def test_copies_may_go_earlier(told: dict[str, str]) -> None:
    keep(outbox=6)
    assert stored() == set(told.values())
    assert all(name.startswith("new") for name in named(told, copies()))


def test_only_what_tells_of_the_network(told: dict[str, str]) -> None:
    """Neither answers in lessons, nor what other systems stored with the same words."""
    keep(network=6)
    gone = {"old post", "old help"}
    assert named(told, stored()) == set(told) - gone
    assert set(told) - named(told, copies()) == {*gone, "old other", "new other"}


def test_taking_back_goes_with_what_was_taken_back(person: Person) -> None:
    with clock.travel(days(0)):
        one = record(person, vocabulary.POSTED, vocabulary.FORUM_TOPIC)
        course = record(person)
        [void] = api.void_many([(person.id, one)])
        [other] = api.void_many([(person.id, course)])
        db.session.commit()
        run_pending()
    keep(network=6)
    assert stored() == {course, other}
    assert void not in copies()


def test_what_a_record_store_waits_for_stays(person: Person) -> None:
    made = []
    with clock.travel(days(0)):
        made = [record(person) for _ in range(4)]
    rows = dict(
        db.session.execute(select(OutboxStatement.statement_id, OutboxStatement.id)).tuples().all()
    )
    db.session.add(Pending(target="elsewhere", outbox_id=rows[made[1]]))
    db.session.add(Parked(target="elsewhere", outbox_id=rows[made[2]], status=400, words="no"))
    db.session.commit()
    keep(statements=6)
    assert copies() == {made[1], made[2]}
    assert stored() == set()


def test_what_is_being_sent_anew_stays(person: Person) -> None:
    with clock.travel(days(0)):
        made = [record(person) for _ in range(4)]
    second = db.session.scalar(
        select(OutboxStatement.id).where(OutboxStatement.statement_id == made[1])
    )
    db.session.add(Backfill(target="elsewhere", cursor=second, last_id=9, total=4))
    db.session.commit()
    keep(outbox=6)
    assert copies() == {made[2], made[3]}
    db.session.execute(update(Backfill).values(ended_at=NOW))
    db.session.commit()
    keep(outbox=6)
    assert copies() == set()


def test_what_is_to_be_forwarded_stays(provider: Provider) -> None:
    with clock.travel(days(0)):
        made = [provider.post([statement()])[0] for _ in range(4)]
    ids = dict(
        db.session.execute(select(LrsStatement.statement_id, LrsStatement.id)).tuples().all()
    )
    store = Store(
        name="head", label="Head", endpoint="http://127.0.0.1:9", key="k", secret=b"", version="1.0.3",
        everything=True, position=ids[made[2]],
    )  # fmt: skip
    db.session.add(store)
    db.session.add(Forward(target="head", statement=ids[made[0]]))
    db.session.commit()
    keep(statements=6)
    assert stored() == {made[0], made[3]}
    store.removed_at = NOW
    db.session.execute(update(Forward).values(statement=ids[made[3]]))
    db.session.commit()
    keep(statements=6)
    assert stored() == {made[3]}


def test_more_than_fit_into_one_transaction(provider: Provider) -> None:
    with clock.travel(days(0)):
        provider.post([statement() for _ in range(450)])
    with clock.travel(days(300)):
        [kept] = provider.post([statement()])
    with clock.travel(NOW):
        assert retention.count_due(Rules(statements=6)) == (450, 0)
    keep(statements=6)
    assert stored() == {kept}
    [run] = retention.runs()
    assert (run.day, run.statements, run.copies) == (NOW.date(), 450, 0)


def test_it_is_carried_out_once_a_day(provider: Provider) -> None:
    keep(statements=6)
    with clock.travel(days(0)):
        provider.post([statement()])
    with clock.travel(NOW + dt.timedelta(hours=22)):
        retention.work()
    assert len(stored()) == 1
    with clock.travel(NOW + dt.timedelta(hours=24)):
        retention.work()
    assert stored() == set()


def test_a_change_is_noted(app: Flask) -> None:
    keep(statements=12, outbox=3)
    assert retention.rules() == Rules(statements=12, outbox=3)
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert entry.act == "xapi.retention.changed"
    assert entry.details == {"statements": 12, "network": None, "outbox": 3}


@pytest.mark.parametrize(
    ("moment", "months", "expected"),
    [
        ("2026-11-23", 6, "2026-05-23"),
        ("2026-03-31", 1, "2026-02-28"),
        ("2024-03-31", 1, "2024-02-29"),
        ("2026-01-15", 1, "2025-12-15"),
        ("2026-01-15", 25, "2023-12-15"),
    ],
)
def test_months(moment: str, months: int, expected: str) -> None:
    begun = dt.datetime.fromisoformat(f"{moment}T12:30:00+00:00")
    assert months_before(begun, months).isoformat() == f"{expected}T12:30:00+00:00"


def test_the_page_says_what_would_go(
    told: dict[str, str], app: Flask, sign_in: Callable[[Person], FlaskClient]
) -> None:
    browser = sign_in(make_person("Jonas Brandt", is_administrator=True))
    assert "For ever: nothing is removed by itself." in browser.get("/xapi/keeping").text
    with clock.travel(NOW):
        wrong = browser.post("/xapi/keeping/retention", data={"statements": "0"})
        assert (wrong.status_code, 'id="statements-error"' in wrong.text) == (422, True)
        page = browser.post("/xapi/keeping/retention", data={"network": "6"})
        assert "2 statements in the built-in record store." in page.text
        run_pending()
        assert stored() == set(told.values())
        assert retention.rules() == Rules()
        answer = browser.post("/xapi/keeping/retention", data={"network": "6", "sure": "y"})
        assert answer.status_code == 302
        run_pending()
    assert len(stored()) == 8
    page = browser.get("/xapi/keeping")
    assert "What tells of the network: 6 months." in page.text
    assert 'value="6"' in browser.get("/xapi/keeping/retention").text
    # What would remove nothing needs no second question.
    assert browser.post("/xapi/keeping/retention", data={"statements": "600"}).status_code == 302


def test_on_the_command_line(told: dict[str, str], app: Flask) -> None:
    run = app.test_cli_runner().invoke
    with clock.travel(NOW):
        what_if = run(args=["lrs", "retention", "--statements", "6", "--what-if"])
        assert "By these rules 5 statements and 4 copies go now." in what_if.output
        assert run(args=["lrs", "retention", "--statements", "6"], input="n\n").exit_code == 1
        assert len(stored()) == 10
        done = run(args=["lrs", "retention", "--statements", "6", "--yes"])
        assert done.exit_code == 0, done.output
        assert len(stored()) == 5
        shown = run(args=["lrs", "retention"]).output
        assert shown.startswith("Statements: 6 months\nWhat tells of the network: for ever\n")
        assert run(args=["lrs", "retention", "--statements", "0"]).exit_code == 0
        assert retention.rules() == Rules()

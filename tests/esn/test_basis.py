"""What a value rests on: the fewest acts that suffice, and the first that did."""

from __future__ import annotations

from itertools import combinations

from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from courses.progress.walk import take
from esn.measures.basis import Counted, enough
from esn.models import Usage
from lms.db import db
from lms.evidence import Filter, Window, bases_of
from lms.jobs.queue import run_pending
from tests.factories.courses import make_course
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_person
from tests.xapi.lrs import Provider
from xapi.outbox.held import in_words, statements
from xapi.outbox.models import OutboxStatement
from xapi.vocabulary import POSTED, REPLIED

ACTS = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 4)), max_size=12).map(
    lambda rows: [
        Counted(day, thing, 1, f"e{number}", None)
        for number, (day, thing) in enumerate(sorted(rows, key=lambda row: row[0]))
    ]
)


@given(acts=ACTS, need=st.integers(1, 4), days=st.one_of(st.none(), st.integers(1, 6)))
def test_they_suffice_are_as_few_as_can_be_and_fit_the_days(
    acts: list[Counted], need: int, days: int | None
) -> None:
    found = enough(acts, need, days)
    possible = any(
        len({act.thing for act in some}) == need
        and (days is None or max(act.day for act in some) - min(act.day for act in some) < days)
        for some in combinations(acts, need)
    )
    assert bool(found) == possible
    if found:
        assert len(found) == len({act.thing for act in found}) == need
        assert set(found) <= set(acts)
        assert days is None or found[-1].day - found[0].day < days


def test_acts_weigh_what_a_daily_count_says() -> None:
    acts = [Counted(1, None, 5, "monday", None), Counted(2, None, 5, "tuesday", None)]
    assert [one.event for one in enough(acts, 5, None)] == ["monday"]
    assert [one.event for one in enough(acts, 6, 2)] == ["monday", "tuesday"]
    assert enough(acts, 6, 1) == []


def test_a_person_answered_twice_is_named_once_and_statements_are_those_held(
    app: Flask, client: FlaskClient
) -> None:
    app.config["LMS_ESN_STATEMENTS"] = "all"
    person = make_person(email="imani@example.test")
    connector, secret = make_connector()
    events = [act("u1", recipient=to) for to in ("u1", "u2", "u2", "u3", "u4")]
    deliver(client, connector, secret, events, [{"id": "u1", "email": "imani@example.test"}])
    run_pending()
    where = Filter(verb="replied")
    found = bases_of("esn.recipients", [person.id], Window(within_days=14), where, 2)[person.id]
    assert len(found.statements) == len(found.things) == 2
    rows = db.session.execute(select(Usage.event_key, Usage.statement_id).order_by(Usage.id)).all()
    assert set(zip(found.things, found.statements, strict=True)) <= {(a, b) for a, b in rows}
    held = Provider(app).find_statements(verb=REPLIED.iri)
    assert set(found.statements) < {one["id"] for one in held}
    assert bases_of("esn.recipients", [person.id], Window(), where, 4) == {}
    assert bases_of("nobody.brings_this", [person.id], Window(), where, 1) == {}


def test_what_is_taken_back_is_voided_in_the_record_store(app: Flask, client: FlaskClient) -> None:
    app.config["LMS_ESN_STATEMENTS"] = "all"
    person = make_person(email="imani@example.test")
    connector, secret = make_connector()
    slip, kept = act("u1", "posted"), act("u1", "posted")
    deliver(client, connector, secret, [slip, kept], [{"id": "u1", "email": "imani@example.test"}])
    run_pending()
    provider = Provider(app)
    posted = POSTED.iri
    before = {one["id"] for one in provider.find_statements(verb=posted)}
    told = db.session.scalars(select(Usage.statement_id)).all()
    assert before == set(told)
    for _ in range(2):  # said twice, it is voided once
        deliver(client, connector, secret, [{"verb": "removed", "object": slip["object"]}])
        run_pending()
    # What refers to a statement is found with it (xAPI 1.0.3, Communication 2.1.3): leave that out.
    found = provider.find_statements(verb=posted)
    left = {one["id"] for one in found if one["verb"]["id"] == posted}
    assert left == set(db.session.scalars(select(Usage.statement_id)).all())
    assert len(before - left) == 1
    voided = (before - left).pop()
    answer = provider.ask("GET", query_string={"voidedStatementId": voided})
    assert answer.json is not None
    assert answer.json["id"] == voided
    recorded = db.session.scalars(select(OutboxStatement.text)).all()
    assert sum("voided" in text for text in recorded) == 1
    told = [in_words(row) for row in statements(person.id)]  # as the person reads it
    assert told.count("You posted in the network.") == 2
    assert told[0].startswith("Something was taken back in the network")


def test_who_is_on_a_mission_makes_statements_of_what_serves_it(
    app: Flask, client: FlaskClient
) -> None:
    """By default only what counts is told; that an act serves a mission makes it count."""
    course = make_course("ask")  # its mission: post once
    on_it, off_it, through = (make_person(email=f"p{n}@example.test") for n in range(3))
    take(on_it, course, 1)
    take(through, course)
    db.session.commit()
    connector, secret = make_connector()
    accounts = [{"id": f"u{n}", "email": f"p{n}@example.test"} for n in range(3)]
    events = [act(f"u{n}", verb) for n in range(3) for verb in ("posted", "reacted")]
    deliver(client, connector, secret, events, accounts)
    run_pending()
    told = db.session.execute(
        select(Usage.person_id, Usage.verb).where(Usage.statement_id.is_not(None))
    ).all()
    assert [tuple(row) for row in told] == [(on_it.id, "posted")]
    assert off_it.id not in {row.person_id for row in told}

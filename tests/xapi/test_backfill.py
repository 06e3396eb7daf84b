"""Everything since a day: bit by bit, with progress, in each learner's order, and it can be stopped."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms import clock
from lms.db import db
from lms.jobs.queue import queue as jobs
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.factories.people import make_person
from tests.xapi.test_delivery import MOMENT, FakeLrs, add_target, count
from xapi import api, build, vocabulary
from xapi.delivery import backfill
from xapi.delivery.outcome import Outcome, Verdict
from xapi.outbox.models import BackfillPerson, OutboxStatement, Pending
from xapi.targets import SEND


def record_for(people: Sequence[Person], count: int) -> list[str]:
    activity = build.activity("courses/welcome/v1", vocabulary.COURSE, "Welcome")
    made = api.record_many(
        [
            (one.id, build.template(one.uid, vocabulary.PROGRESSED, activity))
            for number in range(count)
            for one in [people[number % len(people)]]
        ]
    )
    db.session.commit()
    return made


def by_learner(ids: Sequence[str]) -> dict[int, list[str]]:
    whose = {
        row.statement_id: row.person_id
        for row in db.session.execute(
            select(OutboxStatement.statement_id, OutboxStatement.person_id)
        )
    }
    found: dict[int, list[str]] = {}
    for one in ids:
        found.setdefault(whose[one], []).append(one)
    return found


def go() -> None:
    db.session.commit()
    jobs().wake(SEND)
    run_pending()


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "FED_ROWS", 7)
    monkeypatch.setattr(backfill, "ENOUGH_ROWS", 3)


def test_the_past_is_never_queued_at_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [make_person() for _ in range(3)]
    made = record_for(people, 1500)
    most = 0

    def look(_ids: Sequence[str]) -> Outcome | None:
        nonlocal most
        most = max(most, count(Pending, Pending.target == "fake"))
        return None

    fake = add_target(app, look)
    backfill.start("fake", None)
    go()
    assert fake.held == made
    assert most <= backfill.FED_ROWS + backfill.ENOUGH_ROWS
    done = backfill.progress()["fake"]
    assert (done.done, done.total, done.over, done.stopped) == (1500, 1500, True, False)


def test_what_is_recorded_meanwhile_flows_and_each_learners_order_is_kept(
    app: Flask, small_steps: None
) -> None:
    people = [make_person() for _ in range(6)]
    past = record_for(people, 120)
    chance = random.Random(3)
    fresh: list[str] = []

    def meanwhile(_ids: Sequence[str]) -> Outcome | None:
        if len(fresh) < 40:  # as a web process would, in a session of its own
            with app.app_context():
                fresh.extend(record_for([db.session.merge(chance.choice(people))], 1))
        return None

    fake = add_target(app, meanwhile)
    backfill.start("fake", None)
    go()
    assert sorted(fake.held) == sorted(past + fresh)
    order = select(OutboxStatement.statement_id).order_by(OutboxStatement.id)
    recorded = by_learner(db.session.scalars(order).all())
    assert by_learner(fake.held) == recorded
    # They did not wait until all of the past was through.
    assert min(fake.held.index(one) for one in fresh) < len(past)
    assert count(BackfillPerson) == 0


def test_it_is_stopped_and_goes_on_from_the_beginning_when_asked_again(
    app: Flask, small_steps: None
) -> None:
    people = [make_person() for _ in range(3)]
    made = record_for(people, 60)

    def stop_soon(_ids: Sequence[str]) -> Outcome | None:
        if len(fake.held) == 14:
            with app.app_context():
                backfill.stop("fake")
                db.session.commit()
        return None

    fake: FakeLrs = add_target(app, stop_soon)
    backfill.start("fake", None)
    go()
    assert 14 <= len(fake.held) < 40
    how = backfill.progress()["fake"]
    assert how.stopped
    assert how.over
    assert (how.done, how.total) == (len(fake.held), 60)
    assert not backfill.stop("fake")
    fake.answer = lambda _ids: None
    backfill.start("fake", None)
    go()
    assert set(fake.held) == set(made)
    assert backfill.progress()["fake"].percent == 100


def test_asked_again_while_under_way_it_keeps_the_earlier_beginning(app: Flask) -> None:
    with clock.travel(MOMENT):
        early = record_for([make_person()], 3)
    with clock.travel(MOMENT + dt.timedelta(days=2)):
        late = record_for([make_person()], 2)
    fake = add_target(app, lambda _ids: None)
    backfill.start("fake", None)
    backfill.start("fake", MOMENT + dt.timedelta(days=1))
    go()
    assert fake.held == early + late


def test_a_target_that_is_down_gets_it_all_later(app: Flask, small_steps: None) -> None:
    made = record_for([make_person(), make_person()], 50)
    answers: list[Outcome | None] = [Outcome(Verdict.LATER, 503, "away")]
    fake = add_target(app, lambda _ids: answers[-1])
    backfill.start("fake", None)
    go()
    assert fake.held == []
    assert not backfill.progress()["fake"].over
    answers.append(None)
    with clock.travel(clock.now() + dt.timedelta(hours=1)):
        go()
    assert fake.held == made


def test_nothing_there_is_done_at_once(app: Flask) -> None:
    add_target(app, lambda _ids: None)
    backfill.start("fake", None)
    how = backfill.progress()["fake"]
    assert (how.total, how.percent, how.over) == (0, 100, True)
    assert db.session.scalar(select(func.count()).select_from(Pending)) == 0

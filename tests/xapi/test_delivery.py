"""From the outbox to the targets: nothing lost, nothing doubled, in order, with the LRS's words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import func, select

from lms import clock
from lms.db import db
from lms.errors import Misconfigured
from lms.jobs.queue import queue as jobs
from lms.jobs.queue import run_pending
from tests.factories.people import make_person
from xapi import api, build, vocabulary
from xapi.delivery import backfill, queue
from xapi.delivery.outcome import Outcome, Verdict, read_retry_after, wait_seconds
from xapi.delivery.target import Waiting
from xapi.lrs.models import LrsStatement
from xapi.outbox.models import OutboxStatement, Parked, Pending, TargetState
from xapi.targets import SEND, targets

MOMENT = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


class FakeLrs:
    """A target that holds what it is sent, and refuses by a rule."""

    name = "fake"
    label = "Fake"
    address = "http://fake"
    in_process = False

    def __init__(self, answer: Callable[[Sequence[str]], Outcome | None]) -> None:
        self.answer = answer
        self.held: list[str] = []
        self.calls = 0

    def send(self, batch: Sequence[Waiting]) -> Outcome:
        self.calls += 1
        refused = self.answer([one.statement_id for one in batch])
        if refused is not None:
            return refused
        self.held += [one.statement_id for one in batch]
        return Outcome(Verdict.DELIVERED, 200)

    def settle(self, one: Waiting) -> Outcome:
        if one.statement_id in self.held:
            return Outcome(Verdict.DELIVERED, 200)
        return Outcome(Verdict.REFUSED, 409, "another")


def add_target(app: Flask, answer: Callable[[Sequence[str]], Outcome | None]) -> FakeLrs:
    fake = FakeLrs(answer)
    app.extensions["xapi.targets"]["fake"] = fake
    return fake


def record(count: int) -> list[str]:
    person = make_person()
    activity = build.activity("courses/welcome/v1", vocabulary.COURSE, "Welcome")
    made = api.record_many(
        [
            (person.id, build.template(person.uid, vocabulary.PROGRESSED, activity))
            for _ in range(count)
        ]
    )
    db.session.commit()
    return made


def count(model: Any, *where: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def state(target: str) -> TargetState:
    found = db.session.get(TargetState, target, populate_existing=True)
    assert found is not None
    return found


def test_the_built_in_store_holds_what_was_recorded(app: Flask) -> None:
    made = record(250)
    run_pending()
    stored = db.session.execute(
        select(LrsStatement.statement_id, LrsStatement.text).order_by(LrsStatement.id)
    ).all()
    assert [row.statement_id for row in stored] == made
    first = orjson.loads(stored[0].text)
    sent = orjson.loads(db.session.scalar(select(OutboxStatement.text).limit(1)) or "")
    assert {name: first[name] for name in sent} == sent
    assert first["authority"]["account"]["name"] == "lrs/ropes"
    assert count(Pending) == 0
    assert state("embedded").delivered == 250


def test_what_is_rolled_back_is_not_delivered(app: Flask) -> None:
    person = make_person()
    activity = build.activity("courses/welcome/v1", vocabulary.COURSE, "Welcome")
    api.record(person.id, build.statement(person.uid, vocabulary.PASSED, activity))
    db.session.rollback()
    assert run_pending() == []
    assert count(LrsStatement) == 0


def test_a_refused_statement_is_found_and_parked_with_the_words_of_the_refusal(app: Flask) -> None:
    bad: set[str] = set()
    fake = add_target(
        app,
        lambda ids: Outcome(Verdict.REFUSED, 400, "object.id: no") if bad & set(ids) else None,
    )
    made = record(100)
    bad |= {made[17], made[60]}
    run_pending()
    assert fake.held == [one for one in made if one not in bad]
    parked = db.session.scalars(select(Parked).order_by(Parked.outbox_id)).all()
    assert [(one.status, one.words) for one in parked] == [(400, "object.id: no")] * 2
    assert count(Pending, Pending.target == "fake") == 0
    assert fake.calls < 40
    # Mended over there: send again.
    bad.clear()
    assert queue.send_again("fake") == 2
    db.session.commit()
    jobs().wake(SEND)
    run_pending()
    assert sorted(fake.held) == sorted(made)
    assert count(Parked) == 0


def test_a_target_that_is_down_holds_up_no_other_and_is_tried_again(app: Flask) -> None:
    down = Outcome(Verdict.LATER, 503, "closed for repair", retry_after_seconds=120)
    answers: list[Outcome | None] = [down]
    fake = add_target(app, lambda _ids: answers[-1])
    with clock.travel(MOMENT):
        made = record(3)
        run_pending()
        assert count(LrsStatement) == 3
        assert state("fake").words == "closed for repair"
        waits_until = state("fake").next_try_at
        assert waits_until is not None
        assert waits_until >= MOMENT + dt.timedelta(seconds=120)
    answers.append(None)
    with clock.travel(MOMENT + dt.timedelta(seconds=60)):
        jobs().wake(SEND)
        run_pending()
        assert fake.held == []
    with clock.travel(waits_until + dt.timedelta(seconds=1)):
        jobs().wake(SEND)
        run_pending()
    assert fake.held == made
    assert state("fake").failures == 0
    assert state("fake").next_try_at is None


def test_a_wrong_key_parks_nothing(app: Flask) -> None:
    add_target(app, lambda _ids: Outcome(Verdict.DOUBTFUL, 403, "not you"))
    record(10)
    run_pending()
    assert count(Parked) == 0
    assert count(Pending, Pending.target == "fake") == 10
    assert state("fake").words == "not you"


def test_a_statement_that_this_key_may_not_send_is_parked(app: Flask) -> None:
    bad: set[str] = set()
    fake = add_target(
        app, lambda ids: Outcome(Verdict.DOUBTFUL, 403, "no voiding") if bad & set(ids) else None
    )
    made = record(10)
    bad.add(made[4])
    run_pending()
    assert fake.held == made[:4]  # what the learner did later waits with it
    assert count(Parked) == 0  # it may have been a passing thing
    for hour in range(1, 5):
        with clock.travel(clock.now() + dt.timedelta(hours=hour)):
            bad |= set(made[4:5])
            made += record(2)
            jobs().wake(SEND)
            run_pending()
    assert len(fake.held) == len(made) - 1
    assert count(Parked) == 1


def test_a_statement_on_which_the_other_side_breaks_is_found_in_the_end(app: Flask) -> None:
    bad: set[str] = set()
    fake = add_target(
        app, lambda ids: Outcome(Verdict.DOUBTFUL, 500, "oops") if bad & set(ids) else None
    )
    made = record(10)
    bad.add(made[4])
    for hour in range(8):
        made += record(2)
        with clock.travel(clock.now() + dt.timedelta(hours=hour)):
            jobs().wake(SEND)
            run_pending()
    assert sorted(fake.held) == sorted(set(made) - bad)
    assert count(Parked) == 1


def test_a_conflict_is_judged_by_what_is_held(app: Flask) -> None:
    taken: set[str] = set()
    fake = add_target(
        app, lambda ids: Outcome(Verdict.CONFLICT, 409, "exists") if taken & set(ids) else None
    )
    made = record(8)
    taken |= {made[2], made[5]}
    fake.held.append(made[2])  # an earlier try got through, and the answer was lost
    run_pending()
    assert sorted(fake.held) == sorted(set(made) - {made[5]})
    assert count(Parked) == 1


def test_a_new_target_gets_everything_since(app: Flask) -> None:
    with clock.travel(MOMENT):
        record(3)
    with clock.travel(MOMENT + dt.timedelta(days=1)):
        late = record(2)
    fake = add_target(app, lambda _ids: None)
    backfill.start("fake", MOMENT + dt.timedelta(hours=1))
    backfill.start("fake", MOMENT + dt.timedelta(hours=2))
    db.session.commit()
    jobs().wake(SEND)
    run_pending()
    assert fake.held == late
    backfill.start("fake", None)
    db.session.commit()
    jobs().wake(SEND)
    run_pending()
    assert len(fake.held) == 7
    assert backfill.progress()["fake"].percent == 100


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 23 Nov 2026 09:01:00 GMT", 60.0),
        ("Mon, 23 Nov 2026 08:00:00 GMT", 0.0),
        ("99999999", 86400.0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read(header: str | None, seconds: float | None) -> None:
    assert read_retry_after(header, MOMENT) == seconds


def test_waits_double_with_jitter_and_end() -> None:
    for failures in range(1, 200):
        step = min(2.0 * 2 ** (failures - 1), 900.0)
        assert step / 2 <= wait_seconds(failures, None, 2.0, 900.0) <= step * 1.5
    assert wait_seconds(1, 300.0, 2.0, 900.0) >= 300.0


def test_settings_that_make_no_sense_stop_the_start(make_app: Callable[..., Flask]) -> None:
    with pytest.raises(Misconfigured, match="LMS_LRS_KEY"):
        make_app(LMS_LRS_ENDPOINT="https://lrs.example.test/xapi/")
    with pytest.raises(Misconfigured, match="web address"):
        make_app(LMS_LRS_ENDPOINT="lrs.example.test", LMS_LRS_KEY="k", LMS_LRS_SECRET="s")


def test_without_any_record_store_statements_are_kept(make_app: Callable[..., Flask]) -> None:
    app = make_app(LMS_LRS_EMBEDDED=False)
    with app.app_context():
        assert targets() == {}
        record(2)
        assert count(OutboxStatement) == 2
        assert count(Pending) == 0

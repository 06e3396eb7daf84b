"""Eight learners answer while 50,000 events are read back: nobody hears that anything is locked."""

from __future__ import annotations

import logging
import os
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from courses.blocks.content import get_content
from courses.progress.walk import take
from esn.connectors.services import add_connector, get_connector
from esn.models import Delivery, Usage
from lms.db import db
from lms.jobs.worker import run_worker
from lms.people.models import Identity, Person
from tests.benchmarks.bench_courses import URL, browser
from tests.conftest import Browser
from tests.factories.courses import make_course
from tests.factories.esn import act, deliver
from tests.faults.cast import Cast

pytestmark = [pytest.mark.long, pytest.mark.network, pytest.mark.timeout(900)]

EVENTS = 50_000
IN_A_DELIVERY = 1_000
LEARNERS = 8
PEOPLE = 800  # each answers once: a second answer to the same question would write nothing
THINKING_SECONDS = 0.25
PATIENCE_SECONDS = 600
# Who waits for the whole backfill waits for minutes; `make bench` has what an answer costs.
P95_SECONDS = 10.0


def test_learners_do_not_wait_for_a_backfill(
    make_app: Callable[..., Flask], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app(LMS_JOBS="sqlite", LMS_ESN_STATEMENTS="all")
    app.test_client_class = Browser
    with app.app_context():
        attempts = people_at_a_question()
        connector, secret = add_connector("webhook", "Square")
        uid = connector.uid
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    said = tmp_path / "answers"
    heard = tmp_path / "heard.log"
    cast = Cast()
    try:
        cast.start("worker", lambda: worker(app, heard))
        cast.start("feeder", lambda: feed(app, uid, secret))
        for number in range(2):
            mine = attempts[number::2]
            cast.start(f"web {number}", lambda mine=mine: learners(app, mine, said, heard))  # type: ignore[misc]
        seconds = until_all_is_read(app, cast)
    finally:
        cast.end()
    waits = sorted(float(line) for line in said.read_text().split())
    with capsys.disabled():
        print(  # noqa: T201 - the figure is what this test is for
            f"\n{EVENTS} events in {seconds:.0f} s; {len(waits)} answers meanwhile: median "
            f"{1000 * statistics.median(waits):.0f} ms, p95 {1000 * waits[int(0.95 * len(waits))]:.0f} "
            f"ms, longest {1000 * waits[-1]:.0f} ms"
        )
    assert len(waits) > 8 * LEARNERS
    assert "locked" not in heard.read_text()
    assert "Error" not in heard.read_text()
    assert waits[int(0.95 * len(waits))] < P95_SECONDS


def people_at_a_question() -> list[tuple[str, str]]:
    """Make people who stand at a question; return how each signs in, and the attempt."""
    course = make_course("ask")
    found = []
    for number in range(PEOPLE):
        person = Person()
        person.identity = Identity(display_name=f"P{number}", email=f"p{number}@example.test")
        db.session.add(person)
        db.session.flush()
        attempt = take(person, course, 2)
        get_content(attempt.version_id)
        found.append((person.identity.fs_uniquifier, attempt.registration))
    db.session.commit()
    return found


def listen(heard: Path) -> None:
    """Write down all warnings and errors of this process."""
    logging.disable(logging.NOTSET)
    logging.basicConfig(filename=heard, level=logging.WARNING, force=True)


def worker(app: Flask, heard: Path) -> None:
    """The worker, as `ropes work` is."""
    listen(heard)
    heard.touch()
    run_worker(app, threading.Event())


def feed(app: Flask, uid: str, secret: str) -> None:
    """Send everything, as fast as it is taken."""
    with app.app_context():
        connector = get_connector(uid)
        db.session.expunge(connector)
        db.session.remove()
        client = app.test_client()
        accounts = [{"id": f"u{one}", "email": f"p{one}@example.test"} for one in range(100)]
        assert deliver(client, connector, secret, accounts=accounts).status_code == 202
        for start in range(0, EVENTS, IN_A_DELIVERY):
            events = [
                act(
                    f"u{one % 137}",
                    ("posted", "replied", "reacted")[one % 3],
                    recipient=f"u{one % 41}",
                    group=f"g{one % 9}",
                    group_kind="work",
                )
                for one in range(start, start + IN_A_DELIVERY)
            ]
            assert deliver(client, connector, secret, events).status_code == 202
    time.sleep(PATIENCE_SECONDS)  # to end is for the test to tell


def learners(app: Flask, attempts: list[tuple[str, str]], said: Path, heard: Path) -> None:
    """Half of the learners, in one web process; each answers, thinks, and answers again."""
    listen(heard)
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def answer(mine: list[tuple[str, str]]) -> None:
        for key, attempt in mine:
            client = browser(app, key)
            began = time.perf_counter()
            status = client.post(
                URL, data={"attempt": attempt, "act": "answer", "response": "1"}
            ).status_code
            took = time.perf_counter() - began
            if status != 303:
                logging.error("Error: an answer was refused: %s", status)
            os.write(out, f"{took:.4f}\n".encode())
            time.sleep(THINKING_SECONDS)

    count = LEARNERS // 2
    threads = [
        threading.Thread(target=answer, args=(attempts[one::count],)) for one in range(count)
    ]
    for thread in threads:
        thread.start()
    time.sleep(PATIENCE_SECONDS)


def until_all_is_read(app: Flask, cast: Cast) -> float:
    """Wait until every event is in the ledger; return how many seconds it took."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_SECONDS:
        with app.app_context():
            waiting = select(func.count()).select_from(Delivery).where(Delivery.done_at.is_(None))
            known = db.session.scalar(select(func.count()).select_from(Usage))
            done = known == EVENTS and db.session.scalar(waiting) == 0
            db.session.rollback()
        assert cast.died() == []
        if done:
            return time.monotonic() - began
        time.sleep(1)
    raise AssertionError("the events were not read in time")

"""Fifty requests and three pushes, all at once: one award, one statement, one notice, one paper.

Nothing stands in for anything here. Two web processes answer over HTTP on one socket and two
workers run beside them, on SQLite and on PostgreSQL; the evidence is a path of real courses and
acts that a network pushed with its signature; and the record store is asked over HTTP, as another
system would ask it.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from flask import Flask

from certificates.catalogue import load_library as load_certificates
from courses.catalogue.services import get_course
from courses.exchange.library import load_library as load_courses
from courses.paths.enrolment import enrol_by_rule
from courses.progress.walk import take
from lms import clock
from lms.app import create_app
from lms.db import db, transaction
from lms.jobs.queue import queue
from lms.migrate import upgrade
from tests import databases
from tests.conftest import settings_for
from tests.factories.esn import act, deliver, make_connector, signed
from tests.factories.people import make_person
from tests.faults import cast
from tests.faults.test_kills import ask
from xapi import vocabulary
from xapi.lrs import credentials

REQUESTS = 50
PUSHES = 3
PATIENCE_SECONDS = 90
COURSES = (
    "why-we-have-a-network",
    "ask-a-question-that-gets-an-answer",
    "work-out-loud-safely",
)
CHECK = "/certificates/earn/connected-colleague/check"
# Nothing waits: what was pushed is read and evaluated, and what is owed is printed and delivered.
WAITING = (
    "SELECT count(*) FROM esn_delivery WHERE done_at IS NULL",
    "SELECT count(*) FROM certificates_recheck",
    "SELECT count(*) FROM certificates_document WHERE state <> 'ready'",
    "SELECT count(*) FROM xapi_pending",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Imani on the eve of her certificate: how she is signed in, and what her network still sends."""

    cookie: str
    connector: str  # uid
    secret: str
    key: str  # of the record store
    key_secret: str
    person: str  # uid
    pushed: list[dict[str, Any]]  # what the network sends three times over
    sent_before: list[dict[str, Any]]


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.long])]
)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Flask, str]:
    """An app, and the address of its database: one of each kind, whichever kind the run uses.

    The test's own process never opens the database through the app: it forks.
    """
    address = f"sqlite:///{tmp_path / 'race.sqlite3'}"
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgresql")
        name = f"race_{os.getpid()}_{time.monotonic_ns()}"
        databases.run_sql(server, f"CREATE DATABASE {name}")
        address = f"{server}/{name}"
    return create_app(settings_for(tmp_path, address, LMS_JOBS="sqlite")), address


def prepare(app: Flask, met: bool, told: Path) -> None:
    """Bring Imani to the eve of her certificate; with `met`, all is in the ledger, unevaluated."""
    with app.app_context():
        upgrade()
        assert load_courses().refused == {}
        with transaction():
            load_certificates()
        imani = make_person("Imani Okafor", email="imani@example.test", hired_on=clock.now().date())
        enrol_by_rule()
        for slug in COURSES:
            take(imani, get_course(slug))
        db.session.commit()
        connector, secret = make_connector()
        yesterday = (clock.now() - dt.timedelta(days=1)).isoformat()
        before = [
            act("u1", "joined", group="g1", group_kind="work", at=yesterday),
            act("u1", recipient="u2", at=yesterday, client="mobile"),
            act("u1", recipient="u3"),
        ]
        last = [act("u1", recipient="u4")]
        account = {"id": "u1", "email": "imani@example.test"}
        first = before + (last if met else [])
        client = app.test_client()
        assert deliver(client, connector, secret, first, [account]).status_code == 202
        queue().run("esn.normalise")
        key, key_secret = credentials.add("race", ("all",))
        assert imani.identity is not None
        with client.session_transaction() as session:
            session["_user_id"] = imani.identity.fs_uniquifier
            session["_fresh"] = True
        cookie = client.get_cookie("ropes")
        assert cookie is not None
        stage = (cookie.value, connector.uid, secret, key.key, key_secret, imani.uid)
        db.session.commit()
    told.write_bytes(orjson.dumps([*stage, last, before]))


def pushing(stage: Stage, events: list[dict[str, Any]]) -> Callable[[httpx.Client], int]:
    """Return a push, signed once: each call sends the same bytes."""
    body, headers = signed(stage.secret, events)
    where = f"/esn/intake/{stage.connector}"
    return lambda client: client.post(where, content=body, headers=headers).status_code


@pytest.mark.network
@pytest.mark.parametrize("met", [False, True], ids=["the push completes it", "all is there"])
def test_fifty_requests_and_pushes_three_times_over_give_one_of_each(
    place: tuple[Flask, str], tmp_path: Path, met: bool
) -> None:
    app, address = place
    told = tmp_path / "stage.json"
    assert os.waitpid(cast.fork(lambda: prepare(app, met, told)), 0)[1] == 0
    stage = Stage(*orjson.loads(told.read_bytes()))
    assert ask(address, "SELECT count(*) FROM certificates_award") == [(0,)]
    assert ask(address, WAITING[1])[0][0] > 0  # nobody has evaluated her yet
    listener = cast.listen()
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    players = cast.Cast()
    try:
        for number in range(2):
            players.start(f"web {number}", lambda: cast.lrs(app, listener))
            players.start(f"worker {number}", lambda: cast.worker(app))
        statuses, answered = storm(base, address, stage)
        settle(address, players)
        assert set(statuses) == {302}
        assert len(statuses) >= REQUESTS
        # The same bytes are one delivery, whoever comes first; another packing is another.
        assert sorted(answered) == sorted([202, *[200] * (PUSHES - 1), 202])
        assert_one_of_each(base, address, stage, tmp_path)
    finally:
        players.end()
        listener.close()


def storm(base: str, address: str, stage: Stage) -> tuple[list[int], list[int]]:
    """Let everybody go at once; return what the requests and the pushes were answered.

    Each of the fifty asks again until the award is there, so that whatever evaluates first has
    others beside it, and once more then.
    """
    again = pushing(stage, stage.pushed)
    other = pushing(stage, [*stage.sent_before, *stage.pushed])  # the same acts, packed anew
    pushes = [again] * PUSHES + [other]
    barrier = threading.Barrier(REQUESTS + len(pushes), timeout=60)
    statuses: list[int] = []
    answered: list[int] = []
    failures: list[BaseException] = []
    there = threading.Event()
    until = time.monotonic() + PATIENCE_SECONDS

    def look() -> None:
        while not there.is_set() and time.monotonic() < until:
            if ask(address, "SELECT count(*) FROM certificates_award") != [(0,)]:
                there.set()
            time.sleep(0.01)

    def learner(client: httpx.Client) -> None:
        last = False
        while not last:
            last = there.is_set() or time.monotonic() > until
            statuses.append(client.post(CHECK).status_code)

    def thread(what: Callable[[httpx.Client], Any]) -> threading.Thread:
        def kept() -> None:
            try:
                with httpx.Client(
                    base_url=base, cookies={"ropes": stage.cookie}, timeout=60, trust_env=False
                ) as client:
                    client.get(
                        "/certificates/verify"
                    )  # the connection stands before the barrier falls
                    barrier.wait()
                    what(client)
            except BaseException as error:
                failures.append(error)

        return threading.Thread(target=kept)

    threads = [thread(learner) for _ in range(REQUESTS)]
    threads += [thread(lambda c, push=push: answered.append(push(c))) for push in pushes]  # type: ignore[misc]
    threads.append(threading.Thread(target=look))
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=2 * PATIENCE_SECONDS)
    assert failures == []
    assert there.is_set()
    return statuses, answered


def settle(address: str, players: cast.Cast) -> None:
    """Wait until nothing is left to do."""
    until = time.monotonic() + PATIENCE_SECONDS
    while left := [query for query in WAITING if ask(address, query) != [(0,)]]:
        assert players.died() == []
        assert time.monotonic() < until, left
        time.sleep(0.1)


def assert_one_of_each(base: str, address: str, stage: Stage, instance: Path) -> None:
    """Look in every table, in the record store, and on the disk."""
    for table, count in (
        ("certificates_award", 1),
        ("certificates_document", 1),
        ("lms_notice WHERE kind = 'certificates.earned'", 1),
        (f"xapi_outbox WHERE text LIKE '%{vocabulary.EARNED.iri}%'", 1),
        (f"xapi_outbox WHERE text LIKE '%{vocabulary.REPLIED.iri}%'", 3),
        ("esn_usage", 4),
    ):
        assert ask(address, f"SELECT count(*) FROM {table}") == [(count,)], table  # noqa: S608
    [(code, statement_id)] = ask(address, "SELECT code, statement_id FROM certificates_award")
    assert len(list((instance / "certificates").rglob("*.pdf"))) == 1
    with httpx.Client(base_url=base, timeout=30, trust_env=False) as client:
        held = client.get(
            "/xapi/statements",
            params={"verb": vocabulary.EARNED.iri},
            auth=(stage.key, stage.key_secret),
            headers={"X-Experience-API-Version": "1.0.3"},
        ).json()
        assert [one["id"] for one in held["statements"]] == [statement_id]
        assert held["statements"][0]["actor"]["account"]["name"] == stage.person
        proof = client.get(f"/certificates/verify/{code}")
        assert proof.status_code == 200
        assert "Imani Okafor" in proof.text

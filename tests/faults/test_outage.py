"""PostgreSQL goes away in mid-traffic: every door says so in a whole page, and opens at once after.

The server is a real one, stopped and started; connections that break in the middle of a request are
ended by the server itself.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from lms import outage
from lms.app import create_app
from lms.db import db
from lms.jobs.queue import Job
from lms.jobs.worker import run_worker
from lms.migrate import upgrade
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.models import Person
from tests import databases
from tests.conftest import NO_POSTGRESQL, Browser, settings_for
from tests.contract.samples import Samples
from tests.contract.test_access import address, methods, rules
from tests.databases import Cluster
from tests.factories.people import make_person

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(databases.find_postgresql() is None, reason=NO_POSTGRESQL),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with databases.own_cluster() as made:
        databases.run_sql(made.address, "CREATE DATABASE ours")
        yield made


@pytest.fixture(scope="module")
def house(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("outage")
    app = create_app(settings_for(folder, f"{cluster.address}/ours"))
    app.test_client_class = Browser

    @app.post("/write")
    @allow(Who.SIGNED_IN)
    def write() -> str:
        person = current_person()
        if app.config["BREAKS"]:
            end_all(cluster)
        person.job_role = "captain"
        return "written"

    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def end_all(cluster: Cluster) -> None:
    """Have the server end every connection but this one, as an administrator or a failover does."""
    plain = cluster.address.replace("+psycopg", "")
    with psycopg.connect(f"{plain}/postgres", autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'ours'"
        )


@pytest.fixture
def somebody(house: Flask) -> Callable[[], FlaskClient]:
    """A function that returns a browser in which an administrator is signed in."""
    with house.app_context():
        person = make_person("Imani Okafor", is_administrator=True, is_author=True, is_manager=True)
        db.session.commit()
        assert person.identity is not None
        key = person.identity.fs_uniquifier
        db.session.remove()

    def enter() -> FlaskClient:
        browser = house.test_client()
        with browser.session_transaction() as session:
            session["_user_id"] = key
            session["lms_key"] = "k" * 32
        return browser

    return enter


def test_every_door_says_so_and_none_needs_the_database_to_say_it(
    house: Flask, cluster: Cluster, somebody: Callable[[], FlaskClient]
) -> None:
    with house.app_context():
        samples = Samples(db.session.query(Person).first())
        asked = [
            (method, address(house, rule, samples))
            for rule in rules(house)
            for method in methods(rule)
        ]
        db.session.remove()
    browser = somebody()
    assert browser.get("/").status_code == 200
    cluster.control("-m", "immediate", "stop")
    try:
        wrong = []
        for method, path in asked:
            answer = browser.open(path, method=method)
            if answer.status_code == 503:
                whole = answer.is_json or '<main class="page' in answer.text
                if not whole or ("Retry-After" not in answer.headers and path != "/healthz"):
                    wrong.append(f"{method} {path}: {answer.text[:60]!r}")
            elif answer.status_code >= 500 or (method == "GET" and len(answer.data) == 0):
                wrong.append(f"{method} {path}: {answer.status_code}")
        assert wrong == []
        page = browser.get("/")
        assert page.status_code == 503
        assert page.headers["Cache-Control"] == "no-store"
        for style in re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text):
            assert browser.get(style).status_code == 200
    finally:
        cluster.control("start")
    # Connections of before are dead; the first request after it is served all the same.
    assert browser.get("/").status_code == 200


def test_a_pool_of_dead_connections_costs_nobody_a_request(
    house: Flask, cluster: Cluster, somebody: Callable[[], FlaskClient]
) -> None:
    browsers = [somebody() for _ in range(3)]
    for _ in range(3):
        assert [browser.get("/").status_code for browser in browsers] == [200, 200, 200]
        cluster.restart()


def test_a_write_that_is_broken_off_was_not_kept_and_can_be_sent_again(
    house: Flask, cluster: Cluster, somebody: Callable[[], FlaskClient]
) -> None:
    browser = somebody()
    house.config["BREAKS"] = True
    answer = browser.post("/write", data={"response": 'a "longer" answer\n', "why": "<b>"})
    assert answer.status_code == 503
    assert "was not saved" in answer.text
    assert (
        '<textarea name="response" hidden>\na &#34;longer&#34; answer\n</textarea>' in answer.text
    )
    assert '<textarea name="why" hidden>\n&lt;b&gt;</textarea>' in answer.text
    told = browser.post("/write", data={"a": "b"}, headers={"Accept": "application/json"})
    assert "was not saved" in told.json["error"]
    assert languages(house) == {""}
    house.config["BREAKS"] = False
    assert browser.post("/write", data={"a": "b"}).text == "written"


def test_a_secret_is_never_written_into_the_page_that_offers_to_send_again(
    house: Flask, cluster: Cluster, somebody: Callable[[], FlaskClient]
) -> None:
    house.config["BREAKS"] = True
    answer = somebody().post("/write", data={"new_password": "three harbour gulls"})
    assert answer.status_code == 503
    assert "gulls" not in answer.text


def test_a_commit_whose_answer_never_came_is_said_to_be_in_doubt(
    house: Flask, cluster: Cluster, somebody: Callable[[], FlaskClient]
) -> None:
    browser = somebody()
    house.config["BREAKS"] = False

    def break_off(_connection: Any) -> None:
        end_all(cluster)

    with house.app_context():
        engine = db.engine
    event.listen(engine, "commit", break_off)
    try:
        answer = browser.post("/write", data={"response": "a"})
    finally:
        event.remove(engine, "commit", break_off)
    assert answer.status_code == 503
    assert "not certain" in answer.text
    assert "Send it again" not in answer.text


def languages(house: Flask) -> set[str]:
    """What the person's language is, in the database."""
    with house.app_context():
        return set(db.session.scalars(text("SELECT language FROM lms_person")))


def test_a_worker_says_an_outage_once_and_goes_on_after_it(
    house: Flask,
    cluster: Cluster,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sweep, the jobs it wakes and the libraries beneath them: lines, not traces by thousands."""
    monkeypatch.setattr(outage.outages, "_open", {})
    caplog.handler.addFilter(outage.SaidOnce())
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        db.session.execute(text("SELECT 1"))

    queue = house.extensions["lms.jobs"]
    monkeypatch.setattr(queue, "jobs", {"some.job": Job("some.job", ask, every_seconds=0.1)})
    monkeypatch.setattr(queue, "wake", lambda _name: False)  # the queue is away as well
    stop = threading.Event()
    worker = threading.Thread(target=run_worker, args=(house, stop))
    worker.start()
    try:
        wait_for(lambda: len(asked) > 3)
        cluster.control("-m", "immediate", "stop")
        try:
            at = len(asked)
            wait_for(lambda: len(asked) > at + 10)
        finally:
            cluster.control("start")
        at = len(asked)
        wait_for(lambda: len(asked) > at + 3)
    finally:
        stop.set()
        worker.join(60)
    assert not worker.is_alive()
    assert len(caplog.records) <= 3, [record.getMessage() for record in caplog.records]
    assert "the database does not answer" in caplog.text
    assert "Traceback" not in caplog.text


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is so; fails after a while."""
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)

"""Every job of every plugin, run twice at the same moment, leaves what running it once leaves.

Two apps over one database stand for two workers. What they leave is held against a second company,
prepared alike, whose jobs ran once: row for row in number, and mail for mail.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from certificates.catalogue import load_library as load_certificates
from certificates.catalogue import publish
from certificates.models import Origin
from courses.exchange.library import load_library as load_courses
from courses.progress.walk import take
from lms import clock
from lms.app import create_app
from lms.db import Base, db, transaction
from lms.jobs.queue import Queue
from lms.people import codes
from lms.people.exchange.apply import apply_file
from lms.teams.nudges import nudge
from tests.conftest import settings_for
from tests.factories.courses import make_course, make_path
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_person
from tests.mailboxes import Sink, mail_server
from xapi.keeping import export, removal, retention
from xapi.keeping.choice import Choice
from xapi.keeping.retention import Rules
from xapi.keeping.subject import of_person

pytestmark = pytest.mark.network

PEOPLE = 12
# How often each was seen is what these rows are about.
NOT_COMPARED = frozenset({"lms_worker"})
RULE = """
slug: spoke-up
title: Spoke up
summary: Says something.
order: 1
requires:
  all:
    - id: once
      title: Say something
      proved: Said something
      usage: {verb: replied, at_least: 1}
"""
# Their rows are work for the jobs after them.
FIRST = ("courses.library", "certificates.library", "esn.normalise", "courses.enrol")


@pytest.fixture
def companies(
    migrated: Callable[[Path], str], tmp_path: Path
) -> Iterator[Callable[[str], tuple[list[Flask], Sink]]]:
    """A function that makes a company with work for every job: two workers' apps, and its mail."""
    made: list[Flask] = []
    servers = ExitStack()

    def make(name: str) -> tuple[list[Flask], Sink]:
        sink = servers.enter_context(mail_server())
        folder = tmp_path / name
        folder.mkdir()
        address = migrated(folder)
        settings = settings_for(
            folder, address, LMS_MAIL_SERVER="127.0.0.1", LMS_MAIL_PORT=sink.port
        )
        apps = [create_app(settings) for _ in range(2)]
        made.extend(apps)
        with apps[0].app_context():
            prepare(apps[0])
            db.session.remove()
        return apps, sink

    yield make
    servers.close()
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def prepare(app: Flask) -> None:
    """Leave something to do for every job."""
    boss = make_person("Greta Halden", email="greta@halden.test")
    people = [
        make_person(f"Person {n}", manager=boss, email=f"p{n}@halden.test", job_role="Clerk")
        for n in range(PEOPLE)
    ]
    long_ago = clock.now() - dt.timedelta(days=400)
    course = make_course("ask")
    make_path(course, slug="first", audience={"job_roles": ["clerk"]}, due_days=1)
    with clock.travel(long_ago):
        take(people[0], course)
        make_path(make_course("old"), slug="old", audience={"job_roles": ["clerk"]}, due_days=1)
    for person in people[1:6]:
        take(person, course)
    publish(RULE, Origin.ADMINISTRATOR)
    db.session.commit()
    connector, secret = make_connector()
    acts = [act(f"u{n}", recipient="u0") for n in range(PEOPLE)]
    accounts = [{"id": f"u{n}", "email": f"p{n}@halden.test"} for n in range(PEOPLE)]
    assert deliver(app.test_client(), connector, secret, acts, accounts).status_code == 202
    for person in people:
        codes.ask(f"p{people.index(person)}@halden.test")
        nudge(boss, person.id, ["First"])
    export.ask(Choice(), None)
    removal.ask(of_person(people[5]), "Case 7", None)
    retention.change(Rules(statements=6), None)
    db.session.commit()


def jobs_of(app: Flask) -> list[str]:
    queue: Queue = app.extensions["lms.jobs"]
    return [*FIRST, *(name for name in queue.jobs if name not in FIRST)]


def at_once(apps: list[Flask], run: Callable[[Flask], None]) -> list[str]:
    """Run something in every app at the same moment; return what went wrong."""
    start = threading.Barrier(len(apps))
    wrong: list[str] = []

    def act_in(app: Flask) -> None:
        with app.app_context():
            try:
                start.wait(30)
                run(app)
            except Exception as error:
                wrong.append(f"{type(error).__name__}: {error}"[:300])
            finally:
                db.session.remove()

    threads = [threading.Thread(target=act_in, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return wrong


def run_job(name: str) -> Callable[[Flask], None]:
    def run(app: Flask) -> None:
        app.extensions["lms.jobs"].jobs[name].run()

    return run


def counts(app: Flask) -> dict[str, int]:
    """Return how many rows each table has."""
    with app.app_context():
        try:
            return {
                table.name: db.session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
                if table.name not in NOT_COMPARED and table.name.split("_")[0] in PACKAGES
            }
        finally:
            db.session.remove()


PACKAGES = frozenset({"lms", "xapi", "courses", "esn", "certificates"})


def test_every_job_twice_at_once_is_every_job_once(
    companies: Callable[[str], tuple[list[Flask], Sink]],
) -> None:
    (once, _other), once_sink = companies("once")
    twice, twice_sink = companies("twice")
    names = jobs_of(once)
    assert counts(once) == counts(twice[0])
    for name in names:
        assert at_once([once], run_job(name)) == [], name
        assert at_once(twice, run_job(name)) == [], name
    assert counts(twice[0]) == counts(once)
    assert Counter(twice_sink.receivers()) == Counter(once_sink.receivers())
    assert len(once_sink.taken) > 2 * PEOPLE  # there was something to do
    some = counts(once)
    for table in ("certificates_award", "xapi_statement", "courses_enrolment", "esn_usage"):
        assert some[table] > 0, table


FILE = "name,email\n" + "".join(f"Colleague {n},c{n}@halden.test\n" for n in range(20))


def test_commands_that_may_be_repeated_may_be_given_twice_at_once(
    companies: Callable[[str], tuple[list[Flask], Sink]],
) -> None:
    """`course load-library`, `certificates load` and `people import`, as two workers would."""
    apps, _sink = companies("commands")

    def give(_app: Flask) -> None:
        assert load_courses().refused == {}
        with transaction():
            load_certificates()
        with transaction():
            apply_file(FILE.encode(), None)

    before = counts(apps[0])
    assert at_once(apps, give) == []
    first = counts(apps[0])
    assert first["lms_person"] == before["lms_person"] + 20
    assert at_once(apps, give) == []
    assert counts(apps[0]) == first

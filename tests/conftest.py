"""What every test may use: a migrated database, an app, a client, people, and closed sockets."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from lms import clock, writers
from lms.app import create_app
from lms.bootstrap.system import find_chromium
from lms.db import db
from lms.migrate import upgrade
from lms.people.models import Person, new_uid
from lms.people.tries import STRETCH_SECONDS
from tests import databases

writers.strict = True  # what takes its time inside a write transaction fails its test
pytest_plugins = ("tests.xapi.profile.recorder",)

# What a machine lacks may leave tests out, said aloud; in CI nothing may be missing.
REQUIRE_ALL = "ROPES_REQUIRE_ALL" in os.environ
SECRET = "only-for-tests-" + "x" * 32
NO_CHROMIUM = "They drive Chromium, which is not installed: `apt-get install chromium`."
NO_POSTGRESQL = "PostgreSQL is not installed: `apt-get install postgresql`."
_counter = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    """Stop at once where the database that was asked for is not there."""
    if databases.KIND == "postgresql" and databases.find_postgresql() is None:
        pytest.exit(f"NOT RUN: {NO_POSTGRESQL}", returncode=1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this machine cannot run, and keep for the summary why."""
    if databases.KIND == "postgresql":
        _leave_what_needs_no_database(config, items)
    if REQUIRE_ALL or find_chromium() is not None:
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    for item in left_out:
        item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


def _leave_what_needs_no_database(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, run only what asks for the database: the rest has been run beside SQLite."""
    left_out = [item for item in items if not _needs_database(item)]
    items[:] = [item for item in items if _needs_database(item)]
    config.hook.pytest_deselected(items=left_out)


def _needs_database(item: pytest.Item) -> bool:
    """Whether a test has a fixture that makes a database, or its module makes one by itself."""
    fixtures = set(getattr(item, "fixturenames", ()))
    makes_one = getattr(getattr(item, "module", None), "databases", None) is databases
    return makes_one or bool(fixtures & {"migrated", "postgresql"})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say last, and plainly, what was not run."""
    skipped = terminalreporter.getreports("skipped")
    without = [one for one in skipped if NO_CHROMIUM in str(one.longrepr)]
    if without:
        terminalreporter.write_line(f"NOT RUN: {len(without)} tests. {NO_CHROMIUM}", red=True)


class Browser(FlaskClient):
    """A test browser whose requests share nothing with the test but the database.

    Flask would run the request in the test's own app context: with its `g` (the person who asked
    last time) and its session, whose open transaction holds SQLite's one write lock.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Commit what the test has done so far, then ask in a context of its own."""
        if has_app_context():
            db.session.commit()
        with self.application.app_context():
            return super().open(*args, **kwargs)


class CompiledTemplates(BytecodeCache):
    """What templates were compiled to, for every app of this process: each test has its own app."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket where its template was compiled before."""
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what its template was compiled to."""
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()


def compile_addresses_when_asked() -> None:
    """Let an address be compiled when it is first built, not with each of a thousand test apps.

    Werkzeug writes and compiles two functions for each rule: four fifths of what making an app
    costs, for addresses that a test mostly never asks for.
    """
    compile_now = Rule._compile_builder

    def compile_builder(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        made: list[Callable[..., Any]] = []

        def build(itself: Rule, **values: Any) -> Any:
            if not made:
                made.append(compile_now(rule, append_unknown))
            return made[0](itself, **values)

        return build

    Rule._compile_builder = compile_builder


compile_addresses_when_asked()


def settings_for(folder: Path, database: str = "", **more: Any) -> dict[str, Any]:
    """Return the settings of a test app that lives in `folder`."""
    return {
        "LMS_SECRET_KEY": SECRET,
        "LMS_INSTANCE": folder,
        "LMS_DATABASE_URL": database,
        "LMS_JOBS": "manual",
        "LMS_COMPANY": "Halden Freight",
        "LMS_BASE_URL": "http://localhost",
        "TESTING": True,
        "WTF_CSRF_ENABLED": False,
        **more,
    }


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a throw-away PostgreSQL cluster, started when first asked for."""
    with databases.postgresql_cluster() as address:
        yield address


@pytest.fixture(scope="session")
def migrated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], str]:
    """A function that makes a fresh migrated database and returns its address."""
    folder = tmp_path_factory.mktemp("template")
    if databases.KIND == "postgresql":
        server: str = request.getfixturevalue("postgresql")
        databases.run_sql(server, "CREATE DATABASE template_ropes")
        address = f"{server}/template_ropes"
    else:
        address = f"sqlite:///{folder / 'template.sqlite3'}"
    app = create_app(settings_for(folder, address))
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()

    def make(where: Path) -> str:
        if databases.KIND == "postgresql":
            name = f"test_{next(_counter)}"
            databases.run_sql(server, f"CREATE DATABASE {name} TEMPLATE template_ropes")
            return f"{server}/{name}"
        target = where / "ropes.sqlite3"
        shutil.copy(folder / "template.sqlite3", target)
        return f"sqlite:///{target}"

    return make


@contextmanager
def apps_over(migrated: Callable[[Path], str], folder: Path) -> Iterator[Callable[..., Flask]]:
    """A function that makes an app over a fresh database, for as long as the context stands."""
    made: list[Flask] = []

    def make(**more: Any) -> Flask:
        app = create_app(settings_for(folder, migrated(folder), **more))
        app.test_client_class = Browser
        app.jinja_env.bytecode_cache = COMPILED
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def make_app(migrated: Callable[[Path], str], tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """A function that makes an app over a fresh database: `make_app(LMS_PLUGINS=("xapi",))`."""
    with apps_over(migrated, tmp_path) as make:
        yield make


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """The app with every plugin on, its context pushed: services can be called straight away."""
    made = make_app()
    with made.app_context():
        yield made
        db.session.rollback()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that has not signed in."""
    return app.test_client()


@pytest.fixture
def in_mid_stretch() -> Iterator[None]:
    """Stand in the middle of a quarter of an hour: tries are counted anew in the next."""
    start = clock.now()
    middle = int(start.timestamp()) // STRETCH_SECONDS * STRETCH_SECONDS + STRETCH_SECONDS // 2
    with clock.travel(dt.datetime.fromtimestamp(middle, dt.UTC)):
        yield


@pytest.fixture
def sign_in(app: Flask) -> Callable[[Person], FlaskClient]:
    """A function that returns a browser in which the person is signed in."""

    def enter(person: Person) -> FlaskClient:
        assert person.identity is not None
        browser = app.test_client()
        with browser.session_transaction() as session:
            session["_user_id"] = person.identity.fs_uniquifier
            session["lms_key"] = new_uid()
            session["_fresh"] = True
            session["fs_paa"] = time.time()  # signed in just now, for what asks for that
        return browser

    return enter


@pytest.fixture(autouse=True)
def _closed_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection but those of tests that are about sockets, and the test database."""
    if {"network", "browser", "long"} & {mark.name for mark in request.node.iter_markers()}:
        return

    def refuse(self: socket.socket, address: Any) -> None:
        raise RuntimeError(f"this test may not open a connection ({address}): mark it `network`")

    monkeypatch.setattr(socket.socket, "connect", refuse)

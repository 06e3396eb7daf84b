"""Every version that was released is brought up to date, with people's data in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect, select, text

from certificates.models import Award
from courses.progress.models import Completion
from lms import migrate
from lms.app import create_app
from lms.db import db
from lms.people.models import Person
from tests import databases
from tests.conftest import settings_for
from tests.contract.test_migrations import differences
from tests.releases import dumps
from tests.releases.company import SECRET

# What an upgrade may leave empty or change in number, with the reason.
MAY_CHANGE: dict[str, str] = {"alembic_version": "holds the revisions themselves"}


def counts() -> dict[str, int]:
    with db.engine.connect() as connection:
        return {
            name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0  # noqa: S608
            for name in inspect(connection).get_table_names()
            if name not in MAY_CHANGE
        }


@pytest.fixture
def restored(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Flask]]:
    """A function that brings a version's company back and returns today's app over it."""
    made: list[Flask] = []

    def restore(version: str) -> Flask:
        address = f"sqlite:///{tmp_path / 'company.sqlite3'}"
        if databases.KIND == "postgresql":
            server: str = request.getfixturevalue("postgresql")
            name = f"release_{version.replace('.', '_')}"
            databases.run_sql(server, f"DROP DATABASE IF EXISTS {name}")
            databases.run_sql(server, f"CREATE DATABASE {name}")
            address = f"{server}/{name}"
        dumps.restore(version, address)
        app = create_app(settings_for(tmp_path, address, LMS_SECRET_KEY=SECRET))
        made.append(app)
        return app

    yield restore
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.mark.parametrize("version", dumps.versions())
def test_a_released_version_is_upgraded_with_its_people_in_it(
    version: str, restored: Callable[[str], Flask]
) -> None:
    app = restored(version)
    with app.app_context():
        before = counts()
        migrate.upgrade()
        after = counts()
        assert migrate.pending() == []
        assert differences() == []
        assert {name: after.get(name) for name in before} == before
        assert_it_works(app)


def assert_it_works(app: Flask) -> None:
    """Open the first page of somebody who holds a certificate, of a manager, an administrator."""
    award = db.session.scalars(select(Award).order_by(Award.id.desc())).first()
    done = db.session.scalars(select(Completion.person_id).order_by(Completion.id)).first()
    manager = db.session.scalars(select(Person).where(Person.is_manager)).first()
    assert award is not None
    assert done is not None
    assert manager is not None
    for person_id, path in (
        (award.person_id, f"/certificates/awards/{award.uid}"),
        (done, "/"),
        (done, "/me/held"),
        (manager.id, "/team"),
    ):
        person = db.session.get(Person, person_id)
        assert person is not None
        assert person.identity is not None
        browser = app.test_client()
        with browser.session_transaction() as session:
            session["_user_id"] = person.identity.fs_uniquifier
            session["lms_key"] = "a key"
            session["_fresh"] = True
        with app.app_context():
            answer = browser.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text[:500]}"


@pytest.mark.house
def test_the_present_version_has_its_dumps_and_its_section_of_the_changelog() -> None:
    """A version number that is raised is a release: `python -m tests.releases.dumps` makes them."""
    version = dumps.present_version()
    assert version in dumps.versions()
    changelog = (dumps.ROOT / "CHANGELOG.md").read_text()
    for version in dumps.versions():
        assert f"## {version} " in changelog, version
        for kind in ("sqlite", "postgresql"):
            assert dumps.path_of(version, kind).stat().st_size <= dumps.MOST_BYTES

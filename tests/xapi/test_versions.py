"""Statements and delivery in xAPI 1.0.3, by default, and in 2.0 (IEEE 9274.1.1), by setting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy import func, select
from werkzeug.serving import make_server

from lms.config import read_settings
from lms.db import db
from lms.errors import Misconfigured
from lms.jobs.queue import run_pending
from tests.conftest import apps_over
from tests.xapi.lrs import Provider
from tests.xapi.profile.kinds import say_everything
from xapi.lrs import credentials
from xapi.lrs.validate import check_statement
from xapi.outbox.models import Parked, Pending
from xapi.plugin import SETTINGS

BOTH = pytest.mark.parametrize(("version", "kept_as"), [("1.0.3", "1.0.0"), ("2.0.0", "2.0.0")])


def open_rows() -> list[int]:
    return [
        db.session.scalar(select(func.count()).select_from(one)) or 0 for one in (Pending, Parked)
    ]


def test_what_is_said_is_right_in_both(app: Flask) -> None:
    """No version of our own; moments in UTC (2.0: 4.2.4.2); context activities in arrays."""
    said = say_everything(app, app.test_client()).values()
    for statement in said:
        for version in (1, 2):
            check_statement(statement, version)
        assert "version" not in statement
        assert statement["timestamp"].endswith("Z")
        related = statement["context"]["contextActivities"]
        assert all(isinstance(one, list) for one in related.values())


@BOTH
def test_the_built_in_store_is_spoken_to_in_it(
    make_app: Callable[..., Flask], version: str, kept_as: str
) -> None:
    app = make_app(LMS_LRS_VERSION=version)
    with app.app_context():
        said = say_everything(app, app.test_client())
        run_pending()
        assert open_rows() == [0, 0]
        for asked in ("1.0.3", "2.0.0"):
            held = Provider(app, version=asked).find_statements()
            assert len(held) == len(said) - 1  # one is voided
            assert {one["version"] for one in held} == {kept_as}


@contextmanager
def store(
    migrated: Callable[[Path], str], folder: Path
) -> Iterator[tuple[Flask, str, list[str | None]]]:
    """Another installation's record store over real sockets; and the versions it is asked in."""
    folder.mkdir()
    asked: list[str | None] = []
    with apps_over(migrated, folder) as make:
        app = make(LMS_PLUGINS=("xapi",))
        app.before_request(
            lambda: asked.append(request.headers.get("X-Experience-API-Version")) or None
        )
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield app, f"http://127.0.0.1:{server.server_port}/xapi/", asked
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.network
@BOTH
def test_the_companys_store_is_spoken_to_in_it(
    migrated: Callable[[Path], str],
    make_app: Callable[..., Flask],
    tmp_path: Path,
    version: str,
    kept_as: str,
) -> None:
    with store(migrated, tmp_path / "theirs") as (theirs, endpoint, asked):
        with theirs.app_context():
            made, secret = credentials.add("Ropes", ("all",))
            key = made.key
            db.session.commit()
        app = make_app(
            LMS_LRS_EMBEDDED=False,
            LMS_LRS_ENDPOINT=endpoint,
            LMS_LRS_KEY=key,
            LMS_LRS_SECRET=secret,
            LMS_LRS_VERSION=version,
        )
        with app.app_context():
            said = say_everything(app, app.test_client())
            run_pending()
            assert open_rows() == [0, 0]
        assert set(asked) == {version}
        with theirs.app_context():
            held: list[dict[str, Any]] = Provider(theirs, version=version).find_statements()
    assert {one["id"] for one in held} < said.keys()
    assert len(held) == len(said) - 1
    assert {one["version"] for one in held} == {kept_as}


def test_no_other_version_is_spoken(app: Flask) -> None:
    for text in ("2.0.0", " 1.0.3 "):
        found = read_settings(SETTINGS, {"LMS_LRS_VERSION": text}, {})
        assert found["LMS_LRS_VERSION"] == text.strip()
    with pytest.raises(Misconfigured, match=r"LMS_LRS_VERSION.*1\.0\.3, 2\.0\.0"):
        read_settings(SETTINGS, {"LMS_LRS_VERSION": "2"}, {})

"""`/healthz`: 200 where all is well; 503 and what is wrong, case by case. And pages without a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from lms import clock
from lms.app import create_app
from lms.db import db, transaction
from lms.jobs.worker import STALE_SECONDS, beat
from tests import databases
from tests.conftest import settings_for
from tests.databases import free_port

CHECKS = {"web", "database", "writing", "migrations", "worker"}


def health(app: Flask) -> tuple[int, str, dict[str, Any]]:
    """Return the status of the answer, the word in it, and what is not ok."""
    answer = app.test_client().get("/healthz")
    assert answer.mimetype == "application/json"
    assert set(answer.json) == {"status", "checks"}
    assert set(answer.json["checks"]) >= CHECKS
    wrong = {name: said for name, said in answer.json["checks"].items() if said != "ok"}
    return answer.status_code, answer.json["status"], wrong


def test_all_is_well(app: Flask) -> None:
    beat()
    assert health(app) == (200, "ok", {})


def test_it_asks_for_one_connection_at_a_time(app: Flask) -> None:
    """Each thread of a web process has one: with two, all of them asked at once would wait."""
    held = most = 0

    def taken(*_args: object) -> None:
        nonlocal held, most
        held += 1
        most = max(most, held)

    def given_back(*_args: object) -> None:
        nonlocal held
        held -= 1

    beat()
    db.session.remove()
    event.listen(db.engine, "checkout", taken)
    event.listen(db.engine, "checkin", given_back)
    assert health(app)[0] == 200
    assert (most, held) == (1, 0)


def test_asking_it_often_pushes_no_page_s_statements_out_of_the_cache(app: Flask) -> None:
    known: Any = db.engine
    for _ in range(2):
        health(app)
    before = len(known._compiled_cache)
    for _ in range(5):
        health(app)
    assert len(known._compiled_cache) == before


def test_a_worker_that_was_never_seen(app: Flask) -> None:
    status, word, wrong = health(app)
    assert (status, word, set(wrong)) == (503, "failing", {"worker"})
    assert "ropes work" in wrong["worker"]


def test_a_worker_that_went_silent(app: Flask) -> None:
    beat()
    now = clock.now()
    with clock.travel(now + dt.timedelta(seconds=STALE_SECONDS - 1)):
        assert health(app)[0] == 200
    with clock.travel(now + dt.timedelta(seconds=STALE_SECONDS + 5)):
        status, _word, wrong = health(app)
    assert (status, set(wrong)) == (503, {"worker"})
    assert f"last seen {STALE_SECONDS + 5} seconds ago" in wrong["worker"]


def test_a_worker_that_was_seen_in_the_future_is_not_alive_for_ever(app: Flask) -> None:
    beat()
    with clock.travel(clock.now() - dt.timedelta(hours=3)):  # the clock was set back
        assert set(health(app)[2]) == {"worker"}
        with transaction() as session:  # another process's; ours shows itself again
            session.execute(text("UPDATE lms_worker SET name = 'dead-1'"))
        beat()
        assert health(app)[0] == 200
        names = db.session.scalars(text("SELECT name FROM lms_worker")).all()
        assert "dead-1" not in names


def test_clocks_of_machines_may_differ_a_little(app: Flask) -> None:
    beat()
    with clock.travel(clock.now() - dt.timedelta(seconds=STALE_SECONDS - 1)):
        assert health(app)[0] == 200


@pytest.mark.parametrize("branch", ["lms", "xapi", "courses", "esn", "certificates"])
def test_a_database_that_is_behind(app: Flask, branch: str) -> None:
    beat()
    with transaction() as session:
        session.execute(
            text("DELETE FROM alembic_version WHERE version_num LIKE :one"), {"one": f"{branch}%"}
        )
    status, _word, wrong = health(app)
    assert (status, set(wrong)) == (503, {"migrations"})
    assert branch in wrong["migrations"]
    assert "ropes db upgrade" in wrong["migrations"]


@pytest.fixture
def without_database(tmp_path: Path) -> Callable[[str], Flask]:
    """A function that makes an app whose database does not answer: `away` or `broken`."""

    def make(how: str) -> Flask:
        address = f"postgresql://ropes@127.0.0.1:{free_port()}/ropes?connect_timeout=2"
        if how == "broken":
            (tmp_path / "ropes.sqlite3").write_bytes(b"this is no database " * 500)
            address = f"sqlite:///{tmp_path / 'ropes.sqlite3'}"
        app = create_app(settings_for(tmp_path, address))
        app.config["PROPAGATE_EXCEPTIONS"] = False  # as in production
        return app

    return make


@pytest.mark.network
@pytest.mark.parametrize("how", ["away", "broken"])
def test_a_database_that_does_not_answer(
    without_database: Callable[[str], Flask], how: str
) -> None:
    status, _word, wrong = health(without_database(how))
    assert status == 503
    assert set(wrong) == {"database", "writing", "migrations", "worker"}
    assert "LMS_DATABASE_URL" in wrong["database"]


@pytest.mark.network
@pytest.mark.parametrize(
    ("method", "path", "machine"),
    [
        ("GET", "/", False),
        ("GET", "/sign-in", False),
        ("GET", "/certificates/verify/7KQ4", False),
        ("GET", "/xapi/statements", True),
        ("POST", "/xapi/statements", True),
        ("POST", "/esn/intake/unknown", True),
    ],
)
def test_without_a_database_every_door_says_so(
    without_database: Callable[[str], Flask], method: str, path: str, machine: bool
) -> None:
    app = without_database("away")
    answer = app.test_client().open(
        path,
        method=method,
        data="{}",
        content_type="application/json",
        headers={
            "Authorization": "Basic YTpi",
            "X-Experience-API-Version": "1.0.3",
            "Cookie": "",
        },
    )
    if answer.status_code in (200, 302):  # it asked the database nothing
        assert path in ("/", "/sign-in")
        return
    assert answer.status_code == 503, answer.text
    assert (answer.mimetype == "application/json") is machine
    assert "try again" in answer.text or "Try once more" in answer.text


@pytest.mark.skipif(databases.KIND != "sqlite", reason="takes the file away")
def test_the_database_goes_away_while_it_runs(app: Flask) -> None:
    beat()
    assert health(app)[0] == 200
    db.session.remove()
    db.engine.dispose()
    place = Path(app.config["LMS_INSTANCE"]) / "ropes.sqlite3"
    kept = place.read_bytes()
    for wal in place.parent.glob("ropes.sqlite3-*"):
        wal.unlink()
    place.write_bytes(b"gone " * 4096)
    assert health(app)[0] == 503
    db.session.remove()
    db.engine.dispose()
    place.write_bytes(kept)
    assert health(app)[0] == 200

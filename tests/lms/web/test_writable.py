"""Health notices that nothing can be written, and costs nobody anything however often it is asked."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from lms.app import create_app
from lms.db import db, transaction
from lms.jobs.worker import beat
from lms.web import writable
from lms.web.writable import Seldom, check_writing
from tests import databases
from tests.conftest import settings_for
from tests.faults.test_disk import fill, small_disk

__all__ = ["small_disk"]
only_sqlite = pytest.mark.skipif(databases.KIND != "sqlite", reason="is about SQLite's file")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, as a number to add to."""
    moments = [1000.0]
    monkeypatch.setattr(writable.time, "monotonic", lambda: moments[0])
    return moments


def said(app: Flask) -> Any:
    beat()
    return app.test_client().get("/healthz").json["checks"]["writing"]


@contextmanager
def written(folder: Path) -> Iterator[list[str]]:
    """Count what is taken in a folder while the block runs."""
    taken: list[str] = []
    real = os.posix_fallocate

    def note(number: int, start: int, size: int) -> None:
        taken.append(os.readlink(f"/proc/self/fd/{number}"))
        real(number, start, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "posix_fallocate", note)
        yield taken
    assert all(Path(one).is_relative_to(folder) for one in taken)


def test_it_looks_once_however_often_it_is_asked(app: Flask, clock: list[float]) -> None:
    folder = Path(app.config["LMS_INSTANCE"])
    with written(folder) as taken:
        assert [said(app) for _ in range(20)] == ["ok"] * 20
        assert len(taken) == 1
        clock[0] += writable.PROBE_SECONDS
        assert said(app) == "ok"
        assert len(taken) == 2


def test_nothing_is_left_of_it(app: Flask, clock: list[float]) -> None:
    folder = Path(app.config["LMS_INSTANCE"])
    said(app)
    before = {one.name: one.stat().st_size for one in folder.iterdir() if "wal" not in one.name}
    for _ in range(5):
        clock[0] += writable.PROBE_SECONDS
        assert said(app) == "ok"
    after = {one.name: one.stat().st_size for one in folder.iterdir() if "wal" not in one.name}
    assert after == before
    rows = db.session.scalar(text("SELECT count(*) FROM lms_worker WHERE name LIKE 'probe%'"))
    assert rows == 0


def test_a_folder_that_is_gone_is_said(app: Flask, clock: list[float]) -> None:
    app.config["LMS_INSTANCE"] = Path(app.config["LMS_INSTANCE"]) / "unmounted"
    assert "Nothing can be written in the folder of LMS_INSTANCE" in said(app)


def test_a_database_that_takes_nothing_is_said_and_then_well_again(
    app: Flask, clock: list[float]
) -> None:
    with transaction() as session:
        session.execute(text("ALTER TABLE lms_worker RENAME TO lms_worker_away"))
        session.execute(text("CREATE VIEW lms_worker AS SELECT * FROM lms_worker_away"))
        if databases.KIND == "postgresql":  # there, simple views can be written
            session.execute(text("DROP VIEW lms_worker"))
    known = Seldom(writable._look_at_writing)
    assert "Nothing can be written in the database" in (known.ask() or "")
    with transaction() as session:
        session.execute(text("DROP VIEW IF EXISTS lms_worker"))
        session.execute(text("ALTER TABLE lms_worker_away RENAME TO lms_worker"))
    clock[0] += writable.PROBE_SECONDS
    assert known.ask() is None


@only_sqlite
def test_a_long_writer_is_no_fault_and_one_without_end_is(
    app: Flask, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writable, "BUSY_SECONDS", 0.01)
    assert check_writing() is None
    db.session.rollback()
    place = Path(app.config["LMS_INSTANCE"]) / "ropes.sqlite3"
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        clock[0] += writable.PROBE_SECONDS
        assert check_writing() is None
        clock[0] += writable.STUCK_SECONDS
        assert "writing for 70 seconds" in (check_writing() or "")
        other.execute("ROLLBACK")
    clock[0] += writable.PROBE_SECONDS
    assert check_writing() is None


def test_nobody_waits_for_who_looks_already(clock: list[float]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        assert go_on.wait(10)

    known = Seldom(hang)
    first = threading.Thread(target=known.ask)
    first.start()
    assert begun.wait(10)
    assert known.ask() is None
    clock[0] += writable.STUCK_SECONDS + 1
    assert "hangs" in (known.ask() or "")
    go_on.set()
    first.join(10)
    assert known.ask() is None


@only_sqlite
@pytest.mark.parametrize("setting", ["LMS_INSTANCE", "LMS_DATABASE_URL", "LMS_COURSES_MEDIA"])
def test_a_full_disk_is_noticed_and_room_as_well(
    migrated: Callable[[Path], str],
    tmp_path: Path,
    clock: list[float],
    small_disk: Path,
    setting: str,
) -> None:
    database = migrated(small_disk if setting == "LMS_DATABASE_URL" else tmp_path)
    app = create_app(
        settings_for(tmp_path, database) | {setting: small_disk} | {"LMS_DATABASE_URL": database}
    )
    check = "folder of pictures" if setting == "LMS_COURSES_MEDIA" else "writing"

    def said() -> str:
        clock[0] += writable.PROBE_SECONDS
        return str(app.test_client().get("/healthz").json["checks"][check])

    assert said() == "ok"
    ballast = fill(small_disk)
    assert f"folder of {setting} (No space left on device)" in said()
    ballast.unlink()
    assert said() == "ok"
    with app.app_context():
        db.engine.dispose()

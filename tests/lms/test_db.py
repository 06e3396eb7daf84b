"""The transaction rules: who may write, what follows a commit, what a failure leaves."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, StatementError

from lms import clock
from lms.audit import AuditEntry, note
from lms.db import db, on_commit, transaction, writes, writing
from lms.errors import Conflict
from lms.people.access import Who, allow


def entries() -> int:
    """How many rows the audit log has, seen from outside of this session."""
    with writing(False), db.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(AuditEntry)) or 0


def add_view(app: Flask, view: Callable[[], object], method: str = "GET") -> None:
    """Add a page at /try."""
    app._got_first_request = False
    declared = allow(Who.PUBLIC, reason="a test's own page")(view)
    app.add_url_rule("/try", "try", declared, methods=[method])


def write_one() -> str:
    note("test.act", "test/1")
    db.session.flush()
    return "done"


def test_a_get_may_not_write(app: Flask) -> None:
    add_view(app, write_one)
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert app.test_client().get("/try").status_code >= 500
    assert entries() == 0


def test_a_get_that_is_marked_may_write(app: Flask) -> None:
    add_view(app, writes(write_one))
    assert app.test_client().get("/try").status_code == 200
    assert entries() == 1


def test_a_post_commits_once_when_it_succeeds(app: Flask) -> None:
    add_view(app, write_one, "POST")
    assert app.test_client().post("/try").status_code == 200
    assert entries() == 1


def test_what_a_refused_request_did_is_taken_back(app: Flask) -> None:
    def refuse() -> str:
        write_one()
        raise Conflict("It has changed meanwhile.")

    add_view(app, refuse, "POST")
    assert app.test_client().post("/try").status_code == 409
    assert entries() == 0


def test_what_a_crashed_request_did_is_taken_back(app: Flask) -> None:
    def crash() -> str:
        write_one()
        raise ZeroDivisionError

    add_view(app, crash, "POST")
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert app.test_client().post("/try").status_code == 500
    assert entries() == 0


def test_a_redirect_commits(app: Flask) -> None:
    def go() -> tuple[str, int, dict[str, str]]:
        write_one()
        return "", 303, {"Location": "/"}

    add_view(app, go, "POST")
    assert app.test_client().post("/try").status_code == 303
    assert entries() == 1


def test_transaction_commits_or_takes_all_back(app: Flask) -> None:
    with transaction():
        write_one()
    assert entries() == 1
    with pytest.raises(ZeroDivisionError), transaction():  # noqa: PT012
        write_one()
        raise ZeroDivisionError
    assert entries() == 1


def test_transaction_refuses_to_commit_the_half_of_another(app: Flask) -> None:
    db.session.execute(text("SELECT 1"))
    note("test.act", "test/1")
    with pytest.raises(RuntimeError, match="unsaved"), transaction():
        pass


def test_transaction_writes_even_after_a_read_only_block(app: Flask) -> None:
    with writing(False):
        db.session.execute(text("SELECT 1"))
    with transaction():
        write_one()
    assert entries() == 1


def called(calls: list[str], name: str) -> Callable[[], None]:
    return lambda: calls.append(name)


def test_on_commit_waits_for_the_commit_and_the_row_is_there(app: Flask) -> None:
    seen: list[int] = []
    write_one()
    on_commit(lambda: seen.append(entries()))
    db.session.flush()
    assert seen == []
    db.session.commit()
    db.session.commit()
    assert seen == [1]


def test_on_commit_is_forgotten_with_the_transaction(app: Flask) -> None:
    calls: list[str] = []
    on_commit(called(calls, "rolled back"))
    db.session.execute(text("SELECT 1"))
    db.session.rollback()
    on_commit(called(calls, "closed"))
    db.session.execute(text("SELECT 1"))
    db.session.close()
    db.session.commit()
    assert calls == []


def test_on_commit_in_a_savepoint_waits_for_the_whole(app: Flask) -> None:
    calls: list[str] = []
    on_commit(called(calls, "before"))
    with db.session.begin_nested():
        on_commit(called(calls, "inside"))
    assert calls == []
    db.session.commit()
    assert calls == ["before", "inside"]


def test_on_commit_shares_the_fate_of_its_savepoint_alone(app: Flask) -> None:
    calls: list[str] = []
    on_commit(called(calls, "before"))
    with db.session.begin_nested():
        on_commit(called(calls, "kept"))
        inner = db.session.begin_nested()
        on_commit(called(calls, "given up"))
        inner.rollback()
    outer = db.session.begin_nested()
    with db.session.begin_nested():
        on_commit(called(calls, "given up with its outer"))
    outer.rollback()
    on_commit(called(calls, "after"))
    db.session.commit()
    assert calls == ["before", "kept", "after"]


def test_on_commit_may_use_the_session(app: Flask) -> None:
    seen: list[int] = []
    write_one()
    on_commit(lambda: seen.append(len(db.session.scalars(select(AuditEntry)).all())))
    db.session.commit()
    assert seen == [1]


def test_writers_take_turns_and_never_fail(app: Flask) -> None:
    """Read, then write, from eight threads: without BEGIN IMMEDIATE this is `database is locked`."""
    errors: list[Exception] = []

    def add_many() -> None:
        try:
            for _ in range(10):
                with app.app_context(), transaction():
                    db.session.scalar(select(func.count()).select_from(AuditEntry))
                    write_one()
                    time.sleep(0.001)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=add_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert entries() == 80


def test_a_reader_is_not_kept_waiting_by_a_writer(app: Flask) -> None:
    """Who waits for a writer that does not end is told so in the end, by an error."""
    with transaction():
        write_one()
        assert entries() == 0


def test_sqlite_keeps_what_it_acknowledged(app: Flask) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("about SQLite's pragmas")
    with db.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_times_are_aware_and_in_utc(app: Flask) -> None:
    east = dt.timezone(dt.timedelta(hours=9))
    moment = dt.datetime(2026, 3, 1, 8, 30, tzinfo=east)
    with clock.travel(moment), transaction():
        write_one()
    stored = db.session.scalars(select(AuditEntry.at)).one()
    assert stored == moment
    assert stored.tzinfo is dt.UTC
    with pytest.raises((ValueError, StatementError), match="time zone"):
        db.session.execute(
            select(AuditEntry).where(AuditEntry.at > dt.datetime(2026, 1, 1))  # noqa: DTZ001
        )


def test_errors_of_the_database_show_no_values(app: Flask) -> None:
    with pytest.raises(DBAPIError) as caught:
        db.session.execute(text("SELECT :word FROM nowhere"), {"word": "something private"})
    assert "something private" not in str(caught.value)
    db.session.rollback()

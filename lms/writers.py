"""Who may write, and when: one writer at a time on SQLite, and nobody waits for what is slow.

A job's or a command's transaction (`lms.db.transaction`) takes SQLite's write lock at its start
(BEGIN IMMEDIATE), waits its turn there, and can never fail half-way with "database is locked".

A request that may write begins as a reader, which keeps nobody waiting, and becomes the writer when
it comes to that: at its first INSERT, UPDATE, DELETE, savepoint or SELECT ... FOR UPDATE, or where a
service calls `lms.db.begin_writing`. On SQLite the reading ends there and BEGIN IMMEDIATE follows. If
others have written in between, objects of the session that are unchanged are read again when they
are next asked for; numbers and texts taken from them before are as old as they would be on
PostgreSQL. What must still hold is asked again there: `on_writing`, or a condition of the statement.

A transaction that only reads is forbidden to write (`PRAGMA query_only`, on PostgreSQL READ ONLY), so
that a GET that writes is found by its first test.

Whatever takes long because of what somebody sent (a password's hash, a picture, YAML, Markdown) calls
`outside_writing` first, which finds it out wherever it happens while others wait to write.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import Any

from flask import Flask, current_app, has_app_context
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

BUSY_TIMEOUT_SECONDS = 30
WRITER_POLL_SECONDS = 0.002
WRITER = "lms_writer"  # in a connection's `info`: its transaction is a writer's

log = logging.getLogger(__name__)
strict = False  # whether `outside_writing` raises: tests set it


class Mode(Enum):
    """What transactions that begin now may do, and when they take the write lock."""

    READING = "may not write"
    ON_DEMAND = "begins as a reader, writes when it comes to that"
    WRITING = "writes from its start"
    UNSAID = "writes from its start, and nobody is kept waiting: a shell, a test"


mode: ContextVar[Mode] = ContextVar("lms_db_mode", default=Mode.UNSAID)
# Whether this context's transaction is writing: on SQLite, all other writers wait for it.
_is_writing: ContextVar[bool] = ContextVar("lms_db_is_writing", default=False)


def on_writing(app: Flask, check: Callable[[Connection], None]) -> None:
    """Have `check` called whenever a request of `app` becomes a writer, before it writes anything.

    It asks by the connection it is given whether what the request was let in by still holds, and
    raises a DomainError where it does not: nothing is written then.
    """
    app.extensions.setdefault("lms.on_writing", []).append(check)


class CostlyWhileWriting(RuntimeError):
    """Something took its time inside a write transaction (a fault of ours, raised in tests)."""


def outside_writing(what: str) -> None:
    """Say that `what` ("hashing a password") is done now, which others must not have to wait for.

    Inside a write transaction of a request, job or command it raises CostlyWhileWriting in tests;
    an installation logs it, once for each `what`, and goes on.
    """
    if not _is_writing.get() or not has_app_context():
        return
    if strict:
        raise CostlyWhileWriting(f"{what} inside a write transaction, for which all others wait")
    told: set[str] = current_app.extensions.setdefault("lms.costly_told", set())
    if what not in told:
        told.add(what)
        log.warning("%s inside a write transaction: others wait for it", what, stack_info=True)


def forget() -> None:
    """Note that no transaction of this thread writes any more."""
    _is_writing.set(False)


@contextmanager
def reading_again() -> Iterator[None]:
    """Let what was checked before it was kept (a published rule) be read wherever it is needed.

    Its size was bounded then, and who reads it remembers it: once a process, in milliseconds.
    """
    token = _is_writing.set(False)
    try:
        yield
    finally:
        _is_writing.reset(token)


def prepare_engine(engine: Engine) -> None:
    """Install the transaction rules on an engine, once; `lms.app` calls it for the suite's own."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        event.listen(engine, "begin", _postgresql_begin)
    event.listen(engine, "before_cursor_execute", _before_statement)
    event.listen(engine, "savepoint", _before_savepoint)
    event.listen(engine, "commit", _note_end)
    event.listen(engine, "rollback", _note_end)


def _before_statement(
    connection: Connection, _cursor: Any, _text: str, _values: Any, context: Any, _many: bool
) -> None:
    if mode.get() is not Mode.ON_DEMAND:
        return
    asked = getattr(context, "invoked_statement", None)
    if (
        context.isinsert
        or context.isupdate
        or context.isdelete
        or getattr(asked, "_for_update_arg", None) is not None
    ):
        become_writer(connection)


def _before_savepoint(connection: Connection, _name: str | None) -> None:
    if mode.get() is Mode.ON_DEMAND:
        become_writer(connection)


def become_writer(connection: Connection) -> None:
    """Make the transaction of a request's connection a writer's; nothing happens where it is one."""
    if connection.info.get(WRITER):
        return
    _note_writer(connection)
    if connection.dialect.name == "sqlite":
        _sqlite_change_to_writing(connection)
    try:
        for check in current_app.extensions.get("lms.on_writing", ()):
            check(connection)
    except BaseException:
        _note_end(connection)  # whoever catches this and goes on to write is asked again
        raise


def _note_writer(connection: Connection) -> None:
    connection.info[WRITER] = True  # as long as its transaction lasts, or the connection itself
    _is_writing.set(True)


def _note_end(connection: Connection) -> None:
    if connection.info.pop(WRITER, False):
        _is_writing.set(False)


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        # What is erased is overwritten, and so is what moves to another page meanwhile: some builds
        # do so by themselves. Old pages lie in the log until `lms.people.erasing.job` empties it.
        "secure_delete=ON",
        "temp_store=MEMORY",
        "cache_size=-32000",
        "trusted_schema=OFF",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    # Past SQLAlchemy, which takes six times as long for these as SQLite does.
    raw: Any = connection.connection.driver_connection
    present = mode.get()
    if present in (Mode.WRITING, Mode.UNSAID):
        raw.execute("PRAGMA query_only=OFF")
        _sqlite_begin_writing(connection)
        if present is Mode.WRITING:
            _note_writer(connection)
    else:
        raw.execute("PRAGMA query_only=ON")
        raw.execute("BEGIN")


def _sqlite_change_to_writing(connection: Connection) -> None:
    raw: Any = connection.connection.driver_connection
    before = raw.execute("PRAGMA data_version").fetchone()
    raw.execute("ROLLBACK")
    raw.execute("PRAGMA query_only=OFF")
    _sqlite_begin_writing(connection)
    if raw.execute("PRAGMA data_version").fetchone() != before:
        _read_anew()


def _read_anew() -> None:
    """Have the session's unchanged objects read again when they are next asked for."""
    session = current_app.extensions["sqlalchemy"].session()
    if session._flushing:
        return
    for one in list(session.identity_map.values()):
        if not session.is_modified(one) and one not in session.deleted:
            session.expire(one)


def _sqlite_begin_writing(connection: Connection) -> None:
    """Begin as a writer as soon as nobody else is one, or give up after the busy timeout.

    SQLite's own waiting asks ten times a second, and nobody is in turn: a worker that writes
    transaction after transaction leaves gaps of milliseconds, which it would miss for seconds.
    """
    raw: Any = connection.connection.driver_connection
    patience = time.monotonic() + BUSY_TIMEOUT_SECONDS
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while not _sqlite_settled(raw) and time.monotonic() < patience:
            time.sleep(WRITER_POLL_SECONDS)
        if not raw.in_transaction:  # once more, for an error in SQLAlchemy's words
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        raw.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_SECONDS * 1000)}")


def _sqlite_settled(raw: Any) -> bool:
    """Try to begin; False where somebody else writes, and asking again may help."""
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY
    return True


def _postgresql_begin(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.read_only = mode.get() is Mode.READING
    if mode.get() is Mode.WRITING:
        _note_writer(connection)

"""Whether anything can be kept: a row in the database, a file in the instance folder.

`/healthz` is public. So a process looks once in PROBE_SECONDS, however often it is asked, one
request at a time, and waits neither for SQLite's writer nor for who looks already.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from lms import clock
from lms.db import db, writing

log = logging.getLogger(__name__)

PROBE_SECONDS = 10
# Less room than that is as good as none: a picture, a certificate or a batch would not fit.
LEAST_FREE_BYTES = 1024 * 1024
# SQLite has one writer; a long transaction of its own is no fault, one without end is.
BUSY_SECONDS = 1
STUCK_SECONDS = 60

# Written and taken away in one transaction: the database does what it does for any other row, and
# nobody ever sees it.
INSERT = "INSERT INTO lms_worker (name, seen_at) VALUES (:name, :moment)"
DELETE = "DELETE FROM lms_worker WHERE name = :name"


class Busy(Exception):
    """Somebody else was the database's writer all the time."""


class Seldom:
    """A look at something that costs, taken once in PROBE_SECONDS by one thread of the process.

    `look` returns what is wrong, or None; it raises Busy where it could not find out.
    """

    def __init__(self, look: Callable[[], str | None]) -> None:
        self.look = look
        self._looks = threading.Lock()
        self._look_at = 0.0
        self._well_at = self._began_at = time.monotonic()
        self._said: str | None = None

    def ask(self) -> str | None:
        """Return what is wrong, or None; looks itself only if nobody has for a while."""
        moment = time.monotonic()
        if moment < self._look_at:
            return self._said
        if not self._looks.acquire(blocking=False):
            hangs = moment - self._began_at > STUCK_SECONDS
            return "Writing hangs. Look at the disk and the database." if hangs else self._said
        try:
            self._began_at = moment
            self._said = self._look(moment)
            self._look_at = time.monotonic() + PROBE_SECONDS
        finally:
            self._looks.release()
        return self._said

    def _look(self, moment: float) -> str | None:
        try:
            wrong = self.look()
        except Busy:
            waited = moment - self._well_at
            if waited < STUCK_SECONDS:
                return None
            return f"Somebody else has been writing for {waited:.0f} seconds: nobody else can."
        if wrong is None:
            self._well_at = moment
        return wrong


def seldom(name: str, look: Callable[[], str | None]) -> str | None:
    """Return what a look says, taken seldom in this process (see `Seldom`)."""
    known: dict[str, Seldom] = current_app.extensions.setdefault("lms.seldom", {})
    return known.setdefault(name, Seldom(look)).ask()


def check_folder(folder: Path, setting: str) -> str | None:
    """Look, seldom, whether a file of a megabyte can be kept in the folder that a setting names."""
    return seldom(setting, lambda: _look_at_folder(folder, setting))


def check_writing() -> str | None:
    """Look, seldom, whether a file can be kept in the instance folder, and a row in the database."""
    return seldom("writing", _look_at_writing)


def _look_at_writing() -> str | None:
    instance = Path(current_app.config["LMS_INSTANCE"])
    folders = {instance: "LMS_INSTANCE"}
    if db.engine.dialect.name == "sqlite":
        folders.setdefault(Path(str(db.engine.url.database)).parent, "LMS_DATABASE_URL")
    for folder, setting in folders.items():
        wrong = _look_at_folder(folder, setting)
        if wrong is not None:
            return wrong
    try:
        write_row()
    except (sqlite3.Error, SQLAlchemyError) as error:
        cause = getattr(error, "orig", error)
        log.warning("nothing can be written in the database: %s", type(cause).__name__)
        return "Nothing can be written in the database. Look at its disk and its log."
    return None


def _look_at_folder(folder: Path, setting: str) -> str | None:
    try:
        write_file(folder)
    except OSError as error:
        log.warning("nothing can be written in %s: %s", folder, error.strerror)
        return f"Nothing can be written in the folder of {setting} ({error.strerror})."
    return None


def write_file(folder: Path) -> None:
    """Take a little room in a folder and give it back; raises OSError where there is none."""
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, LEAST_FREE_BYTES)


def write_row() -> None:
    """Commit something; raises Busy, or the error of the database."""
    row: dict[str, Any] = {"name": f"probe-{secrets.token_hex(8)}"}
    with _connection() as execute:
        execute(INSERT, row | {"moment": clock.now().replace(tzinfo=None).isoformat(" ")})
        execute(DELETE, row)


@contextmanager
def _connection() -> Iterator[Callable[[str, dict[str, Any]], Any]]:
    """Yield what executes a statement in a transaction that is committed at the end."""
    if db.engine.dialect.name != "sqlite":
        with writing(True), db.engine.begin() as server:
            yield lambda statement, values: server.execute(text(statement), values)
        return
    # The engine's own connections wait much longer for the writer.
    place = Path(str(db.engine.url.database)).absolute().as_uri() + "?mode=rw"
    opened = sqlite3.connect(place, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    with closing(opened) as file:
        try:
            file.execute("BEGIN IMMEDIATE")
            yield file.execute
            file.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise Busy from error
            raise

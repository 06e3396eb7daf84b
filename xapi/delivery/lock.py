"""One deliverer for each target at a time, so that order is kept; a killed one holds nothing.

On SQLite everything runs on one machine: a lock on a file, which the system drops with the
process. On PostgreSQL workers may run on several: advisory locks, dropped with their connection.
One connection holds those of all targets, however many there are.
"""

from __future__ import annotations

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from lms.db import db

_NAMESPACE = 0x78617069  # "xapi"


class Locks(Protocol):
    """The targets that are ours to serve; for use by one thread."""

    def take(self, target: str) -> bool:
        """Tell whether a target is ours from now on; False: another is at work there just now."""
        ...

    def give_back(self, target: str) -> None:
        """Let others have it."""
        ...

    def hold(self) -> bool:
        """Tell whether what we took is still ours."""
        ...


@contextmanager
def locks() -> Iterator[Locks]:
    """Give locks for as long as the block lasts."""
    if db.engine.dialect.name == "postgresql":
        engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            advisory = _Advisory(connection)
            try:
                yield advisory
            finally:
                advisory.end()
        return
    files = _Files(Path(current_app.config["LMS_INSTANCE"]))
    try:
        yield files
    finally:
        for target in list(files.open):
            files.give_back(target)


@contextmanager
def only_one(target: str) -> Iterator[bool]:
    """Yield whether we are the one; False means that another is at work just now."""
    with locks() as ours:
        yield ours.take(target)


class _Files:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open: dict[str, IO[str]] = {}

    def take(self, target: str) -> bool:
        file = (self.folder / f"xapi-{target}.lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self.open[target] = file
        return True

    def give_back(self, target: str) -> None:
        self.open.pop(target).close()

    def hold(self) -> bool:
        return True


class _Advisory:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def take(self, target: str) -> bool:
        return bool(self._ask("SELECT pg_try_advisory_lock(:space, :key)", target))

    def give_back(self, target: str) -> None:
        with suppress(SQLAlchemyError):  # gone with the connection, then
            self._ask("SELECT pg_advisory_unlock(:space, :key)", target)

    def hold(self) -> bool:
        try:
            self.connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    def end(self) -> None:
        """Give all back before the connection goes back to those that are shared."""
        with suppress(SQLAlchemyError):
            self.connection.execute(text("SELECT pg_advisory_unlock_all()"))

    def _ask(self, query: str, target: str) -> object:
        keys = {"space": _NAMESPACE, "key": zlib.crc32(target.encode()) & 0x7FFFFFFF}
        return self.connection.execute(text(query), keys).scalar()

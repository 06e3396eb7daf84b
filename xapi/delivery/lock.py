"""One deliverer for each target at a time, so that order is kept; a killed one holds nothing.

On SQLite everything runs on one machine: a lock on a file, which the system drops with the
process. On PostgreSQL workers may run on several: an advisory lock, dropped with the connection.
"""

from __future__ import annotations

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app
from sqlalchemy import text

from lms.db import db

_NAMESPACE = 0x78617069  # "xapi"


@contextmanager
def only_one(target: str) -> Iterator[bool]:
    """Yield whether we are the one; False means that another is at work just now."""
    if db.engine.dialect.name == "postgresql":
        with _advisory(target) as got:
            yield got
        return
    folder = Path(current_app.config["LMS_INSTANCE"])
    with (folder / f"xapi-{target}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def _advisory(target: str) -> Iterator[bool]:
    keys = {"space": _NAMESPACE, "key": zlib.crc32(target.encode()) & 0x7FFFFFFF}
    engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        got = connection.execute(text("SELECT pg_try_advisory_lock(:space, :key)"), keys).scalar()
        try:
            yield bool(got)
        finally:
            if got:
                connection.execute(text("SELECT pg_advisory_unlock(:space, :key)"), keys)

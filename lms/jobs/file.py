"""The file in which wake-ups wait. It is disposable: a damaged one is put aside, and a new one begun."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from huey import SqliteHuey

from lms.errors import Misconfigured

log = logging.getLogger(__name__)

NAME = "jobs.sqlite3"
ASIDE = "jobs.sqlite3.damaged"
BESIDE = ("-wal", "-shm", "-journal")
OUT_OF_REACH = frozenset(
    {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH}
)


def open_file(instance: Path) -> Any:
    """Return Huey over the file in `instance`, which is made anew where it is damaged.

    Raises Misconfigured where it cannot be opened at all.
    """
    instance.mkdir(parents=True, exist_ok=True)
    place = instance / NAME
    try:
        with _alone(instance):
            if _is_damaged(place):
                _put_aside(place)
            # A lost wake-up loses nothing: no need to wait for the disk.
            return SqliteHuey("ropes", filename=str(place), results=False, fsync=False)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in OUT_OF_REACH:
            raise
        what = "is a folder" if place.is_dir() else "cannot be opened and written by this user"
        raise Misconfigured(
            f"{place} {what}. Background work waits in this file; nothing in it needs to be kept: "
            "delete it, or give it to the user that runs Ropes."
        ) from error


def find_damaged(instance: Path) -> Path | None:
    """Return the damaged file that was put aside, or None."""
    place = instance / ASIDE
    return place if place.exists() else None


@contextmanager
def _alone(instance: Path) -> Iterator[None]:
    """Be the only process that looks: a second one must not put aside what the first has made."""
    folder = os.open(instance, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _is_damaged(place: Path) -> bool:
    """Whether SQLite says so; one that is missing, empty, or used just now is not."""
    if not place.is_file() or not os.access(place, os.R_OK | os.W_OK):
        return False
    try:
        with closing(sqlite3.connect(place, timeout=5)) as file:
            return bool(file.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.OperationalError:
        return False  # locked, or out of reach: opening it says more
    except sqlite3.DatabaseError:
        return True


def _put_aside(place: Path) -> None:
    """Rename the file; what it says of its owner holds for the new one, whoever this process is."""
    before = place.stat()
    place.replace(place.with_name(ASIDE))
    for ending in BESIDE:
        place.with_name(NAME + ending).unlink(missing_ok=True)
    place.touch(mode=before.st_mode & 0o777)
    if os.geteuid() == 0:
        os.chown(place, before.st_uid, before.st_gid)
    log.error(
        "%s was damaged: it is kept as %s, and a new one begun. Nothing is lost: what there is to "
        "do stands in the database.", place, ASIDE,
    )  # fmt: skip

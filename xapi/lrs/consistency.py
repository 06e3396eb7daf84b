"""Consistent-Through: up to when everything stored is also visible (Communication 2.1.3)."""

from __future__ import annotations

import datetime as dt
import sqlite3

from sqlalchemy import text

from lms import clock
from lms.db import db
from xapi.lrs.store import WRITERS_LOCK


def find_quiet_moment() -> dt.datetime | None:
    """Return a moment just now at which nobody was storing, or None while somebody is.

    Ask before the request's own transaction takes its view of the database: every writer that
    began earlier has then committed, and every later one gives a later `stored`.
    """
    moment = clock.now()
    return moment if _nobody_writes() else None


def _nobody_writes() -> bool:
    if db.engine.dialect.name == "postgresql":
        high, low = WRITERS_LOCK >> 32, WRITERS_LOCK & 0xFFFFFFFF
        with db.engine.connect() as connection:
            held: int = connection.execute(
                text(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted "
                    "AND classid = :high AND objid = :low AND objsubid = 1 "
                    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                ),
                {"high": high, "low": low},
            ).scalar_one()
        return held == 0
    pooled = db.engine.raw_connection()
    try:
        cursor = pooled.cursor()
        before = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute("PRAGMA query_only=OFF")  # whoever begins next sets it anew
        cursor.execute("PRAGMA busy_timeout=0")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
        finally:
            cursor.execute(f"PRAGMA busy_timeout={before}")
            cursor.close()
        return True
    finally:
        pooled.close()

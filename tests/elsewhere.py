"""Another process at the same database, from inside of a test or of a request it makes."""

from __future__ import annotations

import sqlite3
from typing import Any

from lms.db import db


def others_may_write() -> bool:
    """Whether another connection can take SQLite's write lock just now."""
    other = sqlite3.connect(db.engine.url.database or "", timeout=0)
    try:
        other.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    finally:
        other.close()
    return True


def elsewhere(statement: Any) -> None:
    """Run and commit a statement by another connection."""
    with db.engine.connect() as connection:
        connection.execute(statement)
        connection.commit()

"""What the database has to do for a page, as a number that does not depend on time.

SQLite counts the steps of its virtual machine; PostgreSQL says how many rows each part of a plan
gave or threw away. Both grow with the rows that a query looks at, not with those that it returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from lms.db import db

STEPS = 10  # SQLite tells every so many
READS = ("SELECT", "WITH")


@contextmanager
def work() -> Iterator[Counter[str]]:
    """Count, by statement, what the database does inside the block."""
    done: Counter[str] = Counter()
    counting = _count_steps if db.engine.dialect.name == "sqlite" else _count_rows

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        counting(done, connection, statement, parameters)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield done
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
        with db.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                _driver(connection).set_progress_handler(None, 0)


def _driver(connection: Any) -> Any:
    return connection.connection.driver_connection


def _count_steps(done: Counter[str], connection: Any, statement: str, _parameters: Any) -> None:
    def step() -> None:
        done[statement] += STEPS

    _driver(connection).set_progress_handler(step, STEPS)


def _count_rows(done: Counter[str], connection: Any, statement: str, parameters: Any) -> None:
    if not statement.lstrip().startswith(READS) or "FOR UPDATE" in statement:
        return
    cursor = _driver(connection).cursor()
    cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", parameters)
    done[statement] += _rows(cursor.fetchone()[0][0]["Plan"])
    cursor.close()


def _rows(plan: dict[str, Any]) -> int:
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter")
    own = sum(plan.get(name, 0) for name in names) * plan.get("Actual Loops", 1)
    return int(own) + sum(_rows(part) for part in plan.get("Plans", ()))

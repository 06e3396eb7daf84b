"""The floor under storing: the very same rows, inserted as they are."""

from __future__ import annotations

from typing import Any

from lms.db import db
from tests import databases
from tests.benchmarks.harness import Place

TABLES = ("xapi_statement", "xapi_statement_agent", "xapi_statement_activity")
Rows = dict[str, list[tuple[Any, ...]]]


class RawCopy:
    """A database, migrated and set up as any, and the rows of the present app's store to fill it with.

    batches: the rows of each `size` statements, links in the order in which they lie.
    """

    def __init__(self, place: Place, size: int) -> None:
        self._mark = "%s" if databases.KIND == "postgresql" else "?"
        source: Any = db.engine.raw_connection()
        verbs = _read(source, "xapi_verb")  # what statements point to
        self.batches = _by_batch({table: _read(source, table) for table in TABLES}, size)
        source.close()
        with place.make_app().app_context():
            self._target: Any = db.engine.raw_connection()
        self._driver = self._target.driver_connection
        self.insert({"xapi_verb": verbs})

    def insert(self, rows: Rows) -> None:
        """Insert rows in one commit."""
        if databases.KIND != "postgresql":  # psycopg begins by itself
            self._driver.execute("BEGIN IMMEDIATE")
        for table, several in rows.items():
            marks = ", ".join([self._mark] * len(several[0]))
            self._driver.cursor().executemany(f"INSERT INTO {table} VALUES ({marks})", several)  # noqa: S608 - our own names
        self._driver.commit()


def _read(source: Any, table: str) -> list[tuple[Any, ...]]:
    cursor = source.driver_connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")  # noqa: S608 - our own names
    found: list[tuple[Any, ...]] = cursor.fetchall()
    source.driver_connection.rollback()
    return found


def _by_batch(tables: Rows, size: int) -> list[Rows]:
    """Return the rows apart: those of the first `size` statements, of the next, and so on."""
    found: list[Rows] = []
    for table, rows in tables.items():
        place = 0 if table == TABLES[0] else 2  # where the statement's row id stands
        for row in rows:
            number = (row[place] - 1) // size
            while len(found) <= number:
                found.append({name: [] for name in TABLES})
            found[number][table].append(row)
    return found

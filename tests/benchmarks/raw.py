"""The floor under storing: the very same rows, inserted as they are."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from lms.db import Model, db
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


def raw_insert(place: Place, model: type[Model], in_a_commit: int = 50) -> float:
    """Return the seconds of CPU that inserting all rows of a table anew takes, past SQLAlchemy.

    The new table is in a SQLite file of its own, in our mode, with the same indexes; it has no
    foreign keys, as what they point to is not there.
    """
    table: Any = model.__table__
    processors = [
        column.type.dialect_impl(db.engine.dialect).bind_processor(db.engine.dialect)
        for column in table.columns
    ]
    rows = [
        tuple(make(value) if make else value for make, value in zip(processors, row, strict=True))
        for row in db.session.execute(select(table))
    ]
    db.session.rollback()
    raw = place.raw_sqlite()
    raw.execute("PRAGMA foreign_keys=OFF")
    raw.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
    for index in table.indexes:
        raw.execute(str(CreateIndex(index).compile(dialect=sqlite.dialect())))
    marks = ", ".join("?" * len(table.columns))
    started = time.process_time()
    for at in range(0, len(rows), in_a_commit):
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows[at : at + in_a_commit])  # noqa: S608 - our own names
        raw.execute("COMMIT")
    return time.process_time() - started

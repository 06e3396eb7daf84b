"""SQL for the hot path of the store: written once, run without the ORM's bookkeeping.

A statement is stored in six queries; what SQLAlchemy's session adds to each would cost more than
the database does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, bindparam, select
from sqlalchemy.engine import Connection

from lms.db import db
from xapi.lrs.models import (
    LrsActivity,
    LrsAgent,
    LrsStatement,
    LrsStatementActivity,
    LrsStatementAgent,
    LrsVerb,
)


def table_of(model: Any) -> Table:
    """Return a model's table."""
    table: Table = model.__table__
    return table


statements = table_of(LrsStatement)
agent_links = table_of(LrsStatementAgent)
activity_links = table_of(LrsStatementActivity)

_s = statements.c
find_stored = select(_s.statement_id, _s.fingerprint, _s.text).where(
    _s.statement_id.in_(bindparam("ids", expanding=True))
)
find_last = select(_s.id, _s.stored).order_by(_s.id.desc()).limit(1)
find_referring = select(_s.id, _s.refers_to, _s.voiding).where(
    _s.refers_to.in_(bindparam("ids", expanding=True))
)


def _by_key(model: Any, column: str) -> Any:
    columns = table_of(model).c
    return select(columns.key, columns.id, columns[column].label("value")).where(
        columns.key.in_(bindparam("keys", expanding=True))
    )


find_agents = _by_key(LrsAgent, "name")
find_activities = _by_key(LrsActivity, "definition")
find_verbs = _by_key(LrsVerb, "display")


def connection() -> Connection:
    """Return the connection of the present transaction."""
    return db.session.connection()


def insert_rows(table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns."""
    connection().execute(_insert(table), list(rows))


def insert_plain(table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of numbers and truth values, in the order of the table's columns, past all types."""
    here = connection()
    here.exec_driver_sql(_plain_insert(table, here.dialect.paramstyle), list(rows))


@lru_cache(maxsize=32)
def _insert(table: Table) -> Any:
    return table.insert()


@lru_cache(maxsize=32)
def _plain_insert(table: Table, paramstyle: str) -> str:
    mark = "?" if paramstyle == "qmark" else "%s"
    names = ", ".join(column.name for column in table.columns)
    marks = ", ".join([mark] * len(table.columns))
    return f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own

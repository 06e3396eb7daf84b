"""SQL for the hot path of the store: written once, and handed to the driver as it is.

A statement is stored in eight short queries; what SQLAlchemy adds to each would cost more than the
database does. What the driver raises becomes SQLAlchemy's errors all the same, which the kernel
knows how to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NoReturn

import orjson
from sqlalchemy import Table
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError

from lms.db import db
from xapi.lrs.models import (
    LrsMention,
    LrsReference,
    LrsStatement,
    LrsStatementActivity,
    LrsStatementAgent,
)


def table_of(model: Any) -> Table:
    """Return a model's table."""
    table: Table = model.__table__
    return table


statements = table_of(LrsStatement)
references = table_of(LrsReference)
agent_links = table_of(LrsStatementAgent)
activity_links = table_of(LrsStatementActivity)
mentions = table_of(LrsMention)

# {one} is one value, {any} a set of them, {by_...} an index that SQLite is to use: see Here.
_INDEXES = {
    "by_verb": "ix_xapi_statement_verb",
    "by_registration": "ix_xapi_statement_registration",
    "by_voided": "ix_xapi_statement_voided",
}
FIND_STORED = "SELECT statement_id, text FROM xapi_statement WHERE statement_id {any}"
FIND_PLACE = (
    "SELECT place.generation, place.last_id, place.last_stored, newest.id, newest.stored "
    "FROM xapi_place place LEFT JOIN (SELECT id, stored FROM xapi_statement ORDER BY id DESC LIMIT 1)"
    " newest ON 1 = 1"
)
FIND_AGENTS = "SELECT key, id, name FROM xapi_agent WHERE key {any}"
ADD_AGENT = (
    "INSERT INTO xapi_agent (key, identifier, name) VALUES ({one}, {one}, {one}) "
    "ON CONFLICT (key) DO NOTHING"
)
NAME_AGENT = "UPDATE xapi_agent SET name = {one} WHERE id = {one}"
FIND_ACTIVITIES = "SELECT key, id, definition FROM xapi_activity WHERE key {any}"
ADD_ACTIVITY = (
    "INSERT INTO xapi_activity (key, iri, definition) VALUES ({one}, {one}, {one}) "
    "ON CONFLICT (key) DO NOTHING"
)
DEFINE_ACTIVITY = "UPDATE xapi_activity SET definition = {one} WHERE id = {one}"
FIND_VERBS = "SELECT key, id, display FROM xapi_verb WHERE key {any}"
ADD_VERB = (
    "INSERT INTO xapi_verb (key, iri, display) VALUES ({one}, {one}, {one}) "
    "ON CONFLICT (key) DO NOTHING"
)
DISPLAY_VERB = "UPDATE xapi_verb SET display = {one} WHERE id = {one}"
# That it is not NULL is said, since the index holds no others.
FIND_REFERRING = (
    "SELECT id, refers_to, voiding FROM xapi_statement "
    "WHERE refers_to IS NOT NULL AND refers_to {any}"
)


class Here:
    """The present transaction's connection, as the driver has it."""

    __slots__ = ("connection", "driver", "is_postgresql")

    def __init__(self) -> None:
        self.connection: Connection = db.session.connection()
        self.driver: Any = self.connection.connection.driver_connection
        self.is_postgresql = self.connection.dialect.name == "postgresql"

    def execute(self, query: str, *values: Any) -> Any:
        """Run a query of this module; return the driver's cursor. A set of values is a list."""
        alone = False
        if list in map(type, values):
            # SQLite makes a table of a set, which for a single value takes longer than the query.
            alone = all(len(value) == 1 for value in values if type(value) is list)
            values = tuple(
                (value if type(value) is not list else value[0] if alone else self._set(value))
                for value in values
            )
        text = _spell(query, self.is_postgresql, alone)
        try:
            return self.driver.execute(text, values)
        except Exception as error:
            self._tell(error, text)

    def _set(self, values: list[Any]) -> Any:
        return values if self.is_postgresql else orjson.dumps(values).decode()

    def insert(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of values as the driver takes them, in the order of the table's columns."""
        self._run_many(_spell_insert(table, self.is_postgresql), rows)

    def execute_many(self, query: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a query of this module for each row of values."""
        self._run_many(_spell(query, self.is_postgresql, False), rows)

    def _run_many(self, text: str, rows: Sequence[tuple[Any, ...]]) -> None:
        try:
            if self.is_postgresql:
                with self.driver.cursor() as cursor:
                    cursor.executemany(text, rows)
            else:
                self.driver.executemany(text, rows)
        except Exception as error:
            self._tell(error, text)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Inside this block queries are sent without waiting for one another's answers."""
        if not self.is_postgresql:
            yield
            return
        try:
            with self.driver.pipeline():
                yield
        except Exception as error:
            self._tell(error, "a pipeline of queries")

    def to_driver(self, column: Any) -> Callable[[Any], Any]:
        """Return what makes a column's value what the driver takes."""
        return _binder(column, self.connection.dialect)

    def from_driver(self, column: Any) -> Callable[[Any], Any]:
        """Return what makes a column's value of what the driver gives."""
        return _reader(column, self.connection.dialect)

    def _tell(self, error: Exception, text: str) -> NoReturn:
        """Raise what the driver raised as SQLAlchemy's error, anything else as it is."""
        dbapi = self.connection.dialect.dbapi
        if dbapi is None or not isinstance(error, dbapi.Error):
            raise error
        raise DBAPIError.instance(
            text, None, error, dbapi.Error, hide_parameters=True, dialect=self.connection.dialect
        ) from error


@lru_cache(maxsize=1000)
def _spell(query: str, is_postgresql: bool, alone: bool) -> str:
    if is_postgresql:
        any_of = "= %s" if alone else "= ANY(%s)"
        return query.format(one="%s", any=any_of, **dict.fromkeys(_INDEXES, ""))
    any_of = "= ?" if alone else "IN (SELECT value FROM json_each(?))"
    names = {name: f"INDEXED BY {index}" for name, index in _INDEXES.items()}
    return query.format(one="?", any=any_of, **names)


@lru_cache(maxsize=64)
def _spell_insert(table: Table, is_postgresql: bool) -> str:
    names = ", ".join(column.name for column in table.columns)
    marks = ", ".join(["%s" if is_postgresql else "?"] * len(table.columns))
    return f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own


def _same(value: Any) -> Any:
    return value


@lru_cache(maxsize=64)
def _binder(column: Any, dialect: Dialect) -> Callable[[Any], Any]:
    return column.type.dialect_impl(dialect).bind_processor(dialect) or _same


@lru_cache(maxsize=64)
def _reader(column: Any, dialect: Dialect) -> Callable[[Any], Any]:
    return column.type.dialect_impl(dialect).result_processor(dialect, None) or _same

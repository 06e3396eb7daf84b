"""The database: one session, typed columns, and transactions that fit SQLite and PostgreSQL.

Services never commit. A request commits once, when its answer is a success (`lms.app`); a job or a
command commits with `transaction()`. What must happen only after the commit (waking a job) is
handed to `on_commit`. When a
transaction may write, and when it takes SQLite's one write lock, `lms.writers` says; mark the rare
GET that must write with `@writes`.
"""

from __future__ import annotations

import datetime as dt
import logging
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, event, func, select, types
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction

from lms import writers
from lms.outage import DATABASE, outages
from lms.writers import Mode

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
# A request waits so long for a connection, at most; the answer is 503 then, and not a hung page.
CONNECT_SECONDS = 5
ALONE = 0x6C6D73  # "lms": our advisory locks' own space
POOL_SECONDS = 5
# A server whose machine went away says nothing: the system finds out (see libpq's settings).
SILENT = {
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])


class Base(DeclarativeBase):
    """Declarative base of every table of the suite."""

    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base, disable_autonaming=True)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


# For tables that grow without end: 64 bits, and SQLite's own rowid where it is the primary key.
BigId = BigInteger().with_variant(Integer, "sqlite")
BIGGEST_ID = 2**63 - 1


def row_number(text: str) -> int:
    """Return the number that an address names; raises ValueError for one that no column can hold."""
    number = int(text)
    if not 0 <= number <= BIGGEST_ID:
        raise ValueError("no row has this number")
    return number


class UtcDateTime(types.TypeDecorator[dt.datetime]):
    """An aware datetime, kept in UTC; a naive one is refused (ValueError)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Json(types.TypeDecorator[Any]):
    """JSON kept as text and read with orjson: the same bytes on SQLite and PostgreSQL."""

    impl = types.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


def writes(view: F) -> F:
    """Mark a view whose GET may write."""
    view.__lms_writes__ = True  # type: ignore[attr-defined]
    return view


@contextmanager
def writing(on: bool) -> Iterator[None]:
    """Say whether transactions that begin inside the block may write."""
    with _in_mode(Mode.WRITING if on else Mode.READING):
        yield


@contextmanager
def _in_mode(mode: Mode) -> Iterator[None]:
    token = writers.mode.set(mode)
    try:
        yield
    finally:
        writers.mode.reset(token)


def begin_request(may_write: bool) -> None:
    """Set, for the rest of this request's context, whether its transactions may write."""
    writers.mode.set(Mode.ON_DEMAND if may_write else Mode.READING)


def end_request() -> None:
    """Forget what `begin_request` said: whoever called in this context goes on as before."""
    writers.mode.set(Mode.UNSAID)


def begin_writing() -> None:
    """Be the writer from here on: on SQLite, wait until nobody else is one.

    For what must not change between reading and writing it, where on PostgreSQL rows are locked.
    Nothing happens where the transaction writes already.
    """
    if writers.mode.get() is Mode.ON_DEMAND:
        writers.become_writer(db.session.connection())


def keep_so_far() -> None:
    """Commit what this request has done so far; what follows begins as a reader again.

    For views alone, before something that takes its time: a count of tries is kept before the
    password is hashed, what was saved is kept before the page that says so is rendered.
    """
    db.session.commit()


@contextmanager
def transaction(reads_first: bool = False) -> Iterator[Session]:
    """Commit what happens inside the block, or roll all of it back and raise.

    reads_first: begin as a reader and become the writer at the first write, as requests do: for
    what reads or checks what people wrote before it writes.

    For jobs and commands; requests have their own (`lms.app`). Any earlier transaction of the
    session must be over: a nested call raises RuntimeError, since it could commit another's half.
    """
    session = db.session()
    if session.in_transaction() and (session.new or session.dirty or session.deleted):
        raise RuntimeError("transaction() inside a transaction that has unsaved changes")
    session.rollback()
    with _in_mode(Mode.ON_DEMAND if reads_first else Mode.WRITING):
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


def one_at_a_time(what: str) -> None:
    """Keep transactions that name the same thing waiting for one another, until this one ends.

    For what is looked up and then made: on PostgreSQL two could both find it missing. On SQLite a
    transaction that writes is alone anyhow. Call it before anything is read.
    """
    if db.engine.dialect.name == "postgresql":
        key = zlib.crc32(what.encode()) & 0x7FFFFFFF
        db.session.execute(select(func.pg_advisory_xact_lock(ALONE, key)))


def abandon() -> None:
    """Roll back whatever the session is at; a connection that cannot even do that is let go.

    For paths that answer an error: they must not fail by another.
    """
    session = db.session()
    try:
        session.rollback()
    except SQLAlchemyError:
        session.invalidate()
    writers.forget()  # a connection that was broken off tells nobody that its transaction ended


def on_commit(call: Callable[[], object]) -> None:
    """Run `call` once what the session is doing is committed; never if it is rolled back.

    Inside a savepoint (`begin_nested`) it shares the savepoint's fate, and still waits for the
    whole. What `call` raises is logged and goes no further: the commit has happened, and nobody
    may be told that it has not.
    """
    session = db.session()
    session.info.setdefault("lms_on_commit", []).append((session.get_nested_transaction(), call))


@event.listens_for(Session, "before_flush")
def _write_before_flush(session: Session, _context: Any, _objects: Any) -> None:
    """Become the writer before a flush, not in its midst: what is read for it is read as a writer."""
    if writers.mode.get() is not Mode.ON_DEMAND:
        return
    if session.new or session.deleted or any(map(session.is_modified, session.dirty)):
        writers.become_writer(session.connection())


@event.listens_for(Session, "after_commit")
def _note_commit(session: Session) -> None:
    outages.well(DATABASE)
    waiting = session.info.get("lms_on_commit", [])
    savepoint = session.get_nested_transaction()
    if savepoint is None:
        session.info["lms_to_run"] = session.info.pop("lms_on_commit", [])
        return
    outer = savepoint.parent if savepoint.parent is not None and savepoint.parent.nested else None
    session.info["lms_on_commit"] = [
        (outer if inside is savepoint else inside, call) for inside, call in waiting
    ]


@event.listens_for(Session, "after_rollback")
def _note_rollback(session: Session) -> None:
    kept: list[SessionTransaction | None] = []
    savepoint = session.get_nested_transaction()
    if savepoint is not None:  # only what was asked for outside of it stays
        kept = [None]
        while (savepoint := savepoint.parent) is not None:
            kept.append(savepoint)
    waiting = session.info.pop("lms_on_commit", [])
    session.info["lms_on_commit"] = [one for one in waiting if one[0] in kept]


@event.listens_for(Session, "after_transaction_end")
def _run_after_commit(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is not None:
        return
    session.info.pop("lms_on_commit", None)
    for _inside, call in session.info.pop("lms_to_run", ()):
        try:
            call()
        except Exception:
            log.exception("what was to follow a commit failed")


def engine_options(url: URL) -> dict[str, Any]:
    """Return how connections to the database of this address are made and kept."""
    options: dict[str, Any] = {"hide_parameters": True}  # values of a failed statement reach no log
    if url.get_backend_name() == "postgresql":
        given = {name: value for name, value in SILENT.items() if name not in url.query}
        if "connect_timeout" not in url.query:
            given["connect_timeout"] = CONNECT_SECONDS
        # A connection is tried before it is used: the server may have been restarted since.
        options |= {"pool_pre_ping": True, "pool_timeout": POOL_SECONDS, "connect_args": given}
    return options

"""Keeping where everybody stands: written where evidence changes, and built to the same by a job.

A row is what `TeamColumn.cells` says of a person. `refresh` asks the columns and writes the
difference, in the transaction of whoever changed something; the job asks the same for everybody,
once a day, and where a plugin says that a column changed for all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, String, bindparam, case, delete, func, select, type_coerce, update
from sqlalchemy.dialects import postgresql, sqlite

from lms import clock
from lms.db import UtcDateTime, db, transaction
from lms.events import EvidenceChanged, PeopleChanged, StandingChanged
from lms.jobs.queue import Job, wake
from lms.people.models import Identity, Person
from lms.plugin import CellState, TeamColumn
from lms.teams.columns import all_columns, is_announced, table_columns
from lms.teams.models import Column, Standing, Summary
from lms.teams.rules import ACHIEVED, ASKED, OPEN, RANKS

JOB = "teams.standing"
MOST_AT_ONCE = 2_000  # people whom the transaction of a change itself looks after
STEP = 500  # people at once: SQLite's one writer must not keep a learner waiting
BUILT_EVERY = dt.timedelta(days=1)
_NAMED = {str(state): state for state in CellState}


def _ranks(states: Iterable[CellState]) -> list[int]:
    return sorted(RANKS[state] for state in states)


_PEOPLE: Any = bindparam("people", expanding=True)
_ROWS = select(
    Standing.person_id, Standing.column_id, Standing.rank, Standing.number, Standing.due_at
).where(
    Standing.person_id.in_(_PEOPLE),
    Standing.column_id.in_(bindparam("columns", expanding=True)),
)
_SUMMARIES = select(
    Summary.person_id, Summary.rank, Summary.due_at, Summary.achieved, Summary.held
).where(Summary.person_id.in_(_PEOPLE))
_SUMS = (
    select(
        Standing.person_id,
        func.max(case((Standing.rank.in_(_ranks(ASKED)), Standing.rank), else_=0)),
        func.min(case((Standing.rank.in_(_ranks(OPEN)), Standing.due_at))),
        func.sum(case((Standing.rank.in_(_ranks(ACHIEVED)), 1), else_=0), type_=Integer),
        func.sum(case((Standing.rank == RANKS[CellState.MET], 1), else_=0), type_=Integer),
    )
    .where(Standing.person_id.in_(_PEOPLE))
    .group_by(Standing.person_id)
)
# One at a time works on a person: whoever comes second sees what the first has changed.
_LOCK = (
    select(Person.id)
    .where(Person.id.in_(_PEOPLE))
    .order_by(Person.id)
    .with_for_update(key_share=True)
)
_HERE = select(Identity.person_id).where(Identity.person_id.in_(_PEOPLE))


def note_standing(event: StandingChanged) -> None:
    """Listener: ask the columns that the event names about its people, or have a job ask."""
    _refresh_or_ask(event.person_ids, event.columns)


def note_evidence(event: EvidenceChanged | PeopleChanged) -> None:
    """Listener: ask the columns whose plugins do not say themselves when something changed."""
    columns = [one for one in table_columns(all_columns()) if not is_announced(one)]
    _refresh_or_ask(event.person_ids, frozenset(one.slug for one in columns))


def _refresh_or_ask(person_ids: Collection[int] | None, slugs: Collection[str]) -> None:
    """Refresh at once or, where it is about too many for one transaction, have the job do it."""
    if not slugs:
        return
    if person_ids is None or len(person_ids) > MOST_AT_ONCE:
        _ask_anew(slugs)
        return
    refresh(person_ids, [one for one in table_columns(all_columns()) if one.slug in slugs])


def refresh(person_ids: Collection[int], columns: Sequence[TeamColumn]) -> None:
    """Make the rows of these people and columns say what the columns say now.

    Nothing is written where nothing has changed. Of people whose name was removed nothing is kept.
    """
    if not person_ids or not columns:
        return
    known = _column_ids(columns)
    wanted = sorted(person_ids)
    for start in range(0, len(wanted), STEP):
        chunk = wanted[start : start + STEP]
        if db.engine.dialect.name == "postgresql":
            db.session.execute(_LOCK, {"people": chunk})
        here = list(db.session.scalars(_HERE, {"people": chunk}))
        if here:
            _refresh_some(here, columns, known)


def _refresh_some(
    people: list[int], columns: Sequence[TeamColumn], known: Mapping[str, int]
) -> None:
    chosen = select(Person.id).where(Person.id.in_(people))
    wanted: dict[tuple[int, ...], tuple[Any, ...]] = {}
    for column in columns:
        for person_id, state, number, due_at in db.session.execute(_typed(column, chosen)):
            rank = RANKS[_NAMED[state]] if state else 0
            if rank:
                wanted[person_id, known[column.slug]] = (rank, number, due_at)
    ids = [known[column.slug] for column in columns]
    rows = db.session.execute(_ROWS, {"people": people, "columns": ids})
    present: dict[tuple[int, ...], tuple[Any, ...]] = {(r[0], r[1]): tuple(r[2:]) for r in rows}
    if _write(Standing, present, wanted):
        _sum_up(people)


def _typed(column: TeamColumn, people: Any) -> Any:
    """A column's cells, whatever types its select has (a column without dates says NULL)."""
    person_id, state, number, due_at = column.cells(people).subquery("cells").c
    return select(
        person_id.label("person_id"),
        type_coerce(state, String).label("state"),
        number.label("number"),
        type_coerce(due_at, UtcDateTime).label("due_at"),
    )


def _write(
    model: type[Standing] | type[Summary],
    present: Mapping[tuple[int, ...], tuple[Any, ...]],
    wanted: Mapping[tuple[int, ...], tuple[Any, ...]],
) -> bool:
    """Make the rows, by primary key, what is wanted; return whether anything was written."""
    table: Any = model.__table__
    keys = [column.name for column in table.primary_key]
    names = [column.name for column in table.columns]
    rows = [
        dict(zip(names, (*key, *values), strict=True))
        for key, values in wanted.items()
        if present.get(key) != values
    ]
    gone = [
        dict(zip((f"of_{one}" for one in keys), key, strict=True))
        for key in present.keys() - wanted.keys()
    ]
    connection = db.session.connection()
    if rows:
        insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
        statement = insert(table)
        values = {name: statement.excluded[name] for name in names if name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)
    if gone:
        conditions = [table.c[one] == bindparam(f"of_{one}") for one in keys]
        connection.execute(delete(table).where(*conditions), gone)
    return bool(rows or gone)


def _column_ids(columns: Iterable[TeamColumn]) -> dict[str, int]:
    """Return the ids under which columns are kept; those not kept yet are to be built."""
    slugs = [column.slug for column in columns]
    known = _known_ids()
    new = [slug for slug in slugs if slug not in known]
    if new:
        insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
        db.session.execute(
            insert(Column).on_conflict_do_nothing(index_elements=["slug"]),
            [{"slug": slug, "reached": 0} for slug in new],
        )
        wake(JOB)
        known = _known_ids()
    return known


def _known_ids() -> dict[str, int]:
    return dict(db.session.execute(select(Column.slug, Column.id)).tuples().all())


def _ask_anew(slugs: Collection[str]) -> None:
    """Have these columns built anew for everybody."""
    there = [one for one in table_columns(all_columns()) if one.slug in slugs]
    _column_ids(there)
    db.session.execute(
        update(Column)
        .where(Column.slug.in_(slugs))
        .values(reached=0)
        .execution_options(synchronize_session=False)
    )
    wake(JOB)


def build() -> None:
    """The job: build what is to be built, and everything once a day."""
    with transaction():
        _meet_columns()
    while _build_some():
        pass


def _meet_columns() -> None:
    """Keep a row for each column that there is, and nothing of those that are gone."""
    columns = table_columns(all_columns())
    _column_ids(columns)
    gone = db.session.scalars(
        select(Column.id).where(Column.slug.not_in([column.slug for column in columns]))
    ).all()
    if gone:
        people = select(Standing.person_id).where(Standing.column_id.in_(gone)).distinct()
        of_gone = list(db.session.scalars(people))
        db.session.execute(delete(Standing).where(Standing.column_id.in_(gone)))
        db.session.execute(delete(Column).where(Column.id.in_(gone)))
        for start in range(0, len(of_gone), STEP):
            _sum_up(of_gone[start : start + STEP])
    db.session.execute(
        update(Column)
        .where(
            Column.reached.is_(None),
            (Column.built_at.is_(None)) | (Column.built_at < clock.now() - BUILT_EVERY),
        )
        .values(reached=0)
        .execution_options(synchronize_session=False)
    )


def _sum_up(people: list[int]) -> None:
    """Make the summaries of these people say what their rows come to."""
    sums = db.session.execute(_SUMS, {"people": people})
    present = db.session.execute(_SUMMARIES, {"people": people})
    _write(Summary, _by_person(present), _by_person(sums))


def _by_person(rows: Iterable[Any]) -> dict[tuple[int, ...], tuple[Any, ...]]:
    return {(row[0],): tuple(row[1:]) for row in rows}


def _build_some() -> bool:
    """Build the columns that are furthest behind for the next people; False where all are built."""
    with transaction():
        reached = db.session.scalar(select(func.min(Column.reached)))
        if reached is None:
            return False
        # Whoever asks for a column to be built anew waits here, and then sets it back.
        behind = select(Column.slug).where(Column.reached == reached).with_for_update()
        slugs = set(db.session.scalars(behind))
        columns = [one for one in table_columns(all_columns()) if one.slug in slugs]
        people = list(
            db.session.scalars(
                select(Identity.person_id)
                .where(Identity.person_id > reached)
                .order_by(Identity.person_id)
                .limit(STEP)
            )
        )
        refresh(people, columns)
        _sum_up(people)
        done = len(people) < STEP or not columns
        db.session.execute(
            update(Column)
            .where(Column.slug.in_(slugs), Column.reached == reached)
            .values({"reached": None, "built_at": clock.now()} if done else {"reached": people[-1]})
            .execution_options(synchronize_session=False)
        )
    return True


job = Job(JOB, build, every_seconds=600.0)

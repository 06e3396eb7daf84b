"""What one column says of one person today, read from what is kept or asked of the column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, String, bindparam, select, type_coerce

from lms import clock
from lms.db import UtcDateTime, db
from lms.people.models import Person
from lms.plugin import CellState, TeamColumn
from lms.teams.models import Column, Standing
from lms.teams.rules import STATES, dated

# SQLite joins 64 tables at most, and a column may bring several; PostgreSQL plans eight well.
COLUMNS_A_QUERY = 8
_NAMED = {str(state): state for state in CellState}
_column: Any = Column.__table__
_standing: Any = Standing.__table__
_KEPT = (
    select(
        _standing.c.person_id,
        _column.c.slug,
        _standing.c.rank,
        _standing.c.number,
        _standing.c.due_at,
    )
    .join(_column, _column.c.id == _standing.c.column_id)
    .where(_standing.c.person_id.in_(bindparam("people", expanding=True)))
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one column says of one person; see `lms.plugin.TeamColumn.cells`."""

    state: CellState
    number: int | None = None
    due_at: dt.datetime | None = None


NOTHING = Cell(CellState.NONE)


def kept_cells(
    people: Sequence[int], connection: Connection | None = None
) -> dict[int, dict[str, Cell]]:
    """Return the cells of these people as they are today, by person and slug; one query."""
    found: dict[int, dict[str, Cell]] = {}
    moment = clock.now()
    run = connection or db.session.connection()
    for person_id, slug, rank, number, due_at in run.execute(_KEPT, {"people": people}):
        state = dated(STATES[rank], due_at, moment)
        found.setdefault(person_id, {})[slug] = Cell(state, number, due_at)
    return found


def ask_cells(people: Select[tuple[int]], columns: Sequence[TeamColumn]) -> list[dict[int, Cell]]:
    """Return, for each column, its cells of `people` as they are today, asked of the columns
    themselves; eight columns a query.
    """
    moment = clock.now()
    found: list[dict[int, Cell]] = [{} for _column in columns]
    for start in range(0, len(columns), COLUMNS_A_QUERY):
        chunk = columns[start : start + COLUMNS_A_QUERY]
        for person_id, *values in db.session.execute(_wide(people, chunk)):
            for place in range(len(chunk)):
                said, number, due_at = values[3 * place : 3 * place + 3]
                if said:
                    state = dated(_NAMED[said], due_at, moment)
                    found[start + place][person_id] = Cell(state, number, due_at)
    return found


def _wide(people: Select[tuple[int]], columns: Sequence[TeamColumn]) -> Select[Any]:
    joined: Any = Person.__table__
    shown: list[Any] = [Person.id]
    for place, column in enumerate(columns):
        cells = column.cells(people).subquery(f"c{place}")
        person_id, state, number, due_at = cells.c
        joined = joined.outerjoin(cells, person_id == Person.id)
        shown += [
            type_coerce(state, String).label(f"state{place}"),
            number.label(f"number{place}"),
            type_coerce(due_at, UtcDateTime).label(f"due{place}"),
        ]
    return select(*shown).select_from(joined).where(Person.id.in_(people))

"""The states of everybody in a scope, in a number of queries that does not depend on how many.

Columns are packed into one integer for each person, three bits a column: those whose class reads
them `together` by one pass over all their rows, up to twenty a query; others joined to the people
of the scope, up to eight a query. For 10,000 people and 20 columns that brings 10,000 to 30,000
small rows instead of 200,000 wide ones, and words are only made for the page that is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    String,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
)

from lms.db import UtcDateTime, db
from lms.people.models import Person
from lms.plugin import CellState, TeamColumn
from lms.teams.columns import BITS, OPEN_FROM, RANKS, STATES, ranks_in

# SQLite joins 64 tables at most, and a column may bring several; PostgreSQL plans eight well.
COLUMNS_A_QUERY = 8
TOGETHER_A_QUERY = 20  # three bits each have to fit a 64-bit integer with a sign
_FAR = "9999"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one column says of one person; see `lms.plugin.TeamColumn.cells`."""

    state: CellState
    number: int | None = None
    due_at: Any = None


CERTIFICATE = (CellState.MET, CellState.NOT_MET)
STATE_NAMED = {str(state): state for state in CellState}
NOTHING = Cell(CellState.NONE)


class Roster:
    """The states of all people of a scope. Sort keys of due dates are opaque, and only compare."""

    def __init__(
        self,
        scope: Select[tuple[int]],
        columns: Sequence[TeamColumn],
        people: Iterable[int] | None = None,
    ) -> None:
        """Read the states. people: whom of `scope` it is about; None: everybody, and asks for them.

        Whom no column knows is there as well, with nothing asked of them.
        """
        self.columns = list(columns)
        self.packed: dict[int, int] = {}  # states of each person, three bits a column
        self.due: dict[int, Any] = {}
        start = 0
        for columns in _in_groups(self.columns):
            self._read(scope, start, columns)
            start += len(columns)
        packed = self.packed
        wanted = db.session.scalars(scope) if people is None else people
        self.packed = {person_id: packed.get(person_id, 0) for person_id in wanted}

    def _read(self, scope: Select[tuple[int]], start: int, columns: list[TeamColumn]) -> None:
        together = getattr(type(columns[0]), "together", None)
        wanted = (
            _packed(scope, columns)
            if together is None
            else _packed_together(together(columns, scope))
        )
        rows = db.session.execute(wanted).all()
        if not self.packed:
            self.packed = {person_id: states << BITS * start for person_id, states, _due in rows}
            self.due = {person_id: due for person_id, _states, due in rows if due is not None}
            return
        packed, dues, shift = self.packed, self.due, BITS * start
        for person_id, states, due in rows:
            if states:
                packed[person_id] = packed.get(person_id, 0) + (states << shift)
                if due is not None and (person_id not in dues or due < dues[person_id]):
                    dues[person_id] = due

    @cached_property
    def _ranks(self) -> dict[int, bytes]:
        count = len(self.columns)
        return {person_id: ranks_in(packed, count) for person_id, packed in self.packed.items()}

    @cached_property
    def _worst(self) -> dict[int, int]:
        if not self.columns:
            return dict.fromkeys(self.packed, 0)
        return {person_id: max(ranks) for person_id, ranks in self._ranks.items()}

    def ranks(self, person_id: int) -> bytes:
        """Return the person's rank in every column, in their order."""
        return self._ranks[person_id]

    def worst(self, person_id: int) -> int:
        """Return the highest rank of a person: what a manager has to know first."""
        return self._worst[person_id]

    def counts(self) -> Counter[int]:
        """Return how many people have each worst rank."""
        return Counter(self._worst.values())

    def count_having(self, rank: int) -> int:
        """Return how many people have that rank in any column."""
        return sum(rank in ranks for ranks in self._ranks.values())

    def counts_by_column(self) -> list[Counter[int]]:
        """Return, for each column, how many people have each rank in it."""
        count = len(self.columns)
        everybody = b"".join(self._ranks.values())
        columns = (everybody[place::count] for place in range(count))
        return [
            Counter({rank: found for rank in STATES if (found := one.count(rank))})
            for one in columns
        ]


def _in_groups(columns: Sequence[TeamColumn]) -> Iterator[list[TeamColumn]]:
    """Yield the columns in their order, as many at once as one query reads."""
    for kind, found in groupby(columns, key=_read_with):
        alike = list(found)
        size = COLUMNS_A_QUERY if kind is None else TOGETHER_A_QUERY
        for start in range(0, len(alike), size):
            yield alike[start : start + size]


def _read_with(column: TeamColumn) -> type[TeamColumn] | None:
    kind = type(column)
    return kind if hasattr(kind, "together") else None


def _packed_together(cells: Select[Any]) -> Select[Any]:
    """Pack the rows of `TeamColumn.together`: (person_id, states, earliest open due date).

    Each person and column have one row at most, so that adding the shifted ranks packs them.
    """
    person_id, place, state, due_at = cells.subquery("cells").c
    # What most people are comes first: the database compares in this order, row by row.
    often = sorted(RANKS, key=lambda one: one in CERTIFICATE)
    rank = case({str(one): RANKS[one] for one in often if RANKS[one]}, value=state, else_=0)
    shifted = cast(rank, BigInteger).bitwise_lshift(cast(place * BITS, Integer))
    first_due = func.min(_comparable(due_at))
    return select(person_id, cast(func.sum(shifted), BigInteger), first_due).group_by(person_id)


def _packed(scope: Select[tuple[int]], columns: Sequence[TeamColumn]) -> Select[Any]:
    joined: Any = Person
    packed: ColumnElement[int] = literal(0)
    dues: list[ColumnElement[Any]] = []
    ranks = {str(state): rank for state, rank in RANKS.items() if rank}
    for place, column in enumerate(columns):
        cells = column.cells(scope).subquery(f"c{place}")
        person_id, state, _number, due_at = cells.c
        rank = func.coalesce(case(ranks, value=state, else_=0), 0)
        joined = _outer_join(joined, cells, person_id)
        packed = packed + rank * (1 << BITS * place)
        dues.append(case((rank >= OPEN_FROM, _comparable(due_at)), else_=None))
    return (
        select(Person.id, packed, _earliest(dues)).select_from(joined).where(Person.id.in_(scope))
    )


def _outer_join(left: Any, cells: Any, person_id: Any) -> Any:
    table = Person.__table__ if left is Person else left
    return table.outerjoin(cells, person_id == Person.id)


def _on_sqlite() -> bool:
    return bool(db.engine.dialect.name == "sqlite")


def _comparable(due_at: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the due date as something to compare, not to read: no date is parsed for it."""
    if _on_sqlite():
        return type_coerce(due_at, String)
    return cast(due_at, DateTime(timezone=True))


def _earliest(dues: list[ColumnElement[Any]]) -> ColumnElement[Any]:
    if not _on_sqlite():
        return func.least(*dues)
    if len(dues) == 1:
        return dues[0]
    first = func.min(*(func.coalesce(due, _FAR) for due in dues))
    return type_coerce(func.nullif(first, _FAR), String)


def read_cells(people: Select[tuple[int]], columns: Sequence[TeamColumn]) -> list[dict[int, Cell]]:
    """Return, for each column, the cells of `people` in full; eight columns a query."""
    found: list[dict[int, Cell]] = [{} for _column in columns]
    for start in range(0, len(columns), COLUMNS_A_QUERY):
        chunk = columns[start : start + COLUMNS_A_QUERY]
        for person_id, *values in db.session.execute(_wide(people, chunk)):
            for place in range(len(chunk)):
                said, number, due_at = values[3 * place : 3 * place + 3]
                if said:
                    found[start + place][person_id] = Cell(STATE_NAMED[said], number, due_at)
    return found


def _wide(people: Select[tuple[int]], columns: Sequence[TeamColumn]) -> Select[Any]:
    joined: Any = Person
    shown: list[Any] = [Person.id]
    for place, column in enumerate(columns):
        cells = column.cells(people).subquery(f"c{place}")
        person_id, state, number, due_at = cells.c
        joined = _outer_join(joined, cells, person_id)
        shown += [
            type_coerce(state, String).label(f"state{place}"),
            number.label(f"number{place}"),
            type_coerce(due_at, UtcDateTime).label(f"due{place}"),
        ]
    return select(*shown).select_from(joined).where(Person.id.in_(people))

"""Who is in a scope, and where they stand today: one page of SQL over what is kept.

Each statement is built once for each shape of question, with bound parameters for what is asked;
what is open becomes due or overdue when it is read, just as `lms.teams.rules.dated` has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, select
from sqlalchemy.orm import aliased

from lms import clock
from lms.db import UtcDateTime, db
from lms.people import tree
from lms.people.models import Identity, Person
from lms.people.search import bounds, has_word, prefixes
from lms.plugin import CellState
from lms.teams.models import Standing, Summary
from lms.teams.query import BY_DUE, BY_NAME, BY_NEED, FINE, HELD, Scope, TeamQuery
from lms.teams.rules import ACHIEVED, DUE_SOON, OPEN, RANKS
from lms.teams.rules import FINE as FINE_STATES

SMALL = 500  # people: up to here each is asked which columns show something

_MOMENT = bindparam("moment", type_=UtcDateTime)
_SOON = bindparam("soon", type_=UtcDateTime)
_LEADER = bindparam("leader", type_=Person.id.type)
_COLUMN = bindparam("column", type_=Standing.column_id.type)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose people are asked for: of the leader with this id, or of everybody."""

    scope: Scope
    leader_id: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How many people of one unit come to the same; `held`: how many of them hold a certificate."""

    unit_id: int | None
    rank: int
    people: int
    held: int


def moments() -> dict[str, Any]:
    """Return what makes an open state due or overdue today."""
    moment = clock.now()
    return {"moment": moment, "soon": moment + DUE_SOON}


def _today(rank: Any, due_at: Any) -> ColumnElement[int]:
    """The SQL twin of `lms.teams.rules.dated`, over ranks."""
    is_open = rank.in_(sorted(RANKS[state] for state in OPEN))
    overdue, due = RANKS[CellState.OVERDUE], RANKS[CellState.DUE]
    return case(
        (and_(is_open, due_at < _MOMENT), overdue),
        (and_(is_open, due_at < _SOON, rank < overdue), due),
        else_=func.coalesce(rank, 0),
    )


_OVERALL = _today(Summary.rank, Summary.due_at)


def _in_scope(built: Select[Any], scope: Scope) -> Select[Any]:
    """Narrow a select over people to those of a scope."""
    built = built.where(Person.active)
    if scope == Scope.EVERYONE:
        return built
    built = built.where(Person.id != _LEADER)
    if scope == Scope.DIRECT:
        return built.where(Person.manager_id == _LEADER)
    rows = tree.descent(_LEADER)
    return built.join(rows, rows.c.id == Person.id)


@lru_cache(maxsize=8)
def _totals(scope: Scope) -> Select[Any]:
    built = (
        select(
            Person.unit_id,
            _OVERALL.label("overall"),
            func.count(),
            func.count().filter(Summary.held > 0),
        )
        .select_from(Person)
        .outerjoin(Summary, Summary.person_id == Person.id)
        .group_by(Person.unit_id, "overall")
    )
    return _in_scope(built, scope)


def totals(asked: Asked) -> list[Counted]:
    """Return how many people come to what, by unit; one query."""
    rows = db.session.execute(_totals(asked.scope), {"leader": asked.leader_id, **moments()})
    return [Counted(*row) for row in rows]


@lru_cache(maxsize=16)
def _shown(scope: Scope, small: bool) -> Select[Any]:
    if small:
        people = _in_scope(select(Person.id), scope)
        return select(Standing.column_id).where(Standing.person_id.in_(people)).distinct()
    one = _in_scope(select(Person.id).join(Standing, Standing.person_id == Person.id), scope).where(
        Standing.column_id == _COLUMN
    )
    return select(one.exists())


def shown_columns(asked: Asked, people: int, column_ids: list[int]) -> set[int]:
    """Return the ids of the columns that show something of anybody in the scope.

    people: how many there are in it. Of a large scope each column is asked for its first person.
    """
    values = {"leader": asked.leader_id}
    if people <= SMALL:
        return set(db.session.scalars(_shown(asked.scope, True), values))
    statement = _shown(asked.scope, False)
    return {one for one in column_ids if db.session.scalar(statement, {**values, "column": one})}


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a question decides how its statement is built; the rest are bound values."""

    scope: Scope
    state: str
    item: bool
    unit: bool
    words: int
    sort: str  # need | name | due | item, with a minus before it: the other way round


def shape_of(asked: Asked, query: TeamQuery) -> Shape:
    """Return the shape of a question."""
    backwards = "-" if query.sort.startswith("-") else ""
    key = query.sort.removeprefix("-")
    return Shape(
        scope=asked.scope,
        state=query.state,
        item=bool(query.item),
        unit=bool(query.unit),
        words=len(prefixes(query.search)),
        sort=backwards + (key if key in {BY_NEED, BY_NAME, BY_DUE} else "item"),
    )


def values_of(asked: Asked, query: TeamQuery, column_ids: Mapping[str, int]) -> dict[str, Any]:
    """Return the values that a question's statement wants. column_ids: by slug."""
    values: dict[str, Any] = {
        "leader": asked.leader_id,
        "column": column_ids.get(query.item, 0),
        "sort_column": column_ids.get(query.sort.removeprefix("-"), 0),
        "unit": query.unit,
        **moments(),
    }
    for place, prefix in enumerate(prefixes(query.search)):
        values |= bounds(prefix, place)
    return values


@lru_cache(maxsize=512)
def page_statement(shape: Shape) -> Select[Any]:
    """Return a select of (id, uid, name, rank, due_at, achieved) of everybody who passes every
    filter, in the order asked for: `most` of them, after the first `before`.
    """
    built = _chosen(
        select(
            Person.id,
            Person.uid,
            Identity.display_name,
            _OVERALL.label("overall"),
            Summary.due_at,
            func.coalesce(Summary.achieved, 0),
        ),
        shape,
    )
    return _ordered(built, shape.sort).limit(bindparam("most")).offset(bindparam("before"))


@lru_cache(maxsize=512)
def count_statement(shape: Shape) -> Select[Any]:
    """Return a select of how many pass every filter."""
    return _chosen(select(func.count()), shape)


def _chosen(built: Select[Any], shape: Shape) -> Select[Any]:
    built = _in_scope(
        built.select_from(Person)
        .outerjoin(Identity, Identity.person_id == Person.id)
        .outerjoin(Summary, Summary.person_id == Person.id),
        shape.scope,
    )
    for place in range(shape.words):
        built = built.where(has_word(place))
    if shape.unit:
        built = built.where(Person.unit_id.in_(tree.units_named(bindparam("unit"))))
    if shape.item:
        of_item = and_(Standing.person_id == Person.id, Standing.column_id == _COLUMN)
        built = built.join(Standing, of_item)
    if shape.state:
        built = built.where(_fits(shape.state, shape.item))
    return built


def _fits(state: str, item: bool) -> ColumnElement[bool]:
    """Whether somebody is in a state: on the whole or, with `item`, in that column."""
    if state == HELD:
        return Summary.held > 0
    today = _today(Standing.rank, Standing.due_at) if item else _OVERALL
    if state == FINE:
        wanted = FINE_STATES | ACHIEVED if item else FINE_STATES
    elif state == CellState.DONE:
        wanted = ACHIEVED if item else frozenset({CellState.DONE})
    else:
        wanted = frozenset({CellState(state)})
    return today.in_(sorted(RANKS[one] for one in wanted))


def _ordered(built: Select[Any], sort: str) -> Select[Any]:
    key, backwards = sort.removeprefix("-"), sort.startswith("-")
    by_name: list[Any] = [Identity.sort_name, Person.id]
    by_due: list[Any] = [Summary.due_at.is_(None), Summary.due_at]
    if key == BY_NAME:
        return built.order_by(*(one.desc() if backwards else one for one in by_name))
    if key == BY_DUE:
        late_first = Summary.due_at.desc() if backwards else Summary.due_at
        return built.order_by(Summary.due_at.is_(None), late_first, *by_name)
    if key == BY_NEED:
        return built.order_by(_OVERALL if backwards else _OVERALL.desc(), *by_due, *by_name)
    other = aliased(Standing)
    today = func.coalesce(_today(other.rank, other.due_at), 0)
    return built.outerjoin(
        other,
        and_(other.person_id == Person.id, other.column_id == bindparam("sort_column")),
    ).order_by(today if backwards else today.desc(), *by_name)

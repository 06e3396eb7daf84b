"""Who is in a scope, and where they stand today: one page of SQL over what is kept.

Each statement is built once for each shape of question, with bound parameters for what is asked;
what is open becomes due or overdue when it is read, just as `lms.teams.rules.dated` has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    CursorResult,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    null,
    select,
    union_all,
)

from lms import clock
from lms.db import UtcDateTime, db
from lms.people.models import Identity, Person, Unit
from lms.people.search import bounds, has_word, prefixes
from lms.plugin import CellState
from lms.teams.models import Column, Standing, Summary
from lms.teams.query import BY_DUE, BY_NAME, BY_NEED, FINE, HELD, Scope, TeamQuery
from lms.teams.rules import ACHIEVED, DUE_SOON, OPEN, RANKS
from lms.teams.rules import FINE as FINE_STATES

# Tables, not classes: the ORM has nothing to add here, and would double what a query costs.
person: Any = Person.__table__
identity: Any = Identity.__table__
unit: Any = Unit.__table__
column: Any = Column.__table__
standing: Any = Standing.__table__
summary: Any = Summary.__table__

_MOMENT = bindparam("moment", type_=UtcDateTime)
_SOON = bindparam("soon", type_=UtcDateTime)
_LEADER = bindparam("leader", type_=Integer)
_COLUMN = bindparam("column", type_=Integer)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose people are asked for: of the leader with this id, or of everybody."""

    scope: Scope
    leader_id: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How many people of one unit come to the same; `held`: how many of them hold a certificate."""

    unit_uid: str | None
    unit_name: str | None
    rank: int
    people: int
    held: int


def run(
    statement: Select[Any] | CompoundSelect[Any], values: Mapping[str, Any]
) -> CursorResult[Any]:
    """Run a statement of this module."""
    return db.session.connection().execute(statement, values)


def _today(rank: Any, due_at: Any) -> ColumnElement[int]:
    """The SQL twin of `lms.teams.rules.dated`, over ranks."""
    is_open = rank.in_(sorted(RANKS[state] for state in OPEN))
    overdue, due = RANKS[CellState.OVERDUE], RANKS[CellState.DUE]
    return case(
        (and_(is_open, due_at < _MOMENT), overdue),
        (and_(is_open, due_at < _SOON, rank < overdue), due),
        else_=func.coalesce(rank, 0),
    )


_OVERALL = _today(summary.c.rank, summary.c.due_at)


def _in_scope(built: Select[Any], scope: Scope) -> Select[Any]:
    """Narrow a select over people to those of a scope."""
    built = built.where(person.c.active)
    if scope == Scope.EVERYONE:
        return built
    built = built.where(person.c.id != _LEADER)
    if scope == Scope.DIRECT:
        return built.where(person.c.manager_id == _LEADER)
    return built.where(person.c.id.in_(select(_BELOW.c.id)))


def _below() -> CTE:
    """Everybody below the leader. UNION ends even where a circle slipped into the data."""
    first = select(person.c.id).where(person.c.manager_id == _LEADER).cte("below", recursive=True)
    report = person.alias("report")
    return first.union(select(report.c.id).where(report.c.manager_id == first.c.id))


_BELOW = _below()


@dataclass(frozen=True, slots=True)
class KeptColumn:
    """A column as it is kept. building: a job has not yet asked it about everybody; shown: it
    says something of somebody in the scope.
    """

    id: int
    building: bool
    shown: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known of a scope as a whole: units in the order of their names, columns by slug."""

    counted: list[Counted]
    columns: dict[str, KeptColumn]


def overview(asked: Asked) -> Overview:
    """Return how many people come to what, and which columns there are to show; one query."""
    found = Overview([], {})
    for is_column, key, name, *numbers in run(
        _overview(asked.scope), {"leader": asked.leader_id, **moments()}
    ):
        if is_column:
            column_id, is_building, is_shown = numbers
            found.columns[key] = KeptColumn(column_id, bool(is_building), bool(is_shown))
        else:
            found.counted.append(Counted(key, name, *numbers))
    found.counted.sort(key=lambda one: one.unit_name or "")
    return found


@lru_cache(maxsize=8)
def _overview(scope: Scope) -> CompoundSelect[Any]:
    """Both in one statement, so that the people of the scope are looked up once."""
    counted = _in_scope(
        select(
            person.c.unit_id,
            _OVERALL.label("overall"),
            func.count().label("people"),
            func.count().filter(summary.c.held > 0).label("held"),
        ).select_from(person.outerjoin(summary, summary.c.person_id == person.c.id)),
        scope,
    )
    groups = counted.group_by(person.c.unit_id, "overall").subquery("counted")
    totals = select(
        literal(0), unit.c.uid, unit.c.name, groups.c.overall, groups.c.people, groups.c.held
    ).select_from(groups.outerjoin(unit, unit.c.id == groups.c.unit_id))
    # One inside the other, so that people are walked until the first who has something.
    has_it = (
        select(standing.c.rank)
        .where(standing.c.person_id == person.c.id, standing.c.column_id == column.c.id)
        .correlate(person, column)
        .exists()
    )
    somebody = _in_scope(select(person.c.id).where(has_it), scope).correlate(column).exists()
    columns = select(
        literal(1),
        column.c.slug,
        null(),
        column.c.id,
        case((column.c.built_at.is_(None), 1), else_=0),
        case((somebody, 1), else_=0),
    )
    return union_all(totals, columns)


def moments() -> dict[str, Any]:
    """Return what makes an open state due or overdue today."""
    moment = clock.now()
    return {"moment": moment, "soon": moment + DUE_SOON}


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


def values_of(asked: Asked, query: TeamQuery, kept: Mapping[str, KeptColumn]) -> dict[str, Any]:
    """Return the values that a question's statement wants."""

    def id_of(slug: str) -> int:
        return kept[slug].id if slug in kept else 0

    values: dict[str, Any] = {
        "leader": asked.leader_id,
        "column": id_of(query.item),
        "sort_column": id_of(query.sort.removeprefix("-")),
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
            person.c.id,
            person.c.uid,
            identity.c.display_name,
            _OVERALL.label("overall"),
            summary.c.due_at,
            func.coalesce(summary.c.achieved, 0),
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
        built.select_from(person)
        .outerjoin(identity, identity.c.person_id == person.c.id)
        .outerjoin(summary, summary.c.person_id == person.c.id),
        shape.scope,
    )
    for place in range(shape.words):
        built = built.where(has_word(place))
    if shape.unit:
        built = built.where(person.c.unit_id.in_(_units_inside()))
    if shape.item:
        of_item = and_(standing.c.person_id == person.c.id, standing.c.column_id == _COLUMN)
        built = built.join(standing, of_item)
    if shape.state:
        built = built.where(_fits(shape.state, shape.item))
    return built


def _units_inside() -> Select[Any]:
    """The unit that is named, and every unit inside it."""
    first = select(unit.c.id).where(unit.c.uid == bindparam("unit")).cte("units", recursive=True)
    part = unit.alias("part")
    rows = first.union(select(part.c.id).where(part.c.parent_id == first.c.id))
    return select(rows.c.id)


def _fits(state: str, item: bool) -> ColumnElement[bool]:
    """Whether somebody is in a state: on the whole or, with `item`, in that column."""
    if state == HELD:
        held: ColumnElement[bool] = summary.c.held > 0
        return held
    today: ColumnElement[int] = _today(standing.c.rank, standing.c.due_at) if item else _OVERALL
    if state == FINE:
        wanted = FINE_STATES | ACHIEVED if item else FINE_STATES
    elif state == CellState.DONE:
        wanted = ACHIEVED if item else frozenset({CellState.DONE})
    else:
        wanted = frozenset({CellState(state)})
    return today.in_(sorted(RANKS[one] for one in wanted))


def _ordered(built: Select[Any], sort: str) -> Select[Any]:
    key, backwards = sort.removeprefix("-"), sort.startswith("-")
    by_name: list[Any] = [identity.c.sort_name, person.c.id]
    by_due: list[Any] = [summary.c.due_at.is_(None), summary.c.due_at]
    if key == BY_NAME:
        return built.order_by(*(one.desc() if backwards else one for one in by_name))
    if key == BY_DUE:
        late_first = summary.c.due_at.desc() if backwards else summary.c.due_at
        return built.order_by(summary.c.due_at.is_(None), late_first, *by_name)
    if key == BY_NEED:
        return built.order_by(_OVERALL if backwards else _OVERALL.desc(), *by_due, *by_name)
    other = standing.alias("other")
    today = func.coalesce(_today(other.c.rank, other.c.due_at), 0)
    return built.outerjoin(
        other,
        and_(other.c.person_id == person.c.id, other.c.column_id == bindparam("sort_column")),
    ).order_by(today if backwards else today.desc(), *by_name)

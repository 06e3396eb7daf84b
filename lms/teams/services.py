"""The manager's page: who is done, on track, due, overdue, by person and required item."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import select

from lms.db import db
from lms.notices.services import sent_keys
from lms.people import tree
from lms.people.models import Person
from lms.people.names import display_names, removed_name
from lms.plugin import CellState, TeamColumn
from lms.teams import rules, selection
from lms.teams.cells import NOTHING, Cell, kept_cells
from lms.teams.nudges import nudge_key, thanks_key
from lms.teams.query import Scope, TeamQuery
from lms.teams.rules import Act
from lms.teams.selection import Asked, Counted, KeptColumn

PAGE_ROWS = 25


@dataclass(frozen=True, slots=True)
class Row:
    """One person with the cells of every shown column."""

    uid: str
    name: str
    overall: CellState
    cells: list[Cell]
    next_due: dt.datetime | None
    act: Act = Act.NOTHING
    done: bool = False  # the act was done already: nudged today, thanked for what is achieved


@dataclass(frozen=True, slots=True)
class TeamPage:
    """All that the manager's page shows."""

    query: TeamQuery
    scopes: list[Scope]
    columns: list[TeamColumn]
    rows: list[Row]
    counts: Counter[CellState]  # people of the scope by what their states come to
    holders: int | None  # how many hold a certificate; None where none is offered
    building: bool  # not all is counted yet
    leader: str = ""  # the name of whoever's people these are, where they are not the viewer's
    units: list[tuple[str, str]] = field(default_factory=list)
    matches: int = 0
    pages: int = 1

    @property
    def people(self) -> int:
        """How many people are in the scope."""
        return self.counts.total()

    @property
    def asked(self) -> int:
        """How many of them something is asked of."""
        return self.people - self.counts[CellState.NONE]

    @property
    def overdue(self) -> int:
        """How many have something overdue."""
        return self.counts[CellState.OVERDUE]

    @property
    def due(self) -> int:
        """How many have something due within a week, and nothing overdue."""
        return self.counts[CellState.DUE]

    @property
    def fine(self) -> int:
        """How many are on track or done."""
        return sum(self.counts[state] for state in rules.FINE)


def scopes_of(viewer: Person) -> list[Scope]:
    """Return the scopes that a person may ask for, the first is shown unasked."""
    found = [Scope.DIRECT, Scope.BELOW] if viewer.is_manager else []
    return [*found, Scope.EVERYONE] if viewer.is_administrator else found


def scopes_for(viewer: Person, wish: Mapping[str, str]) -> list[Scope]:
    """Return the scopes that fit a wish: of the people of somebody below, direct or all."""
    if _leader_of(viewer, wish.get("leader", "")) is not None:
        return [Scope.BELOW, Scope.DIRECT]
    return scopes_of(viewer)


def find_leader(viewer: Person, query: TeamQuery) -> Person | None:
    """Return whose people are asked for: somebody below the viewer; None: the viewer's own."""
    return _leader_of(viewer, query.leader)


def _leader_of(viewer: Person, uid: str) -> Person | None:
    if not uid:
        return None
    found = db.session.scalar(select(Person).where(Person.uid == uid))
    if found is None or not (viewer.is_administrator or tree.is_above(viewer, found)):
        return None
    return found


def count_people(counted: Sequence[Counted]) -> Counter[CellState]:
    """Return how many people come to each state."""
    found: Counter[CellState] = Counter()
    for one in counted:
        found[rules.STATES[one.rank]] += one.people
    return found


def build_page(viewer: Person, query: TeamQuery, columns: Sequence[TeamColumn]) -> TeamPage:
    """Return one page of the table, with the numbers of the whole scope.

    columns: those of the table.
    """
    leader = find_leader(viewer, query)
    asked = Asked(query.scope, (leader or viewer).id)
    whole = selection.overview(asked)
    counted, kept = whole.counted, whole.columns
    counts = count_people(counted)
    visible = visible_columns(columns, kept)
    shape = selection.shape_of(asked, query)
    values = selection.values_of(asked, query, kept)
    matches = counts.total()
    if query.filtered:
        matches = selection.run(selection.count_statement(shape), values).scalar_one()
    pages = max(1, -(-matches // PAGE_ROWS))
    page = min(query.page, pages)
    values |= {"most": PAGE_ROWS, "before": (page - 1) * PAGE_ROWS}
    people = selection.run(selection.page_statement(shape), values).all()
    return TeamPage(
        query=query.changed(page=page, leader=leader.uid if leader else ""),
        scopes=scopes_of(viewer) if leader is None else [Scope.DIRECT, Scope.BELOW],
        leader=display_names([leader.id]).get(leader.id, removed_name()) if leader else "",
        columns=visible,
        rows=_rows(people, visible, viewer),
        counts=counts,
        holders=_holders(counted, visible),
        building=any(one.slug not in kept or kept[one.slug].building for one in columns),
        units=list({(one.unit_uid, one.unit_name or ""): None for one in counted if one.unit_uid}),
        matches=matches,
        pages=pages,
    )


def visible_columns(
    columns: Sequence[TeamColumn], kept: Mapping[str, KeptColumn]
) -> list[TeamColumn]:
    """Return the columns that show something of anybody in the scope."""
    return [one for one in columns if one.slug in kept and kept[one.slug].shown]


def _holders(counted: Sequence[Counted], visible: Sequence[TeamColumn]) -> int | None:
    held = sum(one.held for one in counted)
    offered = any(getattr(column, "earned", False) for column in visible)
    return held if held or offered else None


def _rows(
    people: Sequence[SqlRow[Any]], visible: Sequence[TeamColumn], viewer: Person
) -> list[Row]:
    cells = kept_cells([one[0] for one in people])
    acts = acts_for(viewer, [(one[0], rules.STATES[one[3]], one[5]) for one in people])
    return [
        as_row(one, visible, cells.get(one[0], {}), *act)
        for one, act in zip(people, acts, strict=True)
    ]


def as_row(
    person: SqlRow[Any],
    visible: Sequence[TeamColumn],
    cells: Mapping[str, Cell],
    act: Act = Act.NOTHING,
    done: bool = False,
) -> Row:
    """Return a person's row. person: of `selection.page_statement`; cells: by slug."""
    _id, uid, name, rank, due_at, _achieved = person
    own = [cells.get(column.slug, NOTHING) for column in visible]
    return Row(uid, name or removed_name(), rules.STATES[rank], own, due_at, act, done)


def acts_for(
    viewer: Person, people: Sequence[tuple[int, CellState, int]]
) -> list[tuple[Act, bool]]:
    """Return what the manager can do for each, and whether that was done: one query.

    people: (id, what their states come to, how many are done or held).
    """
    acts = [rules.act_of(overall, achieved) for _id, overall, achieved in people]
    keys = [
        {Act.NUDGE: nudge_key(one), Act.THANK: thanks_key(viewer.id, one, achieved)}.get(act, "")
        for act, (one, _overall, achieved) in zip(acts, people, strict=True)
    ]
    told = sent_keys([key for key in keys if key])
    return [(act, key in told) for act, key in zip(acts, keys, strict=True)]

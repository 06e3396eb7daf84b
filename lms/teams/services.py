"""The manager's page: who is done, on track, due, overdue, by person and required item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Select, func, select

from lms.db import db
from lms.notices.services import sent_keys
from lms.people import tree
from lms.people.models import Identity, Person, Unit
from lms.people.names import display_names, removed_name
from lms.plugin import CellState, TeamColumn
from lms.teams.columns import OPEN_FROM, RANKS, all_columns, table_columns
from lms.teams.nudges import nudge_key, thanks_key
from lms.teams.query import BY_DUE, BY_NAME, FINE, HELD, Scope, TeamQuery
from lms.teams.roster import NOTHING, Cell, Roster, read_cells

PAGE_ROWS = 25
LARGE_PART = 4  # a scope of at least one in four of all people is read as everybody
FINE_RANKS = frozenset(
    RANKS[state] for state in (CellState.MET, CellState.NOT_MET, CellState.DONE, CellState.ON_TRACK)
)
MET_RANK = RANKS[CellState.MET]
ACHIEVED = frozenset({RANKS[CellState.DONE], RANKS[CellState.MET]})
DONE_RANKS = frozenset(RANKS[state] for state in (CellState.MET, CellState.NOT_MET, CellState.DONE))


@dataclass(frozen=True, slots=True)
class Row:
    """One person with the cells of every shown column."""

    uid: str
    name: str
    cells: list[Cell]
    next_due: Any
    act: str = ""  # nudge | nudged | thank | thanked | fine


@dataclass(frozen=True, slots=True)
class TeamPage:
    """All that the manager's page shows."""

    query: TeamQuery
    scopes: list[Scope]
    columns: list[TeamColumn]
    rows: list[Row]
    counts: Counter[int]  # people of the scope by their worst rank
    holders: int | None  # how many hold a certificate; None where none is offered
    leader: str = ""  # the name of whoever's people these are, where they are not the viewer's
    units: list[tuple[str, str]] = field(default_factory=list)
    matches: int = 0
    pages: int = 1

    @property
    def people(self) -> int:
        """How many people are in the scope."""
        return sum(self.counts.values())

    @property
    def asked(self) -> int:
        """How many of them something is asked of."""
        return self.people - self.counts[RANKS[CellState.NONE]]

    @property
    def overdue(self) -> int:
        """How many have something overdue."""
        return self.counts[RANKS[CellState.OVERDUE]]

    @property
    def due(self) -> int:
        """How many have something due within a week, and nothing overdue."""
        return self.counts[RANKS[CellState.DUE]]

    @property
    def fine(self) -> int:
        """How many are on track or done."""
        return sum(self.counts[rank] for rank in FINE_RANKS)


def scopes_of(viewer: Person) -> list[Scope]:
    """Return the scopes that a person may ask for, the first is shown unasked."""
    found = [Scope.DIRECT, Scope.BELOW] if viewer.is_manager else []
    return [*found, Scope.EVERYONE] if viewer.is_administrator else found


def scopes_for(viewer: Person, wish: Mapping[str, str]) -> list[Scope]:
    """Return the scopes that fit a wish: of the people of somebody below, direct or all."""
    if _leader_of(viewer, wish.get("leader", "")) is not None:
        return [Scope.BELOW, Scope.DIRECT]
    return scopes_of(viewer)


def people_of(viewer: Person, scope: Scope) -> Select[tuple[int]]:
    """Return a select of the ids of the people in a scope."""
    if scope == Scope.EVERYONE:
        return select(Person.id).where(Person.active)
    return tree.below(viewer.id, direct=scope == Scope.DIRECT)


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


def _people_asked(viewer: Person, leader: Person | None, scope: Scope) -> Select[tuple[int]]:
    if leader is None:
        return people_of(viewer, scope)
    return tree.below(leader.id, direct=scope == Scope.DIRECT)


def build_page(viewer: Person, query: TeamQuery) -> TeamPage:
    """Return one page of the table, with the numbers of the whole scope."""
    leader = find_leader(viewer, query)
    scope = _people_asked(viewer, leader, query.scope)
    places = _in_order(scope)
    order = list(places)
    roster = _roster(scope, order)
    columns = roster.columns
    by_column = roster.counts_by_column()
    found = _matching(order, query, roster)
    pages = max(1, -(-len(found) // PAGE_ROWS))
    start = (min(query.page, pages) - 1) * PAGE_ROWS
    shown_people = found[start : start + PAGE_ROWS]
    shown = [place for place, counts in enumerate(by_column) if set(counts) - {0}]
    visible = [columns[place] for place in shown]
    return TeamPage(
        query=query.changed(page=min(query.page, pages), leader=leader.uid if leader else ""),
        scopes=scopes_of(viewer) if leader is None else [Scope.DIRECT, Scope.BELOW],
        leader=display_names([leader.id]).get(leader.id, removed_name()) if leader else "",
        columns=visible,
        rows=[
            replace(row, act=act)
            for row, act in zip(
                read_rows(
                    shown_people, visible, select(Person.id).where(Person.id.in_(shown_people))
                ),
                acts_for(shown_people, roster, viewer),
                strict=True,
            )
        ],
        counts=roster.counts(),
        holders=roster.count_having(MET_RANK) if _offers_certificates(by_column) else None,
        units=_units(set(places.values())),
        matches=len(found),
        pages=pages,
    )


def _offers_certificates(by_column: list[Counter[int]]) -> bool:
    return any(counts[MET_RANK] or counts[RANKS[CellState.NOT_MET]] for counts in by_column)


def everybody_matching(viewer: Person, query: TeamQuery) -> tuple[list[TeamColumn], list[Row]]:
    """Return all rows of all pages, in the order of the page: what the CSV holds."""
    scope = _people_asked(viewer, find_leader(viewer, query), query.scope)
    order = list(_in_order(scope))
    roster = _roster(scope, order)
    visible = [
        column
        for column, counts in zip(roster.columns, roster.counts_by_column(), strict=True)
        if set(counts) - {0}
    ]
    return visible, read_rows(_matching(order, query, roster), visible, scope)


def _in_order(scope: Select[tuple[int]]) -> dict[int, int | None]:
    """Return the ids of a scope in the order of their names, each with the id of its unit."""
    rows = db.session.execute(
        select(Person.id, Person.unit_id)
        .outerjoin(Identity, Identity.person_id == Person.id)
        .where(Person.id.in_(scope))
        .order_by(Identity.sort_name, Person.id)
    )
    return {row[0]: row[1] for row in rows}


def _roster(scope: Select[tuple[int]], order: list[int]) -> Roster:
    """Read the states of a scope; of everybody at once where the scope is much of the company.

    Each column asks "is this one of the people?" for every row it has. For a large scope it is
    cheaper to answer yes for all, and to leave out the others here.
    """
    columns = table_columns(all_columns())
    total = db.session.scalar(select(func.count()).select_from(Person)) or 0
    large = len(order) * LARGE_PART >= total
    return Roster(select(Person.id) if large else scope, columns, order)


def _matching(order: list[int], query: TeamQuery, roster: Roster) -> list[int]:
    """Return the ids of the people who pass every filter, in the order asked for."""
    found = order
    if query.search:
        fits = select(Identity.person_id).where(
            Identity.display_name.icontains(query.search, autoescape=True)
        )
        found = _only(found, fits)
    if query.unit:
        unit_id = db.session.scalar(select(Unit.id).where(Unit.uid == query.unit))
        fits = select(Person.id).where(Person.unit_id.in_(tree.units_below(unit_id or 0)))
        found = _only(found, fits)
    slugs = [column.slug for column in roster.columns]
    if query.state == HELD:
        found = [one for one in found if MET_RANK in roster.ranks(one)]
    elif query.item:
        place = slugs.index(query.item)
        found = [one for one in found if roster.ranks(one)[place]]
        found = _with_state(found, query.state, lambda one: roster.ranks(one)[place], ACHIEVED)
    else:
        found = _with_state(found, query.state, roster.worst, DONE_RANKS)
    return _sorted(found, query, roster, slugs)


def _only(people: list[int], fits: Select[tuple[int]]) -> list[int]:
    wanted = set(db.session.scalars(fits))
    return [one for one in people if one in wanted]


def _with_state(
    people: list[int], state: str, rank_of: Callable[[int], int], done: frozenset[int]
) -> list[int]:
    if not state:
        return people
    if state == FINE:
        wanted = FINE_RANKS
    elif state == CellState.DONE:
        wanted = done
    else:
        wanted = frozenset({RANKS[CellState(state)]})
    return [one for one in people if rank_of(one) in wanted]


def _sorted(people: list[int], query: TeamQuery, roster: Roster, slugs: list[str]) -> list[int]:
    """Sort people who stand in the order of their names; Python's sort keeps that among equals."""
    key = query.sort.removeprefix("-")
    backwards = query.sort.startswith("-")
    if key == BY_NAME:
        return people[::-1] if backwards else people
    due = roster.due
    if key == BY_DUE:
        dated = sorted(
            (one for one in people if one in due), key=due.__getitem__, reverse=backwards
        )
        return dated + [one for one in people if one not in due]
    if key in slugs:
        place = slugs.index(key)
        return sorted(people, key=lambda one: roster.ranks(one)[place], reverse=not backwards)
    dated = sorted((one for one in people if one in due), key=due.__getitem__)
    rest = [one for one in people if one not in due]
    return sorted(dated + rest, key=roster.worst, reverse=not backwards)


def read_rows(
    people: Sequence[int], columns: Sequence[TeamColumn], chosen: Select[tuple[int]]
) -> list[Row]:
    """Return the rows of `people`, in their order: one query for names, one for each column.

    chosen: a select that contains all of them, and is as small as it may be.
    """
    known = {
        person_id: (uid, name)
        for person_id, uid, name in db.session.execute(
            select(Person.id, Person.uid, Identity.display_name)
            .outerjoin(Identity, Identity.person_id == Person.id)
            .where(Person.id.in_(chosen))
        )
    }
    cells = read_cells(chosen, columns)
    removed = removed_name()
    rows: list[Row] = []
    for one in people:
        uid, name = known[one]
        own = [of_column.get(one, NOTHING) for of_column in cells]
        dues = [
            cell.due_at
            for cell in own
            if cell.due_at is not None and RANKS[cell.state] >= OPEN_FROM
        ]
        rows.append(Row(uid, name or removed, own, min(dues, default=None)))
    return rows


def acts_for(people: Sequence[int], roster: Roster, viewer: Person) -> list[str]:
    """Return what the manager can do for each: nudge, nudged, thank, thanked, or fine."""
    nudges = [nudge_key(one) for one in people]
    thanks = [thanks_key(viewer.id, one, _achieved(roster, one)) for one in people]
    told = sent_keys([*nudges, *thanks])
    found: list[str] = []
    for one, nudged, thanked in zip(people, nudges, thanks, strict=True):
        act = _act(roster.worst(one), _achieved(roster, one))
        if act == "nudge" and nudged in told:
            act = "nudged"
        if act == "thank" and thanked in told:
            act = "thanked"
        found.append(act)
    return found


def _achieved(roster: Roster, person_id: int) -> int:
    return sum(rank in ACHIEVED for rank in roster.ranks(person_id))


def _act(worst: int, achieved: int) -> str:
    if worst > RANKS[CellState.ON_TRACK]:
        return "nudge"
    return "thank" if worst in DONE_RANKS and achieved else "fine"


def _units(ids: set[int | None]) -> list[tuple[str, str]]:
    """Return (uid, name) of these units, by name."""
    rows = db.session.execute(select(Unit.id, Unit.uid, Unit.name).order_by(Unit.name))
    return [(uid, name) for unit_id, uid, name in rows if unit_id in ids]

"""One person, for those above: every item, and the conditions of certificates as met or not met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from lms.people.models import Person
from lms.people.names import removed_name
from lms.plugin import CellState, TeamColumn
from lms.teams.columns import OPEN_FROM, RANKS, all_columns
from lms.teams.nudges import nudge, thank
from lms.teams.roster import NOTHING, Cell, Roster, read_cells
from lms.teams.services import ACHIEVED, acts_for

CONDITION = frozenset({CellState.MET, CellState.NOT_MET})


@dataclass(frozen=True, slots=True)
class PersonPage:
    """What those above see of one person."""

    person: Person
    name: str
    items: list[tuple[TeamColumn, Cell]]
    steps: list[tuple[TeamColumn, Cell]]  # what the items consist of: course by course
    conditions: list[tuple[TeamColumn, Cell]]
    act: str
    places: dict[str, str]  # where the person is, by the slug of a step

    @property
    def open_items(self) -> list[tuple[TeamColumn, Cell]]:
        """The items with something left to do."""
        return [(column, cell) for column, cell in self.items if RANKS[cell.state] >= OPEN_FROM]


def build_person(viewer: Person, person: Person) -> PersonPage:
    """Return what those above see of one person; items that are not asked are left out."""
    columns = all_columns()
    chosen = select(Person.id).where(Person.id == person.id)
    cells = [
        (column, found.get(person.id, NOTHING))
        for column, found in zip(columns, read_cells(chosen, columns), strict=True)
    ]
    asked = [(column, cell) for column, cell in cells if cell.state != CellState.NONE]
    detail = [(column, cell) for column, cell in asked if column.detail]
    roster = Roster(chosen, [column for column in columns if not column.detail], [person.id])
    steps = [(column, cell) for column, cell in detail if cell.state not in CONDITION]
    return PersonPage(
        person=person,
        name=person.identity.display_name if person.identity else removed_name(),
        items=[(column, cell) for column, cell in asked if not column.detail],
        steps=steps,
        conditions=[(column, cell) for column, cell in detail if cell.state in CONDITION],
        act=acts_for([person.id], roster, viewer)[0] if person.active else "fine",
        places=dict(_places(person.id, steps)),
    )


def _places(person_id: int, steps: list[tuple[TeamColumn, Cell]]) -> Iterator[tuple[str, str]]:
    for column, cell in steps:
        where = getattr(column, "where", None)
        said = where(person_id) if where and RANKS[cell.state] >= OPEN_FROM else None
        if said:
            yield column.slug, said


def nudge_person(viewer: Person, person: Person) -> bool:
    """Remind somebody of what is open; False where nothing is, or today's reminder went out."""
    page = build_person(viewer, person)
    if page.act != "nudge":
        return False
    return nudge(viewer, person.id, [str(column.label) for column, _cell in page.open_items])


def thank_person(viewer: Person, person: Person) -> bool:
    """Thank somebody who has done all; False where that is not so, or was said."""
    page = build_person(viewer, person)
    if page.act != "thank":
        return False
    achieved = sum(RANKS[cell.state] in ACHIEVED for _column, cell in page.items)
    return thank(viewer, person.id, achieved)

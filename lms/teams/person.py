"""One person, for those above: every item, and the conditions of certificates as met or not met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from lms.people.models import Person
from lms.people.names import removed_name
from lms.plugin import CellState, TeamColumn
from lms.teams import rules
from lms.teams.cells import Cell, ask_cells, kept_cells
from lms.teams.columns import all_columns, table_columns
from lms.teams.nudges import nudge, thank
from lms.teams.rules import Act
from lms.teams.services import acts_for

CONDITION = frozenset({CellState.MET, CellState.NOT_MET})


@dataclass(frozen=True, slots=True)
class PersonPage:
    """What those above see of one person."""

    person: Person
    name: str
    items: list[tuple[TeamColumn, Cell]]
    earned: list[tuple[TeamColumn, Cell]]  # what may be earned, and is asked of nobody
    steps: list[tuple[TeamColumn, Cell]]  # what the items consist of: course by course
    conditions: list[tuple[TeamColumn, Cell]]
    act: Act
    done: bool  # the act was done already
    places: dict[str, str]  # where the person is, by the slug of a step

    @property
    def open_items(self) -> list[tuple[TeamColumn, Cell]]:
        """The items with something left to do."""
        return [(column, cell) for column, cell in self.items if cell.state in rules.OPEN]

    @property
    def achieved(self) -> int:
        """How many items are done or held."""
        return _achieved([*self.items, *self.earned])


def build_person(viewer: Person, person: Person) -> PersonPage:
    """Return what those above see of one person; items that are not asked are left out."""
    columns = all_columns()
    own = kept_cells([person.id]).get(person.id, {})
    shown = [(one, own[one.slug]) for one in table_columns(columns) if one.slug in own]
    details = [column for column in columns if column.detail]
    asked = ask_cells(select(Person.id).where(Person.id == person.id), details)
    detail = [
        (column, cells[person.id])
        for column, cells in zip(details, asked, strict=True)
        if person.id in cells and cells[person.id].state != CellState.NONE
    ]
    steps = [(column, cell) for column, cell in detail if cell.state not in CONDITION]
    overall = rules.judge([cell.state for _column, cell in shown])
    ((act, done),) = acts_for(viewer, [(person.id, overall, _achieved(shown))])
    return PersonPage(
        person=person,
        name=person.identity.display_name if person.identity else removed_name(),
        items=[(column, cell) for column, cell in shown if cell.state not in CONDITION],
        earned=[(column, cell) for column, cell in shown if cell.state in CONDITION],
        steps=steps,
        conditions=[(column, cell) for column, cell in detail if cell.state in CONDITION],
        act=act if person.active else Act.NOTHING,
        done=done,
        places=dict(_places(person.id, steps)),
    )


def _achieved(items: list[tuple[TeamColumn, Cell]]) -> int:
    return sum(cell.state in rules.ACHIEVED for _column, cell in items)


def _places(person_id: int, steps: list[tuple[TeamColumn, Cell]]) -> Iterator[tuple[str, str]]:
    for column, cell in steps:
        where = getattr(column, "where", None)
        said = where(person_id) if where and cell.state in rules.OPEN else None
        if said:
            yield column.slug, said


def nudge_person(viewer: Person, person: Person) -> bool:
    """Remind somebody of what is open; False where nothing is, or today's reminder went out."""
    page = build_person(viewer, person)
    if page.act != Act.NUDGE or page.done:
        return False
    return nudge(viewer, person.id, [str(column.label) for column, _cell in page.open_items])


def thank_person(viewer: Person, person: Person) -> bool:
    """Thank somebody who has done all; False where that is not so, or was said."""
    page = build_person(viewer, person)
    if page.act != Act.THANK or page.done:
        return False
    return thank(viewer, person.id, page.achieved)

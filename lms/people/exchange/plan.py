"""What a file would change, worked out before anything is: pure, from a snapshot of the company.

All that can go wrong between rows is found here: two lines for one person, a manager who is
nowhere, people who would come to report to each other in a circle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from lms.people.exchange.read import Problem, Row, Sheet

MOVES = frozenset({"unit", "manager"})


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who is here already."""

    id: int
    name: str
    given_name: str
    sort_name: str
    email: str | None
    employee_number: str | None
    sign_in_name: str | None
    manager_id: int | None
    unit: str | None
    job_role: str
    hired_on: Any
    active: bool
    language: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The company as it stands."""

    people: tuple[Known, ...]
    units: frozenset[str]


@dataclass(slots=True)
class Change:
    """What happens to one person: `known` None means added; `fields` field -> (before, after).

    `manager` refers to another person of the file by line, or to a known one by id, or is None.
    """

    row: Row
    known: Known | None
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    manager: Manager | None = None

    @property
    def name(self) -> str:
        """The person's name as it will be."""
        return self.row.name or (self.known.name if self.known else "")

    @property
    def moved(self) -> bool:
        """Whether somebody who was here changes manager or unit."""
        return self.known is not None and bool(MOVES & self.fields.keys())


@dataclass(frozen=True, slots=True)
class Manager:
    """Somebody's manager: a line of the file or somebody known."""

    line: int | None
    known_id: int | None
    name: str


@dataclass
class Plan:
    """What the file would do; with `problems`, nothing at all."""

    added: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    moved: list[Change] = field(default_factory=list)
    same: int = 0
    new_units: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: tuple[str, ...] = ()

    def changes(self) -> Iterator[Change]:
        """Everybody to whom something happens, each once."""
        yield from self.added
        yield from self.changed
        yield from self.moved

    def digest(self) -> str:
        """Return what two plans share exactly when they would do the same."""
        told = hashlib.sha256()
        for change in self.changes():
            manager = change.manager
            told.update(
                repr(
                    (
                        change.row.line,
                        change.known.id if change.known else None,
                        sorted((name, str(after)) for name, (_b, after) in change.fields.items()),
                        (manager.line, manager.known_id) if manager else None,
                    )
                ).encode()
            )
        return told.hexdigest()[:32]


def make_plan(sheet: Sheet, company: Snapshot) -> Plan:
    """Work out what the sheet would change in the company."""
    plan = Plan(problems=list(sheet.problems), ignored=sheet.ignored)
    matches = _match(sheet, company, plan)
    managers = _managers(sheet, company, matches, plan)
    if not plan.problems:
        _find_circles(company, matches, managers, plan)
    by_id = {person.id: person for person in company.people}
    units = dict.fromkeys(company.units)
    for row, known in matches:
        change = Change(row, known, manager=managers.get(row.line))
        change.fields = _differences(row, known, change.manager, by_id)
        if row.unit and row.unit not in units:
            units[row.unit] = None
            plan.new_units.append(row.unit)
        if known is None:
            if not row.employee_number and not row.email:
                plan.problems.append(
                    Problem(
                        row.line,
                        _("Nobody here has the sign-in name “%(name)s”.", name=row.sign_in_name),
                    )
                )
            if not row.name:
                plan.problems.append(Problem(row.line, _("Somebody new needs a name.")))
            plan.added.append(change)
        elif not change.fields:
            plan.same += 1
        elif change.moved:
            plan.moved.append(change)
        else:
            plan.changed.append(change)
    said = frozenset(sheet.problems)
    told = {problem.line for problem in sheet.problems}  # what follows from them is not told too
    plan.problems = [
        problem for problem in plan.problems if problem.line not in told or problem in said
    ]
    plan.problems.sort(key=lambda problem: problem.line)
    return plan


def _match(sheet: Sheet, company: Snapshot, plan: Plan) -> list[tuple[Row, Known | None]]:
    """Find who each row is: by employee number first, by address where there is none."""
    by_number = {one.employee_number: one for one in company.people if one.employee_number}
    by_email = {one.email.lower(): one for one in company.people if one.email}
    by_sign_in = {one.sign_in_name: one for one in company.people if one.sign_in_name}
    giving_up = _giving_up(sheet, by_number)
    seen: dict[tuple[str, Any], int] = {}
    found: list[tuple[Row, Known | None]] = []
    for row in sheet.rows:
        email = row.email.lower() if row.email else None
        numbered = by_number.get(row.employee_number) if row.employee_number else None
        addressed = by_email.get(email) if email else None
        if addressed is not None and addressed.id in giving_up and addressed != numbered:
            addressed = None
        if numbered and addressed and numbered.id != addressed.id:
            plan.problems.append(
                Problem(
                    row.line,
                    _("The address %(email)s belongs to %(name)s, who has another employee number.",
                      email=row.email, name=addressed.name),
                )
            )  # fmt: skip
        signing = by_sign_in.get((row.sign_in_name or "").lower())
        known = numbered or addressed or signing
        if known is not None and numbered is None and row.employee_number and known.employee_number:
            plan.problems.append(
                Problem(
                    row.line,
                    _("%(email)s is here with the employee number %(number)s, not %(other)s.",
                      email=row.email, number=known.employee_number, other=row.employee_number),
                )
            )  # fmt: skip
        keys: list[tuple[str, Any]] = [("number", row.employee_number), ("email", email)]
        if known is not None:
            keys.append(("id", known.id))
        for key in keys:
            if not key[1]:
                continue
            if key in seen and seen[key] != row.line:
                plan.problems.append(
                    Problem(row.line, _("The same person stands on line %(line)s.", line=seen[key]))
                )
                break
            seen[key] = row.line
        found.append((row, known))
    return found


def _giving_up(sheet: Sheet, by_number: dict[str, Known]) -> set[int]:
    """Return those who get another address in this file: theirs may go to somebody else."""
    found = set()
    for row in sheet.rows:
        known = by_number.get(row.employee_number or "")
        before = known.email.lower() if known is not None and known.email else None
        if known is not None and before and row.email and row.email.lower() != before:
            found.add(known.id)
    return found


def _managers(
    sheet: Sheet, company: Snapshot, matches: list[tuple[Row, Known | None]], plan: Plan
) -> dict[int, Manager]:
    """Find each row's manager, in the file (wherever they stand in it) or in the company."""
    if "manager" not in sheet.columns:
        return {}
    places: dict[str, Manager] = {}
    for one in company.people:
        for key in (one.employee_number, one.email, one.sign_in_name):
            if key:
                places[key.lower()] = Manager(None, one.id, one.name)
    for row, known in matches:
        place = Manager(row.line, known.id if known else None, row.name or "")
        old = (known.employee_number, known.email, known.sign_in_name) if known else ()
        for key in (row.employee_number, row.email, *old):
            if key:
                places[key.lower()] = place
    found: dict[int, Manager] = {}
    for row, _known in matches:
        if not row.manager:
            continue
        manager = places.get(row.manager.lower())
        if manager is None:
            plan.problems.append(
                Problem(
                    row.line,
                    _("The manager “%(manager)s” is neither in the file nor here.",
                      manager=row.manager),
                )
            )  # fmt: skip
        elif manager.line != row.line:  # the head of the company is often their own manager
            found[row.line] = manager
    return found


def _find_circles(
    company: Snapshot,
    matches: list[tuple[Row, Known | None]],
    managers: dict[int, Manager],
    plan: Plan,
) -> None:
    """Find people who would come to stand above themselves, after the file is applied."""
    above: dict[Any, Any] = {
        ("id", one.id): ("id", one.manager_id) for one in company.people if one.manager_id
    }
    key_of = {row.line: ("id", known.id) if known else ("line", row.line) for row, known in matches}
    for row, _known in matches:
        if row.manager is not None:
            above.pop(key_of[row.line], None)
        manager = managers.get(row.line)
        if manager is not None:
            above[key_of[row.line]] = (
                key_of[manager.line] if manager.line is not None else ("id", manager.known_id)
            )
    circling = _in_circles(above)
    for row, known in matches:
        if key_of[row.line] in circling:
            name = row.name or (known.name if known else "")
            plan.problems.append(
                Problem(
                    row.line,
                    _("%(name)s would report to themself, over others: a circle.", name=name),
                )
            )


def _in_circles(above: dict[Any, Any]) -> set[Any]:
    """Return those who come back to themselves by climbing; every step is taken once."""
    state: dict[Any, int] = {}  # number of the walk that came through, 0 when done
    circling: set[Any] = set()
    for walk, start in enumerate(above, start=1):
        path: list[Any] = []
        at = start
        while at in above and at not in state:
            state[at] = walk
            path.append(at)
            at = above[at]
        if state.get(at) == walk:
            circling |= set(path[path.index(at) :])
        for one in path:
            state[one] = 0
    return circling


def _differences(
    row: Row, known: Known | None, manager: Manager | None, by_id: dict[int, Known]
) -> dict[str, tuple[Any, Any]]:
    """Return what the row says otherwise than the company: field -> (before, after)."""
    changes: dict[str, tuple[Any, Any]] = {}

    def compare(name: str, before: Any, after: Any) -> None:
        if after is not None and after != before:
            changes[name] = (before, after)

    compare("employee_number", known.employee_number if known else None, row.employee_number)
    compare("email", known.email if known else None, row.email)
    compare("name", known.name if known else None, row.name)
    compare("unit", (known.unit or "") if known else "", row.unit)
    compare("job_role", known.job_role if known else "", row.job_role)
    compare("hired_on", known.hired_on if known else None, row.hired_on)
    compare("active", known.active if known else True, row.active)
    compare("language", known.language if known else "", row.language)
    if row.manager is not None:
        before = known.manager_id if known else None
        same = (
            before is None
            if manager is None
            else manager.known_id is not None and manager.known_id == before
        )
        if not same:
            old = by_id.get(before) if before is not None else None
            changes["manager"] = (old.name if old else "", manager.name if manager else "")
    return changes

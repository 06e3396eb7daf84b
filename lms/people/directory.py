"""Everybody, a page at a time: the administrator's list, in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased

from lms.db import db
from lms.people.models import Identity, Person, Unit
from lms.people.names import folded
from lms.people.tree import units_below

PAGE = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list."""

    uid: str
    name: str
    email: str | None
    employee_number: str | None
    sign_in_name: str | None
    unit: str | None
    manager: str | None
    manager_uid: str | None
    job_role: str
    active: bool
    is_author: bool
    is_manager: bool
    is_administrator: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list: its lines, how many there are in all, and which page it is."""

    entries: list[Entry]
    total: int
    page: int
    pages: int


def list_people(
    words: str = "", unit: Unit | None = None, kind: str = "", page: int = 1
) -> Listing:
    """Return one page of those who have a name, sorted by family name.

    words: each must be found in name, address, number or sign-in name. unit: it and all inside it.
    kind: `author`, `manager`, `administrator`, `suspended`, or empty for everybody active.
    """
    chosen = _chosen(words, unit, kind)
    total = db.session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    pages = max(1, -(-total // PAGE))
    page = min(max(1, page), pages)
    above, above_person = aliased(Identity), aliased(Person)
    rows = db.session.execute(
        select(
            Person.uid, Identity.display_name, Identity.email, Identity.employee_number,
            Identity.sign_in_name, Unit.name, above.display_name, above_person.uid,
            Person.job_role, Person.active, Person.is_author, Person.is_manager,
            Person.is_administrator,
        )
        .join(Identity, Identity.person_id == Person.id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .outerjoin(above, above.person_id == Person.manager_id)
        .outerjoin(above_person, above_person.id == above.person_id)
        .where(Person.id.in_(chosen))
        .order_by(Identity.sort_name, Person.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )  # fmt: skip
    return Listing([Entry(*row) for row in rows], total, page, pages)


def _chosen(words: str, unit: Unit | None, kind: str) -> Select[Any]:
    chosen = select(Person.id).join(Identity, Identity.person_id == Person.id)
    if kind == "suspended":
        chosen = chosen.where(~Person.active)
    elif kind in {"author", "manager", "administrator"}:
        chosen = chosen.where(Person.active, getattr(Person, f"is_{kind}"))
    else:
        chosen = chosen.where(Person.active)
    if unit is not None:
        chosen = chosen.where(Person.unit_id.in_(units_below(unit.id)))
    for word in words.split()[:8]:
        plain = folded(word)
        chosen = chosen.where(
            or_(
                Identity.sort_name.contains(plain, autoescape=True),
                func.lower(Identity.email).contains(plain, autoescape=True),
                Identity.employee_number == word,
                Identity.sign_in_name.contains(plain, autoescape=True),
            )
        )
    return chosen


def count_by_kind() -> dict[str, int]:
    """Return how many are active, suspended, manage, write, administer; one query."""
    row = db.session.execute(
        select(
            func.count().filter(Person.active),
            func.count().filter(~Person.active),
            func.count().filter(Person.active, Person.is_manager),
            func.count().filter(Person.active, Person.is_author),
            func.count().filter(Person.active, Person.is_administrator),
        ).join(Identity, Identity.person_id == Person.id)
    ).one()
    kinds = ("", "suspended", "manager", "author", "administrator")
    return dict(zip(kinds, row, strict=True))


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """A unit in the tree: `depth` steps below the top, `people` active in it itself."""

    unit: Unit
    depth: int
    people: int


def list_units() -> list[UnitEntry]:
    """Return all units as a tree, parents before what is inside, in two queries."""
    units = db.session.scalars(select(Unit).order_by(func.lower(Unit.name), Unit.id)).all()
    counted = select(Person.unit_id, func.count()).where(Person.active).group_by(Person.unit_id)
    people: dict[int | None, int] = {row[0]: row[1] for row in db.session.execute(counted)}
    inside: dict[int | None, list[Unit]] = {}
    for unit in units:
        inside.setdefault(unit.parent_id, []).append(unit)
    found: list[UnitEntry] = []
    waiting = [(unit, 0) for unit in reversed(inside.get(None, []))]
    while waiting:
        unit, depth = waiting.pop()
        found.append(UnitEntry(unit, depth, people.get(unit.id, 0)))
        waiting += [(part, depth + 1) for part in reversed(inside.get(unit.id, []))]
    return found

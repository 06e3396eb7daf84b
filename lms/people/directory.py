"""Everybody, a page at a time: the administrator's list, in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, literal, select, tuple_
from sqlalchemy.orm import aliased

from lms.db import db
from lms.people.models import Identity, Person, Unit
from lms.people.search import bounds, prefixes, starting
from lms.people.tree import units_below

PAGE = 50
COUNTED_MOST = 1000  # beyond that "more than" says enough


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
    """One page of the list. total: how many fit, counted up to `COUNTED_MOST` (then `more`).

    earlier, later: the uid of the person before or after whom the next page stands, empty where
    there is none.
    """

    entries: list[Entry]
    total: int
    more: bool
    earlier: str
    later: str


def list_people(
    words: str = "",
    unit: Unit | None = None,
    kind: str = "",
    after: str = "",
    before: str = "",
) -> Listing:
    """Return one page of those who have a name, sorted by family name.

    words: something that belongs to a name, address, number or sign-in name begins with each.
    unit: it and all inside it. kind: `author`, `manager`, `administrator`, `suspended`, or empty
    for everybody active. after, before: the uid of the person next to whom the page stands; a
    name that has moved or gone leads to the first page.
    """
    chosen, values = _chosen(words, unit, kind)
    backwards = bool(before)
    rows = db.session.execute(_page(chosen, _place(before or after), backwards), values).all()
    cut = rows[:PAGE][::-1] if backwards else rows[:PAGE]
    entries = [Entry(*row) for row in cut]
    there_is_more = len(rows) > PAGE
    fitting = chosen.limit(COUNTED_MOST + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(fitting), values) or 0
    has_earlier = there_is_more if backwards else bool(after)
    has_later = bool(before) or there_is_more
    return Listing(
        entries,
        min(total, COUNTED_MOST),
        total > COUNTED_MOST,
        entries[0].uid if entries and has_earlier else "",
        entries[-1].uid if entries and has_later else "",
    )


def _place(uid: str) -> tuple[str, int] | None:
    """Return where somebody stands in the order of the list."""
    if not uid:
        return None
    row = db.session.execute(
        select(Identity.sort_name, Identity.person_id)
        .join(Person, Person.id == Identity.person_id)
        .where(Person.uid == uid)
    ).first()
    return None if row is None else (row[0], row[1])


def _page(chosen: Select[Any], place: tuple[str, int] | None, backwards: bool) -> Select[Any]:
    """One more than a page, from `place` on, in the order of the list or against it."""
    above, above_person = aliased(Identity), aliased(Person)
    order = tuple_(Identity.sort_name, Identity.person_id)
    page = (
        chosen.with_only_columns(
            Person.uid, Identity.display_name, Identity.email, Identity.employee_number,
            Identity.sign_in_name, Unit.name, above.display_name, above_person.uid,
            Person.job_role, Person.active, Person.is_author, Person.is_manager,
            Person.is_administrator, maintain_column_froms=True,
        )
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .outerjoin(above, above.person_id == Person.manager_id)
        .outerjoin(above_person, above_person.id == above.person_id)
        .limit(PAGE + 1)
    )  # fmt: skip
    if place is not None:
        here = tuple_(*map(literal, place))
        page = page.where(order < here if backwards else order > here)
    names = (Identity.sort_name, Identity.person_id)
    return page.order_by(*(one.desc() if backwards else one for one in names))


def _chosen(words: str, unit: Unit | None, kind: str) -> tuple[Select[Any], dict[str, str]]:
    """Return a select of the ids of those who fit, and the values that it wants."""
    chosen = select(Person.id).join(Identity, Identity.person_id == Person.id)
    if kind == "suspended":
        chosen = chosen.where(~Person.active)
    elif kind in {"author", "manager", "administrator"}:
        chosen = chosen.where(Person.active, getattr(Person, f"is_{kind}"))
    else:
        chosen = chosen.where(Person.active)
    if unit is not None:
        chosen = chosen.where(Person.unit_id.in_(units_below(unit.id)))
    values: dict[str, str] = {}
    for place, prefix in enumerate(prefixes(words)):
        chosen = chosen.where(Person.id.in_(starting(place)))
        values |= bounds(prefix, place)
    return chosen, values


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

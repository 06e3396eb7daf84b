"""Which person somebody means who types the beginnings of a name, an address or a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, or_, select

from lms.db import db
from lms.people.models import Identity, Person, Unit
from lms.people.search import bounds, prefixes, starting


class Fitting(NamedTuple):
    """A person who fits; unit is "" where they are in none."""

    uid: str
    name: str
    unit: str


def find_people_like(who: str, most: int) -> Sequence[Fitting]:
    """Return people by name, those who are suspended too; every word has to fit.

    An opaque id fits as a whole.
    """
    wanted = (
        select(Person.uid, Identity.display_name, func.coalesce(Unit.name, ""))
        .join(Identity, Identity.person_id == Person.id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
    )
    values: dict[str, str] = {}
    for place, prefix in enumerate(prefixes(who.removeprefix("mailto:"))):
        wanted = wanted.where(or_(Person.id.in_(starting(place)), Person.uid == prefix))
        values |= bounds(prefix, place)
    rows = db.session.execute(wanted.order_by(Identity.sort_name, Person.id).limit(most), values)
    return [Fitting(*row) for row in rows]

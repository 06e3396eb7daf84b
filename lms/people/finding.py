"""Which person somebody means who types a part of a name, an address or a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, or_, select

from lms.db import db
from lms.people.joining import folded
from lms.people.models import Identity, Person, Unit

WORDS_MOST = 8


class Fitting(NamedTuple):
    """A person who fits; unit is "" where they are in none."""

    uid: str
    name: str
    unit: str


def find_people_like(who: str, most: int) -> Sequence[Fitting]:
    """Return people by name, those who are suspended too; every word has to fit."""
    wanted = (
        select(Person.uid, Identity.display_name, func.coalesce(Unit.name, ""))
        .join(Identity, Identity.person_id == Person.id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
    )
    for word in who.removeprefix("mailto:").split()[:WORDS_MOST]:
        plain = folded(word)
        wanted = wanted.where(
            or_(
                Identity.sort_name.contains(plain, autoescape=True),
                func.lower(Identity.email).contains(plain, autoescape=True),
                Identity.employee_number == word,
                Identity.sign_in_name == plain,
                Person.uid == word,
            )
        )
    rows = db.session.execute(wanted.order_by(Identity.sort_name, Person.id).limit(most))
    return [Fitting(*row) for row in rows]

"""What people are working on: the conditions of every certificate that they do not hold yet."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Select, select

from certificates.catalogue import offered
from certificates.models import Award
from lms.evidence import Condition
from lms.people.models import Person


def conditions() -> list[Condition]:
    """Return each condition with a select of those who may still earn its certificate."""
    return [
        Condition(one.measure, one.where, one.window, _without(certificate.definition_id))
        for certificate in offered()
        for one in certificate.rule.conditions
    ]


@lru_cache(maxsize=256)
def _without(definition_id: int) -> Select[tuple[int]]:
    # Kept: it is asked for each batch of acts, and SQLAlchemy knows a select again by itself.
    held = select(Award.person_id).where(
        Award.definition_id == definition_id, Award.person_id == Person.id
    )
    return select(Person.id).where(Person.active.is_(True), ~held.exists())

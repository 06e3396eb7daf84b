"""What people are working on: the conditions of every certificate that they do not hold yet."""

from __future__ import annotations

from sqlalchemy import select

from certificates.catalogue import offered
from certificates.models import Award
from lms.evidence import Condition
from lms.people.models import Person


def conditions() -> list[Condition]:
    """Return each condition with a select of those who may still earn its certificate."""
    found = []
    for certificate in offered():
        held = select(Award.person_id).where(Award.definition_id == certificate.definition_id)
        people = select(Person.id).where(Person.active.is_(True), Person.id.not_in(held))
        found += [
            Condition(one.measure, one.where, one.window, people)
            for one in certificate.rule.conditions
        ]
    return found

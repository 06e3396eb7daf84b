"""The manager's columns: held or not, each condition met or not. Never a count, a text, a group or
a colleague's name: what somebody did in the network is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    case,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
)

from certificates.catalogue import Offered, offered
from certificates.models import Award
from certificates.rules.compile import condition_values, is_asked
from certificates.rules.model import Condition
from certificates.standing import column_of
from lms.events import PeopleChanged, StandingChanged, publish
from lms.people.models import Person
from lms.plugin import CellState, TeamColumn


def columns() -> Sequence[TeamColumn]:
    """Return a column for each certificate, and one in detail for each of its conditions."""
    found: list[TeamColumn] = []
    for one in offered():
        found.append(HeldColumn(one))
        found += [ConditionColumn(one, condition) for condition in one.rule.conditions]
    return found


def note_people(event: PeopleChanged) -> None:
    """Listener: what is offered to somebody depends on who they are in the company."""
    slugs = frozenset(column_of(one.rule.slug) for one in offered())
    if slugs:
        publish(StandingChanged(event.person_ids, slugs))


def _holds(certificate: Offered) -> ColumnElement[bool]:
    return exists().where(
        Award.person_id == Person.id,
        Award.definition_id == certificate.definition_id,
        Award.revoked_at.is_(None),
    )


def _is_offered(certificate: Offered) -> ColumnElement[bool]:
    offer = certificate.rule.offered_to
    if offer.everybody:
        return true()
    wanted: list[ColumnElement[bool]] = []
    if offer.managers:
        wanted.append(Person.is_manager.is_(True))
    if offer.job_roles:
        roles = [role.lower() for role in offer.job_roles]
        wanted.append(func.lower(Person.job_role).in_(roles))
    return or_(*wanted)


class HeldColumn:
    """Whether a person holds a certificate; empty for those to whom it is not offered."""

    total: int | None = None
    detail = False
    announced = True
    earned = True

    def __init__(self, certificate: Offered) -> None:
        self.certificate = certificate
        self.slug = column_of(certificate.rule.slug)
        self.label: Any = certificate.rule.title
        self.language = certificate.rule.language

    def cells(self, people: Select[tuple[int]]) -> Select[Any]:
        """Return met or not met, one row for each person who holds it or is offered it."""
        held = _holds(self.certificate)
        return select(
            Person.id.label("person_id"),
            case(
                (held, literal(CellState.MET.value)), else_=literal(CellState.NOT_MET.value)
            ).label("state"),
            null().label("number"),
            null().label("due_at"),
        ).where(Person.id.in_(people), or_(held, _is_offered(self.certificate)))


class ConditionColumn:
    """Whether one condition is met; whoever holds the certificate has met what it asked."""

    total: int | None = None
    detail = True

    def __init__(self, certificate: Offered, condition: Condition) -> None:
        self.certificate = certificate
        self.condition = condition
        self.slug = f"certificates.{certificate.rule.slug}.{condition.id}"
        self.label: Any = f"{certificate.rule.title}: {condition.title}"
        self.language = certificate.rule.language

    def cells(self, people: Select[tuple[int]]) -> Select[Any]:
        """Return met or not met, in one select for all people."""
        values = condition_values(self.condition, people)
        held = met = _holds(self.certificate)
        if values is not None:
            met = or_(held, values.c.value >= self.condition.at_least)
        asked = _is_offered(self.certificate) if is_asked(self.condition) else false()
        cells = select(
            Person.id.label("person_id"),
            case((met, literal(CellState.MET.value)), else_=literal(CellState.NOT_MET.value)).label(
                "state"
            ),
            null().label("number"),
            null().label("due_at"),
        ).where(Person.id.in_(people), or_(held, asked))
        return cells if values is None else cells.outerjoin(values, values.c.person_id == Person.id)

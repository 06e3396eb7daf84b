"""The manager's columns: held or not, each condition met or not. Never a count, a text, a group or
a colleague's name: what somebody did in the network is theirs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, literal, null, or_, select, true

from certificates.catalogue import Offered, offered
from certificates.models import Award
from certificates.rules.compile import compile_rule
from certificates.rules.model import Condition
from lms.people.models import Person
from lms.plugin import CellState, TeamColumn


def columns() -> Sequence[TeamColumn]:
    """Return a column for each certificate, and one in detail for each of its conditions."""
    found: list[TeamColumn] = []
    for one in offered():
        found.append(HeldColumn(one))
        found += [ConditionColumn(one, condition) for condition in one.rule.conditions]
    return found


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

    def __init__(self, certificate: Offered) -> None:
        self.certificate = certificate
        self.slug = f"certificates.{certificate.rule.slug}"
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
        rule = dataclasses.replace(self.certificate.rule, conditions=(self.condition,))
        found = compile_rule(rule, people).subquery()
        held = _holds(self.certificate)
        return (
            select(
                Person.id.label("person_id"),
                case(
                    (or_(held, found.c.met_0), literal(CellState.MET.value)),
                    else_=literal(CellState.NOT_MET.value),
                ).label("state"),
                null().label("number"),
                null().label("due_at"),
            )
            .join(found, found.c.person_id == Person.id)
            .where(or_(held, found.c.asked_0), or_(held, _is_offered(self.certificate)))
        )

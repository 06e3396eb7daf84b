"""Linking accounts with people: once, by a verified address or number; by opaque id from then on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from esn.digests import address_digest, employee_digest
from esn.ledger.records import AccountRecord
from esn.models import Account, Usage
from lms import clock
from lms.db import db, transaction
from lms.events import EvidenceChanged, PersonErased, publish
from lms.people.models import Identity


def note_accounts(connector_id: int, records: Sequence[AccountRecord]) -> None:
    """Make rows for accounts not seen before; remember under what their person may be found."""
    if not records:
        return
    dialect = db.session.get_bind().dialect.name
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    rows = sorted({record["account"] for record in records})
    db.session.execute(
        insert(Account).on_conflict_do_nothing(),
        [{"connector_id": connector_id, "key": key} for key in rows],
    )
    for record in records:
        if record["matches"]:
            db.session.execute(
                update(Account)
                .where(
                    Account.connector_id == connector_id,
                    Account.key == record["account"],
                    Account.person_id.is_(None),
                )
                .values(match=record["matches"][0])
            )


def link_accounts() -> None:
    """Match every account that is not linked yet (the job `esn.link`); earlier acts come along."""
    with transaction():
        waiting = db.session.execute(
            select(Account.id, Account.match).where(
                Account.person_id.is_(None), Account.match.is_not(None)
            )
        ).all()
        people = _people_by_digest() if waiting else {}
    for account_id, match in waiting:
        person_id = people.get(match)
        if person_id is not None:
            with transaction():
                link(account_id, person_id)


def link(account_id: int, person_id: int) -> None:
    """Link one account with a person; what it did before counts for the person as well."""
    db.session.execute(
        update(Account)
        .where(Account.id == account_id)
        .values(person_id=person_id, match=None, linked_at=clock.now())
    )
    db.session.execute(
        update(Usage).where(Usage.account_id == account_id).values(person_id=person_id)
    )
    publish(EvidenceChanged(frozenset({person_id})))


def forget_person(event: PersonErased) -> None:
    """Empty the links of a person whose name was removed; their acts stay as pseudonymous counts."""
    db.session.execute(
        update(Account)
        .where(Account.person_id == event.person_id)
        .values(person_id=None, match=None, linked_at=None)
    )


def _people_by_digest() -> dict[str, int]:
    found: dict[str, int] = {}
    rows = db.session.execute(select(Identity.person_id, Identity.email, Identity.employee_number))
    for person_id, email, number in rows:
        if email:
            found[address_digest(email)] = person_id
        if number:
            found[employee_digest(number)] = person_id
    return found

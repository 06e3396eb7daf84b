"""Linking accounts with people: once, by a verified address or number; by opaque id from then on.

A link is never moved by what a network says later, and a second account of one network is not given
to a person who has one there: whoever can change an address in the network could otherwise take
over another's evidence. An administrator links such an account by hand.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from esn.digests import address_digest, digest, employee_digest
from esn.ledger.records import AccountRecord
from esn.models import Account, Connector, Usage
from esn.statements import LedgerRow, choose, record_acts
from lms import audit, clock
from lms.db import db, transaction
from lms.errors import Conflict
from lms.events import EvidenceChanged, PersonErased, publish
from lms.people.models import Identity

_TABLE: Any = Usage.__table__
ACTS_AT_ONCE = 100
CARRY_OVER = "esn.link"  # the job whose last step it is


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
            first, *others = record["matches"]
            db.session.execute(
                update(Account)
                .where(
                    Account.connector_id == connector_id,
                    Account.key == record["account"],
                    Account.person_id.is_(None),
                )
                .values(match=first, match_also=others[0] if others else None)
            )


def link_accounts() -> None:
    """Match every account that is not linked yet (the job `esn.link`); earlier acts come along."""
    with transaction():
        waiting = db.session.execute(
            select(Account.id, Account.connector_id, Account.match, Account.match_also)
            .where(Account.person_id.is_(None), Account.match.is_not(None))
            .order_by(Account.id)
        ).all()
        people = _people_by_digest() if waiting else {}
        taken = {
            (connector_id, person_id)
            for connector_id, person_id in db.session.execute(
                select(Account.connector_id, Account.person_id).where(
                    Account.person_id.is_not(None)
                )
            )
        }
    for account_id, connector_id, match, also in waiting:
        person_id = people.get(match) or people.get(also)
        if person_id is not None and (connector_id, person_id) not in taken:
            taken.add((connector_id, person_id))
            with transaction():
                link(account_id, person_id)
    carry_over()


def link(account_id: int, person_id: int) -> None:
    """Link one account with a person; `carry_over` then gives the person what it did before."""
    db.session.execute(
        update(Account)
        .where(Account.id == account_id)
        .values(person_id=person_id, match=None, match_also=None, linked_at=clock.now())
    )


def link_by_hand(connector: Connector, external_id: str, person_id: int, by: int | None) -> None:
    """Link an account, named as the network names it; raises Conflict where it is another's.

    The account need not have done anything yet. Only its digest is kept.
    """
    key = digest("account", connector.uid, external_id)
    note_accounts(connector.id, [{"account": key, "matches": []}])
    account = db.session.scalars(
        select(Account).where(Account.connector_id == connector.id, Account.key == key)
    ).one()
    if account.person_id not in (None, person_id):
        raise Conflict("That account is linked with somebody else. Nothing was changed.")
    link(account.id, person_id)
    audit.note("esn.account.linked", f"connector/{connector.uid}", by, person=person_id)


def carry_over() -> None:
    """Give linked people what their accounts did before; a hundred acts in a transaction."""
    while True:
        with transaction():
            late = (
                select(Usage.id, Account.person_id)
                .join(Account, Account.id == Usage.account_id)
                .where(Usage.person_id.is_(None), Account.person_id.is_not(None))
                .limit(ACTS_AT_ONCE)
            )
            owners = {usage: person for usage, person in db.session.execute(late) if person}
            rows: list[LedgerRow] = []
            for person_id in sorted(set(owners.values())):
                mine = [usage for usage, owner in owners.items() if owner == person_id]
                changed = db.session.execute(
                    update(Usage)
                    .where(Usage.id.in_(mine))
                    .values(person_id=person_id)
                    .returning(*_TABLE.c)
                    .execution_options(synchronize_session=False)
                )
                rows += [row._asdict() for row in changed]
            _record(rows)
            if owners:
                publish(EvidenceChanged(frozenset(owners.values())))
        if len(owners) < ACTS_AT_ONCE:
            return


def _record(rows: Sequence[LedgerRow]) -> None:
    """Record statements of acts that were in the ledger before, as the setting says."""
    told = {str(uuid.uuid4()): row for row in choose(rows)}
    if not told:
        return
    record_acts([{**row, "statement_id": statement_id} for statement_id, row in told.items()])
    db.session.connection().execute(
        update(_TABLE)
        .where(_TABLE.c.id == bindparam("act"))
        .values(statement_id=bindparam("told")),
        [{"act": row["id"], "told": statement_id} for statement_id, row in told.items()],
    )


def forget_person(event: PersonErased) -> None:
    """Empty the links of a person whose name was removed; their acts stay as pseudonymous counts."""
    db.session.execute(
        update(Account)
        .where(Account.person_id == event.person_id)
        .values(person_id=None, match=None, match_also=None, linked_at=None)
    )


def _people_by_digest() -> dict[str | None, int]:
    found: dict[str | None, int] = {}
    rows = db.session.execute(select(Identity.person_id, Identity.email, Identity.employee_number))
    for person_id, email, number in rows:
        if email:
            found[address_digest(email)] = person_id
        if number:
            found[employee_digest(number)] = person_id
    return found

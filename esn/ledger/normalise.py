"""From deliveries to the ledger: idempotent, in short transactions, in sets.

One delivery may hold thousands of acts; each transaction takes a hundred at most, so that SQLite's
one writer never keeps a learner waiting. A crash in between is harmless: an act that is there
already is skipped by its key.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from esn.ledger.accounts import link_accounts, note_accounts
from esn.ledger.records import ActRecord, Whitelisted
from esn.models import Account, Delivery, Usage
from esn.vocabulary import Client, Kind
from lms import clock
from lms.db import db, transaction
from lms.events import EvidenceChanged, publish

log = logging.getLogger(__name__)

ACTS_IN_A_TRANSACTION = 100
# What a worker leaves between two transactions, so that a waiting request gets its turn.
PAUSE_SECONDS = 0.002
TRIES = 5
T = TypeVar("T")


def normalise_deliveries() -> None:
    """Bring every waiting delivery into the ledger, oldest first (the job `esn.normalise`)."""
    passed_over: set[int] = set()
    while True:
        with transaction():
            waiting = (
                select(Delivery.id, Delivery.connector_id, Delivery.payload)
                .where(Delivery.done_at.is_(None), Delivery.tries < TRIES)
                .where(Delivery.id.not_in(passed_over))
                .order_by(Delivery.id)
                .limit(1)
            )
            found = db.session.execute(waiting).one_or_none()
        if found is None:
            return
        delivery_id, connector_id, payload = found
        try:
            _normalise(connector_id, payload)
        except Exception as error:  # one bad delivery must not hold up the others
            # The text of an error can carry values: only its kind is logged.
            log.error("delivery %s could not be read: %s", delivery_id, type(error).__name__)
            passed_over.add(delivery_id)
            with transaction():
                _get(delivery_id).tries += 1
            continue
        with transaction():
            delivery = _get(delivery_id)
            delivery.done_at = clock.now()
            delivery.payload = None


def _get(delivery_id: int) -> Delivery:
    return db.session.get_one(Delivery, delivery_id)


def _normalise(connector_id: int, payload: Whitelisted) -> None:
    for accounts in slices(payload["accounts"], ACTS_IN_A_TRANSACTION):
        with transaction():
            note_accounts(connector_id, accounts)
    if payload["accounts"]:
        link_accounts()
    for acts in slices(payload["acts"], ACTS_IN_A_TRANSACTION):
        with transaction():
            _write(connector_id, acts)
        time.sleep(PAUSE_SECONDS)
    for objects in slices(payload["removed"], ACTS_IN_A_TRANSACTION):
        with transaction():
            _take_back(connector_id, objects)


def slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into parts of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _write(connector_id: int, acts: Sequence[ActRecord]) -> None:
    keys = {act["actor"] for act in acts} | {act["recipient"] for act in acts if "recipient" in act}
    note_accounts(connector_id, [{"account": key, "matches": []} for key in sorted(keys)])
    accounts = {
        key: (account_id, person_id)
        for key, account_id, person_id in db.session.execute(
            select(Account.key, Account.id, Account.person_id).where(
                Account.connector_id == connector_id, Account.key.in_(keys)
            )
        )
    }
    rows = [_row(connector_id, act, accounts) for act in acts]
    dialect = db.session.get_bind().dialect.name
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    added = db.session.scalars(
        insert(Usage).on_conflict_do_nothing().returning(Usage.person_id),
        sorted(rows, key=lambda row: row["event_key"]),
    ).all()
    changed = frozenset(person_id for person_id in added if person_id is not None)
    if changed:
        publish(EvidenceChanged(changed))


def _row(
    connector_id: int, act: ActRecord, accounts: dict[str, tuple[int, int | None]]
) -> dict[str, Any]:
    at = dt.datetime.fromisoformat(act["at"])
    account_id, person_id = accounts[act["actor"]]
    recipient = act.get("recipient")
    return {
        "connector_id": connector_id,
        "event_key": act["event"],
        "occurred_at": at,
        "day": clock.day_number(at),
        "account_id": account_id,
        "person_id": person_id,
        "verb": act["verb"],
        "object_key": act.get("object"),
        "parent_key": act.get("parent"),
        "group_key": act.get("group"),
        "group_kind": act.get("group_kind", ""),
        "recipient_id": accounts[recipient][0] if recipient else None,
        "client": act.get("client", Client.UNKNOWN.value),
        "kind": act.get("kind", Kind.EVENT.value),
        "count": act.get("count", 1),
    }


def _take_back(connector_id: int, objects: Sequence[str]) -> None:
    taken = db.session.scalars(
        delete(Usage)
        .where(Usage.connector_id == connector_id, Usage.object_key.in_(objects))
        .returning(Usage.person_id)
    ).all()
    changed = frozenset(person_id for person_id in taken if person_id is not None)
    if changed:
        publish(EvidenceChanged(changed))

"""From deliveries to the ledger: idempotent, in short transactions, in sets.

One delivery may hold thousands of acts; each transaction takes some hundreds at most, so that
SQLite's one writer never keeps a learner waiting. A crash in between is harmless: an act that is there
already is skipped by its key.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import select, update

from esn.ledger.accounts import link_accounts, note_accounts
from esn.ledger.groups import note_groups
from esn.ledger.records import Whitelisted
from esn.ledger.write import take_back, write_acts
from esn.models import Delivery
from lms import clock
from lms.db import db, transaction

log = logging.getLogger(__name__)

ACTS_IN_A_TRANSACTION = 400  # some forty milliseconds
# What a worker leaves between two transactions, so that a waiting request gets its turn.
PAUSE_SECONDS = 0.005
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
            _note(delivery_id, tries=Delivery.tries + 1)
            continue
        _note(delivery_id, done_at=clock.now(), payload=None)


def _note(delivery_id: int, **values: object) -> None:
    # By id alone, and it may be gone: an administrator can throw deliveries away.
    with transaction():
        db.session.execute(update(Delivery).where(Delivery.id == delivery_id).values(**values))


def _normalise(connector_id: int, payload: Whitelisted) -> None:
    if payload.get("groups"):
        with transaction():
            note_groups(connector_id, payload["groups"])
    for accounts in slices(payload["accounts"], ACTS_IN_A_TRANSACTION):
        with transaction():
            note_accounts(connector_id, accounts)
    if payload["accounts"]:
        link_accounts()
    for acts in slices(payload["acts"], ACTS_IN_A_TRANSACTION):
        with transaction():
            write_acts(connector_id, acts)
        time.sleep(PAUSE_SECONDS)
    for keys in slices(payload["removed"], ACTS_IN_A_TRANSACTION):
        with transaction():
            take_back(connector_id, keys)


def slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into parts of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

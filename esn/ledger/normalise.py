"""From deliveries to the ledger: idempotent, in short transactions, in sets.

One delivery may hold thousands of acts; each transaction takes some hundreds at most, so that
SQLite's one writer never keeps a learner waiting. A crash in between is harmless: an act that is there
already is skipped by its key.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Row, select, update

from esn.ledger.accounts import link_accounts, note_accounts
from esn.ledger.groups import note_groups
from esn.ledger.records import Whitelisted
from esn.ledger.write import take_back, write_acts
from esn.models import Delivery
from lms import clock
from lms.db import db, transaction, writing

log = logging.getLogger(__name__)

ACTS_IN_A_TRANSACTION = 400  # some forty milliseconds
# What a worker leaves between two transactions, so that a waiting request gets its turn.
PAUSE_SECONDS = 0.005
DELIVERIES_TOGETHER = 10
TRIES = 5
T = TypeVar("T")


def normalise_deliveries() -> None:
    """Bring every waiting delivery into the ledger, oldest first (the job `esn.normalise`).

    Several of one network are taken together, as if they were one: senders often send little. Where
    that goes wrong each is tried alone, so that a bad one does not hold up the others.
    """
    passed_over: set[int] = set()
    while waiting := _next(passed_over):
        if len(waiting) > 1 and _settle(waiting):
            continue
        for delivery in waiting:
            if not _settle([delivery]):
                passed_over.add(delivery.id)
                _note([delivery.id], tries=Delivery.tries + 1)


def _next(passed_over: Collection[int]) -> list[Row[Any]]:
    """Return the oldest deliveries that wait, all of one connector; one that failed before, alone."""
    with writing(False):
        db.session.rollback()
        rows = db.session.execute(
            select(Delivery.id, Delivery.connector_id, Delivery.payload, Delivery.tries)
            .where(Delivery.done_at.is_(None), Delivery.tries < TRIES)
            .where(Delivery.id.not_in(passed_over))
            .order_by(Delivery.id)
            .limit(DELIVERIES_TOGETHER)
        ).all()
        db.session.rollback()
    together = itertools.takewhile(
        lambda row: row.connector_id == rows[0].connector_id and row.tries == 0, rows
    )
    return list(together) or list(rows[:1])


def _settle(deliveries: Sequence[Row[Any]]) -> bool:
    """Bring these into the ledger and say so; False, and one alone is logged, where it failed."""
    try:
        _normalise(deliveries[0].connector_id, _together([one.payload for one in deliveries]))
    except Exception as error:
        if len(deliveries) == 1:
            # The text of an error can carry values: only its kind is logged.
            kind = type(error).__name__
            log.error("delivery %s could not be read: %s", deliveries[0].id, kind)
        return False
    _note([one.id for one in deliveries], done_at=clock.now(), payload=None)
    return True


def _together(payloads: Sequence[Whitelisted]) -> Whitelisted:
    if len(payloads) == 1:
        return payloads[0]
    joined = Whitelisted(accounts=[], acts=[], removed=[], groups=[])
    for payload in payloads:
        joined["accounts"] += payload["accounts"]
        joined["acts"] += payload["acts"]
        joined["removed"] += payload["removed"]
        joined["groups"] += payload.get("groups", [])
    return joined


def _note(delivery_ids: Sequence[int], **values: object) -> None:
    # By id alone, and they may be gone: an administrator can throw deliveries away.
    with transaction():
        db.session.execute(update(Delivery).where(Delivery.id.in_(delivery_ids)).values(**values))


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

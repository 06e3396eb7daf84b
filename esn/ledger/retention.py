"""Retention: what is older than the setting says goes, a few hundred rows at a time."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, and_, delete, or_, select

from esn.ledger.normalise import PAUSE_SECONDS, TRIES
from esn.ledger.write import note_forgotten
from esn.models import Delivery, Removed, Usage
from lms import clock
from lms.db import db, transaction

ROWS_AT_ONCE = 500
# A repeated delivery is known as such for longer than any replay window; what it held is gone.
KEEP_DONE = dt.timedelta(days=2)
KEEP_UNREADABLE = dt.timedelta(days=30)


def forget_old() -> None:
    """Delete what is too old (the job `esn.retention`).

    LMS_ESN_RETENTION_DAYS: for acts and removals; 0 keeps them. Awards that rest on acts keep their
    own counts (`certificates`), and are not touched.
    """
    now = clock.now()
    _delete(
        Delivery,
        Delivery.id,
        or_(
            Delivery.done_at < now - KEEP_DONE,
            and_(Delivery.tries >= TRIES, Delivery.received_at < now - KEEP_UNREADABLE),
        ),
    )
    days: int = current_app.config["LMS_ESN_RETENTION_DAYS"]
    if days > 0:
        before = now - dt.timedelta(days=days)
        _forget_acts(clock.day_number(before))
        _delete(Removed, Removed.key, Removed.removed_at < before)


def _forget_acts(before_day: int) -> None:
    while True:
        with transaction():
            ids = select(Usage.id).where(Usage.day < before_day).limit(ROWS_AT_ONCE)
            gone = db.session.scalars(
                delete(Usage).where(Usage.id.in_(ids)).returning(Usage.connector_id)
            ).all()
            note_forgotten(gone)
        if len(gone) < ROWS_AT_ONCE:
            return
        time.sleep(PAUSE_SECONDS)


def _delete(model: type[Any], key: Any, old: ColumnElement[bool]) -> None:
    while True:
        with transaction():
            keys = db.session.scalars(select(key).where(old).limit(ROWS_AT_ONCE)).all()
            db.session.execute(delete(model).where(key.in_(keys), old))
        if len(keys) < ROWS_AT_ONCE:
            return
        time.sleep(PAUSE_SECONDS)

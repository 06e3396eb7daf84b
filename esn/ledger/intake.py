"""Taking a delivery in: whitelisted content becomes a durable row, and a job is woken."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite

from esn.ledger.groups import note_groups
from esn.ledger.records import Whitelisted
from esn.models import Connector, Delivery
from lms import clock
from lms.db import db
from lms.jobs.queue import wake

NORMALISE = "esn.normalise"
BACKFILL = "esn.backfill"


def take_in(connector: Connector, key: str, content: Whitelisted) -> bool:
    """Store a delivery to be normalised; False where the same one (by `key`) is there already.

    One of which nothing is kept leaves no row.
    """
    moment = clock.now()
    _note_heard(connector, moment)
    if content.get("look_again"):
        wake(BACKFILL)
    if not any(content.get(part) for part in ("accounts", "acts", "removed", "groups")):
        return True
    dialect = db.session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    stored = db.session.execute(
        insert(Delivery)
        .values(
            connector_id=connector.id, key=key, received_at=moment, payload=dict(content), tries=0
        )
        .on_conflict_do_nothing()
        .returning(Delivery.id)
    ).scalar_one_or_none()
    if stored is None:
        return False
    closed = [group for group in content.get("groups", ()) if not group["open"]]
    if closed:  # at once: the next delivery must not be read as if the group were still open
        note_groups(connector.id, closed)
    wake(NORMALISE)
    return True


def _note_heard(connector: Connector, moment: dt.datetime) -> None:
    silent = moment - (connector.last_delivery_at or moment)
    db.session.execute(
        update(Connector)
        .where(Connector.id == connector.id)
        .values(
            last_delivery_at=moment,
            longest_silence_seconds=max(
                connector.longest_silence_seconds, int(silent.total_seconds())
            ),
        )
    )

"""Reading a network's past: page by page, each stored with the place from which to go on.

The network is spoken to outside of any transaction: it may take its time, and nobody waits for it.
"""

from __future__ import annotations

import datetime as dt
import logging

from flask import current_app
from sqlalchemy import select, update

from esn.connectors.contract import Known as KnownHere
from esn.connectors.contract import NetworkConnector, Page, get_kind
from esn.digests import digest
from esn.ledger.groups import counted_groups, groups_left_out, note_groups
from esn.ledger.intake import take_in
from esn.models import Account, Connector
from lms import clock
from lms.db import db, transaction
from lms.errors import DomainError, Sentence, kept

TROUBLE_MOST = 300  # characters, as its column holds
log = logging.getLogger(__name__)


def backfill_connectors() -> None:
    """Read back every active connector whose network can be asked (the job `esn.backfill`)."""
    with transaction():
        ids = list(db.session.scalars(select(Connector.id).where(Connector.active)))
    for connector_id in ids:
        backfill(connector_id)


def backfill(connector_id: int) -> None:
    """Read one connector's network back, from where its cursor says; trouble is noted in words."""
    with transaction():
        connector = db.session.get_one(Connector, connector_id)
        kind = get_kind(connector.kind)
        if not kind.reads_back or kind.setting_up(connector) is not None:
            return
        known = _known(connector_id)
        db.session.flush()
        db.session.expunge(connector)  # from here on nothing of it opens a transaction
    trouble = _read(kind, connector, known)
    with transaction():
        db.session.execute(
            update(Connector)
            .where(Connector.id == connector_id)
            .values(backfilled_at=clock.now(), trouble=trouble)
        )


def _read(kind: NetworkConnector, connector: Connector, known: KnownHere) -> str:
    troubles: dict[str, None] = {}
    try:
        for page in kind.backfill(connector, known):
            troubles[kept(page.trouble)] = None
            _store(connector, page)
    except DomainError as error:
        whole = kept(error.sentence)
        return whole if len(whole) <= TROUBLE_MOST else str(error)[:TROUBLE_MOST]
    except Exception as error:
        # The text of an error can carry what the network sent: only its kind is logged.
        log.error("backfill of connector %s failed: %s", connector.id, type(error).__name__)
        return Sentence("Something went wrong while the network was read. It is tried again.")
    return "\n".join(filter(None, troubles))[:TROUBLE_MOST]


def _store(connector: Connector, page: Page) -> None:
    content = page.content
    with transaction():
        if content.get("groups"):
            note_groups(connector.id, content["groups"])
        if content["acts"]:
            rooms = {act["group"] for act in content["acts"] if "group" in act}
            kinds = counted_groups(connector.id, rooms)
            content["acts"] = [
                {**act, "group_kind": kinds[act["group"]]} if "group" in act else act
                for act in content["acts"]
                if act.get("group", "") in kinds or "group" not in act
            ]
        if content["acts"] or content["accounts"] or content["removed"]:
            key = digest("backfill", connector.uid, _mark(page))
            take_in(connector, key, content)
        db.session.execute(
            update(Connector).where(Connector.id == connector.id).values(cursor=page.cursor)
        )


def _mark(page: Page) -> str:
    # The same content is the same page, wherever the cursor stood when it was read.
    content = page.content
    return digest(
        "page",
        *(act["event"] for act in content["acts"]),
        *content["removed"],
        *(f"{one['account']}:{','.join(one['matches'])}" for one in content["accounts"]),
    )


def _known(connector_id: int) -> KnownHere:
    days: int = current_app.config["LMS_ESN_RETENTION_DAYS"]
    return KnownHere(
        left_out=groups_left_out(connector_id),
        linked=frozenset(
            db.session.scalars(
                select(Account.key).where(
                    Account.connector_id == connector_id, Account.person_id.is_not(None)
                )
            )
        ),
        since=clock.now() - dt.timedelta(days=days) if days else None,
    )


def read_again(connector: Connector) -> None:
    """Forget how far the past was read: the next backfill begins anew; nothing counts twice."""
    connector.cursor = {}

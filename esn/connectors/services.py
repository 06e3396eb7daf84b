"""Making and changing connectors: an administrator's acts, each noted in the audit log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, or_, select, update

from esn.connectors.contract import get_kind
from esn.ledger.normalise import TRIES
from esn.models import SECRET_OVERLAP, Connector, Delivery
from esn.secrets import new_secret, seal
from lms import audit, clock
from lms.db import db
from lms.errors import NotFound
from lms.people.models import Identity


def add_connector(
    kind: str, label: str, actor_id: int | None = None, **settings: Any
) -> tuple[Connector, str]:
    """Add a connector; return it with its new secret, which is shown once and never again."""
    get_kind(kind)
    secret = new_secret()
    connector = Connector(kind=kind, label=label, secret=seal(secret), settings=settings)
    db.session.add(connector)
    db.session.flush()
    audit.note("esn.connector.added", f"connector/{connector.uid}", actor_id, kind=kind)
    return connector, secret


def rotate_secret(connector: Connector, actor_id: int | None = None) -> str:
    """Give a connector a new secret and return it; the earlier one stays valid for seven days."""
    secret = new_secret()
    connector.secret_before = connector.secret
    connector.secret_before_until = clock.now() + SECRET_OVERLAP
    connector.secret = seal(secret)
    audit.note("esn.connector.secret", f"connector/{connector.uid}", actor_id)
    return secret


def switch(connector: Connector, on: bool, actor_id: int | None = None) -> None:
    """Take deliveries from now on, or refuse them."""
    connector.active = on
    audit.note("esn.connector.switched", f"connector/{connector.uid}", actor_id, on=on)


def settle_unreadable(connector: Connector, again: bool, actor_id: int | None = None) -> int:
    """Try deliveries that could not be read once more, or throw them away; return how many."""
    where = (
        Delivery.connector_id == connector.id,
        Delivery.done_at.is_(None),
        Delivery.tries >= TRIES,
    )
    change: Any = update(Delivery).values(tries=0) if again else delete(Delivery)
    count = len(db.session.scalars(change.where(*where).returning(Delivery.id)).all())
    act = "esn.deliveries.again" if again else "esn.deliveries.thrown_away"
    audit.note(act, f"connector/{connector.uid}", actor_id, count=count)
    return count


def person_by_key(key: str) -> int | None:
    """Return the id of the person with this address or employee number, or None."""
    wanted = key.strip()
    return db.session.scalar(
        select(Identity.person_id).where(
            or_(func.lower(Identity.email) == wanted.lower(), Identity.employee_number == wanted)
        )
    )


def get_connector(uid: str) -> Connector:
    """Return the connector; raises NotFound."""
    found = db.session.scalar(select(Connector).where(Connector.uid == uid))
    if found is None:
        raise NotFound("There is no such connector.")
    return found

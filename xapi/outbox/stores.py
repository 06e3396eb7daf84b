"""The record stores that administrators add, change, pause and remove."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

from sqlalchemy import delete, func, select, update

from lms import audit, clock
from lms.addresses import read_address
from lms.db import db, transaction, writing
from lms.errors import Invalid, NotFound
from lms.plugin import enabled
from xapi.lrs.models import LrsStatement
from xapi.outbox.models import (
    Backfill,
    BackfillPerson,
    Forward,
    Parked,
    Pending,
    Store,
    TargetState,
)
from xapi.sealed import seal

NAME_MOST = 30
SWEPT_ROWS = 500


def is_alone() -> bool:
    """Tell whether statements are all that this installation is for: it records none itself."""
    return len(enabled()) == 1


def list_all() -> Sequence[Store]:
    """Return every record store that was added and not removed, in the order of their making."""
    return db.session.scalars(
        select(Store).where(Store.removed_at.is_(None)).order_by(Store.id)
    ).all()


def names() -> Sequence[str]:
    """Return their names; those that are paused too."""
    return db.session.scalars(
        select(Store.name).where(Store.removed_at.is_(None)).order_by(Store.id)
    ).all()


def removed() -> Sequence[str]:
    """Return the names of those that were removed, and have rows that are still taken away."""
    return db.session.scalars(select(Store.name).where(Store.removed_at.is_not(None))).all()


def get(name: str) -> Store:
    """Return one; raises NotFound."""
    found = db.session.scalar(select(Store).where(Store.name == name, Store.removed_at.is_(None)))
    if found is None:
        raise NotFound("There is no record store of this name.")
    return found


def add(
    label: str,
    endpoint: str,
    key: str,
    secret: str,
    version: str,
    *,
    everything: bool = False,
    but_not: str = "",
    taken: Collection[str] = (),
    actor_id: int | None = None,
) -> Store:
    """Add a record store; it gets what is recorded from the commit on. Raises Invalid.

    taken: names that other targets have.
    """
    made = Store(
        name="", label="", endpoint="", key="", secret=b"", version=version, but_not=but_not
    )
    _fill(made, label, endpoint, key, secret)
    made.name = _free_name(made.label, taken)
    made.everything = everything
    made.position = _newest() if everything else 0
    db.session.add(made)
    db.session.flush()
    audit.note("xapi.store.added", f"target/{made.name}", actor_id, address=made.endpoint)
    return made


def change(
    store: Store,
    label: str,
    endpoint: str,
    key: str,
    secret: str,
    version: str,
    *,
    everything: bool,
    but_not: str,
    actor_id: int | None = None,
) -> None:
    """Change a record store; an empty secret leaves the one it has. Raises Invalid."""
    moved = read_endpoint(endpoint) != store.endpoint
    if moved and not secret:
        # Or whoever may change the address could have the secret sent to an address of their own.
        raise Invalid("It leads elsewhere: type the secret in again.", "secret")
    _fill(store, label, endpoint, key, secret)
    store.version = version
    store.but_not = but_not
    if everything and not store.everything:
        store.position = _newest()
    store.everything = everything
    _try_now(store)
    audit.note("xapi.store.changed", f"target/{store.name}", actor_id, address=store.endpoint)


def pause(store: Store, paused: bool, actor_id: int | None = None) -> None:
    """Send nothing until it is resumed, or go on; what is recorded meanwhile waits."""
    store.paused = paused
    if not paused:
        _try_now(store)
    act = "xapi.store.paused" if paused else "xapi.store.resumed"
    audit.note(act, f"target/{store.name}", actor_id)


def remove(store: Store, actor_id: int | None = None) -> None:
    """Send nothing any more, and forget what waits for it; what it holds stays there."""
    store.removed_at = clock.now()
    store.secret = b""
    audit.note("xapi.store.removed", f"target/{store.name}", actor_id)


def sweep_removed() -> None:
    """Take away what waited for removed record stores, a few hundred rows at a time."""
    db.session.rollback()
    with writing(False):
        gone = list(removed())
        db.session.rollback()
    for name in gone:
        while _sweep(name):
            pass


def read_endpoint(text: str) -> str:
    """Return an endpoint as it is kept, with a slash at its end; raises Invalid, at its field."""
    address = read_address(text, "endpoint")
    return address if address.endswith("/") else address + "/"


def _fill(store: Store, label: str, endpoint: str, key: str, secret: str) -> None:
    store.label = " ".join(label.split())[:120]
    if not store.label:
        raise Invalid("Give it a name.", "label")
    store.endpoint = read_endpoint(endpoint)
    if not key or ":" in key:
        raise Invalid("Write the key as it was given to you; it holds no colon.", "key")
    store.key = key
    if secret:
        store.secret = seal(secret)
    elif not store.secret:
        raise Invalid("Write the secret that belongs to the key.", "secret")


def _free_name(label: str, taken: Collection[str]) -> str:
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:NAME_MOST].strip("-") or "store"
    # Names that only have rows left count too: nothing that waits for one is sent to another.
    used = {*taken, *db.session.scalars(select(Store.name))}
    used |= set(db.session.scalars(select(TargetState.target)))
    number, free = 1, name
    while free in used:
        number += 1
        free = f"{name}-{number}"
    return free


def _try_now(store: Store) -> None:
    """Wait no longer for what failed before: perhaps it is mended by this very change."""
    db.session.execute(
        update(TargetState).where(TargetState.target == store.name).values(next_try_at=None)
    )


def _newest() -> int:
    return db.session.scalar(select(func.max(LrsStatement.id))) or 0


def _sweep(name: str) -> bool:
    """Take some rows away; return whether there may be more."""
    with transaction() as session:
        for model, column in (
            (Pending, Pending.outbox_id),
            (Parked, Parked.outbox_id),
            (Forward, Forward.statement),
            (BackfillPerson, BackfillPerson.person_id),
        ):
            ids = session.scalars(
                select(column).where(model.target == name).limit(SWEPT_ROWS)
            ).all()
            if ids:
                session.execute(delete(model).where(model.target == name, column.in_(ids)))
                return True
        session.execute(delete(TargetState).where(TargetState.target == name))
        session.execute(delete(Backfill).where(Backfill.target == name))
        session.execute(delete(Store).where(Store.name == name, Store.removed_at.is_not(None)))
    return False

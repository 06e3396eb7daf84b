"""Writing to the ledger: acts, removals; idempotent, in any order, in sets.

Whatever the order in which deliveries come, and however often, the ledger ends the same: an act is
known by its event, a removal is remembered, and whom an act answers is found whichever of the two
came first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from esn.ledger.accounts import note_accounts
from esn.ledger.records import ActRecord
from esn.models import Account, Removed, Usage
from esn.statements import record_acts
from esn.vocabulary import CREATING, Client, Kind
from lms import clock
from lms.db import db
from lms.events import EvidenceChanged, publish
from xapi.api import void_many

_TABLE: Any = Usage.__table__


def insert_new(model: type[Any]) -> Any:
    """Return an insert that leaves out rows that are there already, for the present database."""
    dialect = db.session.get_bind().dialect.name
    made: Any = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(model)
    return made.on_conflict_do_nothing()


def write_acts(connector_id: int, acts: Sequence[ActRecord]) -> None:
    """Add acts that are not in the ledger yet, in the present transaction."""
    acts = _without_removed(connector_id, acts)
    if not acts:
        return
    accounts = _accounts(connector_id, acts)
    rows = sorted(
        (_row(connector_id, act, accounts) for act in acts), key=lambda row: row["event_key"]
    )
    added = db.session.execute(insert_new(Usage).returning(*RETURNED), rows).all()
    changed = {row.person_id for row in added} | _find_recipients(connector_id, added)
    record_acts(added)
    tell(changed)


def take_back(connector_id: int, keys: Sequence[str]) -> None:
    """Take back the acts that made this content, or that are these events; and remember it.

    What statements told of them is voided.
    """
    moment = clock.now()
    db.session.execute(
        insert_new(Removed),
        [
            {"connector_id": connector_id, "key": key, "removed_at": moment}
            for key in sorted(set(keys))
        ],
    )
    taken = db.session.execute(
        delete(Usage)
        .where(
            Usage.connector_id == connector_id,
            or_(Usage.object_key.in_(keys), Usage.event_key.in_(keys)),
        )
        .returning(Usage.person_id, Usage.statement_id)
    ).all()
    void_many([(row.person_id, row.statement_id) for row in taken if row.statement_id])
    tell(row.person_id for row in taken)


def tell(person_ids: Iterable[int | None]) -> None:
    """Say that what is known of these people has changed."""
    changed = frozenset(one for one in person_ids if one is not None)
    if changed:
        publish(EvidenceChanged(changed))


# What a statement about an act, and the search for whom it answers, need to know.
RETURNED = (
    Usage.id,
    Usage.person_id,
    Usage.account_id,
    Usage.occurred_at,
    Usage.verb,
    Usage.object_key,
    Usage.parent_key,
    Usage.group_key,
    Usage.group_kind,
    Usage.recipient_id,
    Usage.client,
    Usage.kind,
    Usage.count,
)


def _without_removed(connector_id: int, acts: Sequence[ActRecord]) -> Sequence[ActRecord]:
    keys = {act["event"] for act in acts} | {act["object"] for act in acts if "object" in act}
    gone = set(
        db.session.scalars(
            select(Removed.key).where(Removed.connector_id == connector_id, Removed.key.in_(keys))
        )
    )
    if not gone:
        return acts
    return [act for act in acts if act["event"] not in gone and act.get("object") not in gone]


def _accounts(connector_id: int, acts: Sequence[ActRecord]) -> Mapping[str, tuple[int, int | None]]:
    keys = {act["actor"] for act in acts} | {act["recipient"] for act in acts if "recipient" in act}
    known = _known(connector_id, keys)
    new = sorted(keys - known.keys())
    if new:
        note_accounts(connector_id, [{"account": key, "matches": []} for key in new])
        known = {**known, **_known(connector_id, new)}
    return known


def _known(connector_id: int, keys: Collection[str]) -> dict[str, tuple[int, int | None]]:
    found = select(Account.key, Account.id, Account.person_id).where(
        Account.connector_id == connector_id, Account.key.in_(keys)
    )
    return {key: (account, person) for key, account, person in db.session.execute(found)}


def _row(
    connector_id: int, act: ActRecord, accounts: Mapping[str, tuple[int, int | None]]
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


def _find_recipients(connector_id: int, added: Sequence[Row[Any]]) -> set[int | None]:
    """Find whom the new acts answer, and which earlier acts answer the new ones."""
    answers = [row.id for row in added if row.parent_key and row.recipient_id is None]
    made = [row.object_key for row in added if row.object_key and row.verb in CREATING]
    parent = aliased(Usage)
    pairs = (
        select(Usage.id, Usage.person_id, parent.account_id.label("author_id"))
        .join(
            parent,
            (parent.connector_id == Usage.connector_id)
            & (parent.object_key == Usage.parent_key)
            & parent.verb.in_(CREATING),
        )
        .where(Usage.connector_id == connector_id, Usage.recipient_id.is_(None))
    )
    found: dict[int, Row[Any]] = {}
    narrowed: list[Select[Any]] = []
    if answers:
        narrowed.append(pairs.where(Usage.id.in_(answers)))
    if made:
        narrowed.append(pairs.where(Usage.parent_key.in_(made)))
    for one in narrowed:
        found.update({row.id: row for row in db.session.execute(one)})
    if found:
        db.session.connection().execute(
            update(_TABLE)
            .where(_TABLE.c.id == bindparam("usage_id"))
            .values(recipient_id=bindparam("author_id")),
            [{"usage_id": row.id, "author_id": row.author_id} for row in found.values()],
        )
    return {row.person_id for row in found.values()}

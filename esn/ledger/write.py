"""Writing to the ledger: acts, removals; idempotent, in any order, in sets.

Whatever the order in which deliveries come, and however often, the ledger ends the same: an act is
known by its event, a removal is remembered, and whom an act answers is found whichever of the two
came first.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Row, bindparam, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from esn.ledger.accounts import note_accounts
from esn.ledger.records import ActRecord
from esn.models import Account, Connector, Removed, Usage
from esn.statements import LedgerRow, choose, record_acts
from esn.vocabulary import CREATING, Client, Kind
from lms import clock
from lms.db import db
from lms.events import EvidenceChanged, publish
from xapi.api import void_many

_TABLE: Any = Usage.__table__
_keys: BindParameter[Any] = bindparam("keys", expanding=True)
_GONE = select(Removed.key).where(
    Removed.connector_id == bindparam("connector"), Removed.key.in_(_keys)
)
_KNOWN = select(Account.key, Account.id, Account.person_id).where(
    Account.connector_id == bindparam("connector"), Account.key.in_(_keys)
)


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
    once = {act["event"]: act for act in reversed(acts)}  # told twice in one breath: the first
    rows = [_row(connector_id, act, accounts) for _event, act in sorted(once.items())]
    told = choose(rows)
    for row in told:
        row["statement_id"] = str(uuid.uuid4())
    ids = dict(
        db.session.connection()
        .execute(insert_new(_TABLE).returning(_TABLE.c.event_key, _TABLE.c.id), rows)
        .tuples()
        .all()
    )
    added = [row for row in rows if row["event_key"] in ids]
    changed = {row["person_id"] for row in added} | _find_recipients(connector_id, added, ids)
    record_acts([row for row in told if row["event_key"] in ids])
    tell(changed)
    _note(connector_id, len(added), any(row["client"] != Client.UNKNOWN for row in added))


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
    _note(connector_id, -len(taken))


def note_forgotten(connector_ids: Iterable[int]) -> None:
    """Keep the counts of acts right where some of these connectors' were deleted for their age."""
    for connector_id, acts in sorted(Counter(connector_ids).items()):
        _note(connector_id, -acts)


def _note(connector_id: int, acts: int, told_client: bool = False) -> None:
    """Keep with the connector what nobody shall have to count: last, as others wait for its row."""
    if not acts:
        return
    values: dict[str, Any] = {"acts": Connector.acts + acts}
    if told_client:
        values["told_client"] = True
    db.session.execute(
        update(Connector)
        .where(Connector.id == connector_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def tell(person_ids: Iterable[int | None]) -> None:
    """Say that what is known of these people has changed."""
    changed = frozenset(one for one in person_ids if one is not None)
    if changed:
        publish(EvidenceChanged(changed))


def _without_removed(connector_id: int, acts: Sequence[ActRecord]) -> Sequence[ActRecord]:
    keys = {act["event"] for act in acts} | {act["object"] for act in acts if "object" in act}
    asked = {"connector": connector_id, "keys": list(keys)}
    gone = set(db.session.connection().scalars(_GONE, asked))
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
    asked = {"connector": connector_id, "keys": list(keys)}
    rows = db.session.connection().execute(_KNOWN, asked)
    return {key: (account, person) for key, account, person in rows}


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
        "statement_id": None,
    }


def _find_recipients(
    connector_id: int, added: Collection[LedgerRow], ids: Mapping[str, int]
) -> set[int | None]:
    """Find whom the new acts answer, and which earlier acts answer the new ones."""
    answers = [
        ids[row["event_key"]] for row in added if row["parent_key"] and row["recipient_id"] is None
    ]
    made = [row["object_key"] for row in added if row["object_key"] and row["verb"] in CREATING]
    connection = db.session.connection()
    found: dict[int, Row[Any]] = {}
    for asked, keys in ((_ANSWERING, answers), (_ANSWERED, made)):
        if keys:
            rows = connection.execute(asked, {"connector": connector_id, "keys": keys})
            found.update({row.id: row for row in rows})
    if found:
        connection.execute(
            update(_TABLE)
            .where(_TABLE.c.id == bindparam("usage_id"))
            .values(recipient_id=bindparam("author_id")),
            [{"usage_id": row.id, "author_id": row.author_id} for row in found.values()],
        )
    return {row.person_id for row in found.values()}


_parent = _TABLE.alias()
_pairs = (
    select(_TABLE.c.id, _TABLE.c.person_id, _parent.c.account_id.label("author_id"))
    .join(
        _parent,
        (_parent.c.connector_id == _TABLE.c.connector_id)
        & (_parent.c.object_key == _TABLE.c.parent_key)
        & _parent.c.verb.in_(CREATING),
    )
    .where(_TABLE.c.connector_id == bindparam("connector"), _TABLE.c.recipient_id.is_(None))
)
_ANSWERING = _pairs.where(_TABLE.c.id.in_(_keys))
_ANSWERED = _pairs.where(_TABLE.c.parent_key.in_(_keys))

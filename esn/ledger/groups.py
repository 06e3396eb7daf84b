"""Groups of networks that say which of them are open to everybody: only those are read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select, update

from esn.ledger.records import GroupRecord
from esn.models import Connector, Group, GroupState, Usage
from lms import audit
from lms.db import db
from lms.errors import NotFound

NAME_MAX_CHARS = 200


def note_groups(connector_id: int, records: Sequence[GroupRecord]) -> None:
    """Write down which groups are open. A group that is closed loses its name at once."""
    for record in records:
        group = find_group(connector_id, record["group"])
        if group is None:
            group = Group(connector_id=connector_id, key=record["group"])
            db.session.add(group)
        if not record["open"]:
            group.state, group.name = GroupState.CLOSED.value, ""
            continue
        if group.state == GroupState.CLOSED.value:
            group.state = GroupState.COUNTED.value
        if "name" in record:
            group.name = record["name"][:NAME_MAX_CHARS]
    db.session.flush()


def find_group(connector_id: int, key: str) -> Group | None:
    """Return the group with this digest, or None."""
    return db.session.scalar(
        select(Group).where(Group.connector_id == connector_id, Group.key == key)
    )


def counted_groups(connector_id: int, keys: Collection[str]) -> dict[str, str]:
    """Of these groups, return those that count, each with its kind."""
    rows = db.session.execute(
        select(Group.key, Group.kind).where(
            Group.connector_id == connector_id,
            Group.key.in_(keys),
            Group.state == GroupState.COUNTED.value,
        )
    )
    return dict(rows.tuples().all())


def groups_left_out(connector_id: int) -> frozenset[str]:
    """Return the groups that an administrator does not want to be read."""
    return frozenset(
        db.session.scalars(
            select(Group.key).where(
                Group.connector_id == connector_id, Group.state == GroupState.LEFT_OUT.value
            )
        )
    )


def change_group(
    connector: Connector, group_id: int, kind: str, counted: bool, by: int | None
) -> Group:
    """Say of what kind a group is and whether it counts; acts already read get the new kind.

    Raises NotFound. Whether a closed group counts is not an administrator's to say.
    """
    group = db.session.get(Group, group_id)
    if group is None or group.connector_id != connector.id:
        raise NotFound("There is no such group.")
    if group.state != GroupState.CLOSED.value:
        group.state = (GroupState.COUNTED if counted else GroupState.LEFT_OUT).value
    if group.kind != kind:
        group.kind = kind
        db.session.execute(
            update(Usage)
            .where(Usage.connector_id == connector.id, Usage.group_key == group.key)
            .values(group_kind=kind)
        )
    audit.note(
        "esn.group.changed", f"connector/{connector.uid}", by, group=group.id, counted=counted
    )
    return group

"""Attachments of stored statements: their bytes, once each, and which statements they came with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from lms.db import db
from xapi.lrs.models import LrsAttachment, LrsStatement, LrsStatementAttachment
from xapi.lrs.multipart import attachments_of


def keep(statements: Mapping[int, Mapping[str, Any]], brought: Mapping[str, bytes]) -> None:
    """Note which attachments new statements, by row id, name; keep the bytes that came with them."""
    named = [
        {"sha2": sha2, "statement": row_id, "brought": sha2 in brought}
        for row_id, statement in statements.items()
        for sha2 in sorted({one["sha2"].lower() for one in attachments_of(statement)})
    ]
    if named:
        db.session.execute(insert(LrsStatementAttachment), named)
    _keep_bytes({one["sha2"] for one in named}, brought)


def bring(statement_ids: Sequence[str], brought: Mapping[str, bytes]) -> None:
    """Keep what comes with statements that are sent once more, if it did not come at first."""
    link = LrsStatementAttachment
    rows = select(LrsStatement.id).where(LrsStatement.statement_id.in_(statement_ids))
    missing = (link.statement.in_(rows), link.sha2.in_(sorted(brought)), link.brought.is_(False))
    named = set(db.session.scalars(select(link.sha2).where(*missing)))
    if named:
        db.session.execute(update(link).where(*missing).values(brought=True))
        _keep_bytes(named, brought)


def _keep_bytes(named: Set[str], brought: Mapping[str, bytes]) -> None:
    wanted = named & brought.keys()
    if not wanted:
        return
    known = set(
        db.session.scalars(select(LrsAttachment.sha2).where(LrsAttachment.sha2.in_(sorted(wanted))))
    )
    fresh = [{"sha2": sha2, "content": brought[sha2]} for sha2 in sorted(wanted - known)]
    if fresh:
        db.session.execute(insert(LrsAttachment), fresh)


def contents(row_ids: Collection[int]) -> dict[str, tuple[int, bytes]]:
    """Return the bytes that came with these statements, by their hash, in its order.

    And the row of the first statement that they came with: its word is what holds for them.
    """
    link = LrsStatementAttachment
    first = (
        select(link.sha2, func.min(link.statement).label("statement"))
        .where(link.statement.in_(row_ids), link.brought.is_(True))
        .group_by(link.sha2)
        .subquery()
    )
    rows = db.session.execute(
        select(LrsAttachment.sha2, first.c.statement, LrsAttachment.content)
        .join(first, first.c.sha2 == LrsAttachment.sha2)
        .order_by(LrsAttachment.sha2)
    )
    return {row.sha2: (row.statement, row.content) for row in rows}


def hashes_of(statement_id: str) -> frozenset[str]:
    """Return the hashes of those attachments of a statement whose bytes came with it."""
    link = LrsStatementAttachment
    asked = select(link.sha2).where(_is_of(statement_id), link.brought.is_(True))
    return frozenset(db.session.scalars(asked))


def content_of(statement_id: str, sha2: str) -> bytes | None:
    """Return the bytes of an attachment of a statement, or None where they did not come with it."""
    asked = select(LrsAttachment.content)
    found: bytes | None = db.session.scalar(
        asked.where(LrsAttachment.sha2 == sha2.lower(), came_with(_is_of(statement_id)))
    )
    return found


def came_with(statements: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that an attachment came with a statement of these.

    statements: a condition on `LrsStatementAttachment.statement`.
    """
    link = LrsStatementAttachment
    return (
        select(link.sha2)
        .where(link.sha2 == LrsAttachment.sha2, link.brought.is_(True), statements)
        .exists()
    )


def _is_of(statement_id: str) -> ColumnElement[bool]:
    row = select(LrsStatement.id).where(LrsStatement.statement_id == statement_id.lower())
    return LrsStatementAttachment.statement == row.scalar_subquery()


def forget(row_ids: Sequence[int]) -> None:
    """Remove what is noted for statements, and the bytes that came with no other."""
    link = LrsStatementAttachment
    named = list(db.session.scalars(select(link.sha2).where(link.statement.in_(row_ids))))
    if not named:
        return
    db.session.execute(delete(link).where(link.statement.in_(row_ids)))
    kept = select(link.sha2).where(link.sha2 == LrsAttachment.sha2, link.brought.is_(True))
    db.session.execute(delete(LrsAttachment).where(LrsAttachment.sha2.in_(named), ~kept.exists()))

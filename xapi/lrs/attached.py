"""Attachments of stored statements: their bytes, once each, and which statements name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from lms.db import db
from xapi.lrs.models import LrsAttachment, LrsStatementAttachment
from xapi.lrs.multipart import attachments_of


def link(statements: Mapping[int, Mapping[str, Any]]) -> None:
    """Note which attachments these statements, by row id, name."""
    named = [
        {"sha2": sha2, "statement": row_id}
        for row_id, statement in statements.items()
        for sha2 in sorted({one["sha2"].lower() for one in attachments_of(statement)})
    ]
    if named:
        db.session.execute(insert(LrsStatementAttachment), named)


def keep(attachments: Mapping[str, bytes]) -> None:
    """Keep the bytes of attachments that are not here yet."""
    known = set(
        db.session.scalars(
            select(LrsAttachment.sha2).where(LrsAttachment.sha2.in_(sorted(attachments)))
        )
    )
    fresh = [
        {"sha2": sha2, "content": attachments[sha2]} for sha2 in sorted(attachments.keys() - known)
    ]
    if fresh:
        db.session.execute(insert(LrsAttachment), fresh)

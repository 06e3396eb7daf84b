"""Sending notices: a durable row in the caller's transaction, sent by a job."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from lms import clock
from lms.db import db
from lms.notices.models import Notice


def send(kind: str, person_id: int, key: str, **data: Any) -> None:
    """Send a notice of a declared kind, once for each `key`, however often it is asked."""
    if db.session.scalar(select(Notice.id).where(Notice.key == key)) is None:
        db.session.add(
            Notice(key=key, person_id=person_id, kind=kind, data=data, created_at=clock.now())
        )

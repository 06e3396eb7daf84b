"""The audit log: who changed what in the installation, in one readable line each.

It is about administration (a credential made, a person erased, a rule published), never about what
employees do in the network. A line holds opaque ids, no names and no secrets.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from lms import clock
from lms.db import Json, Model, UtcDateTime, db


class AuditEntry(Model):
    """One administrative act."""

    __tablename__ = "lms_audit"
    # Each ends as pages are ordered: a page is read without sorting what is before it.
    __table_args__ = (
        Index(None, "at", "id"),
        Index(None, "act", "at", "id"),
        Index(None, "actor_id", "at", "id"),
        Index(None, "subject", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("lms_person.id", ondelete="SET NULL"))
    act: Mapped[str] = mapped_column(String(80))  # "people.erased", "xapi.credential.made"
    subject: Mapped[str] = mapped_column(String(200))  # opaque: "person/4kq…", "course/welcome"
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


def note(act: str, subject: str, actor_id: int | None = None, **details: Any) -> None:
    """Write one line to the audit log, in the present transaction."""
    db.session.add(
        AuditEntry(at=clock.now(), actor_id=actor_id, act=act, subject=subject, details=details)
    )

"""People and where they stand in the organisation.

`Person` is opaque: an id for joins, a `uid` for addresses and statements, and what rules need
(department, role at work, day hired). Everything that says *who* it is, and everything that lets
them in, is in `Identity`: erasing a person empties that row and nothing else has to be searched.
"""

from __future__ import annotations

import datetime as dt
import secrets

from sqlalchemy import ForeignKey, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms import clock
from lms.db import Model, UtcDateTime

UID_BYTES = 16  # 128 bits from the system's random source


def new_uid() -> str:
    """Return a new opaque, unguessable id of 26 lower-case letters and digits."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return "".join(secrets.choice(alphabet) for _ in range(26))


class Unit(Model):
    """A part of the organisation: a department, a plant, a team; a tree."""

    __tablename__ = "lms_unit"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("lms_unit.id"), index=True)


class Person(Model):
    """Somebody, without saying who."""

    __tablename__ = "lms_person"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    active: Mapped[bool] = mapped_column(default=True)
    is_author: Mapped[bool] = mapped_column(default=False)
    is_manager: Mapped[bool] = mapped_column(default=False)
    is_administrator: Mapped[bool] = mapped_column(default=False)
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("lms_person.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("lms_unit.id"), index=True)
    job_role: Mapped[str] = mapped_column(String(80), default="")  # "people manager", "driver"
    hired_on: Mapped[dt.date | None]
    language: Mapped[str] = mapped_column(String(16), default="")
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=clock.now)

    identity: Mapped[Identity | None] = relationship(back_populates="person", lazy="select")
    unit: Mapped[Unit | None] = relationship(lazy="select")


class Identity(Model):
    """Who a person is and how they sign in; the one table that erasing empties.

    An address is not required: many new employees have a phone and no mailbox yet.
    """

    __tablename__ = "lms_identity"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("lms_person.id", ondelete="CASCADE"), primary_key=True
    )
    display_name: Mapped[str] = mapped_column(String(200))
    given_name: Mapped[str] = mapped_column(String(100), default="")
    sort_name: Mapped[str] = mapped_column(String(200), default="", index=True)
    email: Mapped[str | None] = mapped_column(String(254))
    employee_number: Mapped[str | None] = mapped_column(String(64), unique=True)
    password: Mapped[str | None] = mapped_column(String(255))
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=new_uid)

    person: Mapped[Person] = relationship(back_populates="identity", lazy="joined")


Index("uq_lms_identity_email_lower", func.lower(Identity.email), unique=True)

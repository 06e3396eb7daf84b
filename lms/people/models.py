"""People and where they stand in the organisation.

`Person` is opaque: an id for joins, a `uid` for addresses and statements, and what rules need
(department, role at work, day hired). Everything that says *who* it is, and everything that lets
them in, is in `Identity`: erasing a person empties that row and nothing else has to be searched.
"""

from __future__ import annotations

import datetime as dt
import secrets

from flask_security import UserMixin, WebAuthnMixin
from sqlalchemy import ForeignKey, Index, LargeBinary, String, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms import clock
from lms.db import Json, Model, UtcDateTime

WAY_BACK_MAX_CHARS = 500  # of an address of ours to come back to after sign-in

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


class Identity(UserMixin, Model):  # type: ignore[misc]
    """Who a person is and how they sign in; the one table that erasing empties.

    It is Flask-Security's user. An address is not required: many new employees have a phone and no
    mailbox yet; they sign in with a sign-in name. Passkeys and codes hang on it and go with it.
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
    sign_in_name: Mapped[str | None] = mapped_column(String(64), unique=True, index=True)
    password: Mapped[str | None] = mapped_column(String(255))
    # Names the person in sessions; changing it ends all of them.
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=new_uid)
    # Known to passkeys only; says nothing about the person.
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(String(64), unique=True, index=True)

    person: Mapped[Person] = relationship(back_populates="identity", lazy="joined", innerjoin=True)
    webauthn: Mapped[list[Passkey]] = relationship(
        back_populates="user", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def active(self) -> bool:
        """Whether the person may sign in; Flask-Security asks."""
        return self.person.active


class SearchWord(Model):
    """A word by whose beginning a person is found: of the name, the addresses and the number,
    without case and accents. `lms.people.search` writes them; they go with the identity.
    """

    __tablename__ = "lms_search_word"
    __table_args__ = ({"sqlite_with_rowid": False},)

    person_id: Mapped[int] = mapped_column(
        ForeignKey("lms_identity.person_id", ondelete="CASCADE"), primary_key=True
    )
    # Compared byte by byte on both databases, so that an index finds what begins with something.
    word: Mapped[str] = mapped_column(
        String(80).with_variant(String(80, collation="C"), "postgresql"), primary_key=True
    )


Index("ix_lms_search_word_word", SearchWord.word, SearchWord.person_id)


class Passkey(WebAuthnMixin, Model):  # type: ignore[misc]
    """A passkey of one person: the public half only."""

    __tablename__ = "lms_passkey"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("lms_identity.person_id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(64))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1024), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(default=0)
    transports: Mapped[list[str] | None] = mapped_column(Json)
    backup_state: Mapped[bool]
    device_type: Mapped[str] = mapped_column(String(64))
    extensions: Mapped[str | None] = mapped_column(String(255))
    lastuse_datetime: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    usage: Mapped[str] = mapped_column(String(64))

    user: Mapped[Identity] = relationship(back_populates="webauthn")

    def get_user_mapping(self) -> dict[str, int]:
        """Return how Flask-Security finds the user of this passkey."""
        return {"person_id": self.person_id}


class SignInCode(Model):
    """A code and a link, mailed together: either lets its person in once.

    Only hashes are kept. `unsent` holds what the mail says, sealed (`lms.people.codes`), until the
    worker has sent it.
    """

    __tablename__ = "lms_sign_in_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True)  # kept by the browser that asked
    person_id: Mapped[int] = mapped_column(
        ForeignKey("lms_identity.person_id", ondelete="CASCADE"), index=True
    )
    code_hash: Mapped[str] = mapped_column(String(64))
    link_hash: Mapped[str] = mapped_column(String(64), unique=True)
    way_back: Mapped[str] = mapped_column(String(WAY_BACK_MAX_CHARS), default="")
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    tries: Mapped[int] = mapped_column(default=0)
    unsent: Mapped[bytes | None] = mapped_column(LargeBinary)


class EndedSession(Model):
    """A session that was signed out of, until its cookie has run out; says nothing of whose."""

    __tablename__ = "lms_ended_session"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    until: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


class Familiar(Model):
    """A device or a place from which a person has signed in; `key` is a keyed hash of which.

    Nothing tells devices and places apart, nor where a place is. It counts until `until`, a whole
    day, so that it does not say when somebody signed in.
    """

    __tablename__ = "lms_familiar"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("lms_identity.person_id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    until: Mapped[dt.date] = mapped_column(index=True)


class JoinLink(Model):
    """A link or QR code by which people come in who have no mailbox yet.

    Open ones make a new person in a unit; one with `person_id` lets in that very person, once.
    The secret in the address is derived from `uid` and the installation's key, and not stored.
    """

    __tablename__ = "lms_join_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    person_id: Mapped[int | None] = mapped_column(
        ForeignKey("lms_identity.person_id", ondelete="CASCADE"), index=True
    )
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("lms_unit.id"))
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("lms_person.id"))
    job_role: Mapped[str] = mapped_column(String(80), default="")
    made_by_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id"))
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    most_uses: Mapped[int]
    uses: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Tries(Model):
    """How often something was tried in a stretch of time; `key` is a keyed hash, never a name."""

    __tablename__ = "lms_tries"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    stretch: Mapped[int] = mapped_column(primary_key=True)  # number of the stretch since 1970
    count: Mapped[int]
    until: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


Index("uq_lms_identity_email_lower", func.lower(Identity.email), unique=True)


class PeopleFile(Model):
    """A CSV file that was looked at and not yet taken over; gone once it is, or after a day."""

    __tablename__ = "lms_people_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    by_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id"))
    name: Mapped[str] = mapped_column(String(200))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)

"""Certificates, the published versions of their rules, awards, printed documents, and what waits.

No table here holds a name: the printed file does, and goes when the person is erased.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from lms.db import BigId, Json, Model, UtcDateTime
from lms.people.models import new_uid


class Definition(Model):
    """A certificate that can be earned; what it asks stands in its newest rule version."""

    __tablename__ = "certificates_definition"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    # Offered to nobody any more; what was given stays.
    retired_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Origin(StrEnum):
    """Who wrote a rule version."""

    SHIPPED = "shipped"
    ADMINISTRATOR = "administrator"


class RuleVersion(Model):
    """One published rule: never changed, never removed. An edit is a new version.

    `digest` is the SHA-256 of the rule's meaning (`Rule.digest`): a text that no longer gives it
    has been tampered with, and is not evaluated.
    """

    __tablename__ = "certificates_rule_version"
    __table_args__ = (UniqueConstraint("definition_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("certificates_definition.id"))
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(20))
    published_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    definition: Mapped[Definition] = relationship(lazy="joined")


class Award(Model):
    """A certificate given to a person, with its evidence as it was at that moment.

    code: what the verify page asks for, 140 bits from the system's random source; code_digest:
    its SHA-256, by which it is looked up, so that the time of a look-up tells nothing of a code.
    period: empty for a certificate that is earned once; never NULL, so that the constraint holds
    on PostgreSQL too. evidence: counts and windows, no colleague, no message. evidence_digest:
    SHA-256 of salt and evidence, printed in part, so that a changed row is found out.
    printed: every line of the paper but the holder's name.
    """

    __tablename__ = "certificates_award"
    __table_args__ = (UniqueConstraint("person_id", "definition_id", "period"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    person_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id"))
    definition_id: Mapped[int] = mapped_column(ForeignKey("certificates_definition.id"), index=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("certificates_rule_version.id"))
    period: Mapped[str] = mapped_column(String(20), default="")
    code: Mapped[str] = mapped_column(String(32))
    code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    earned_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    evidence: Mapped[dict[str, Any]] = mapped_column(Json)
    evidence_salt: Mapped[str] = mapped_column(String(32))
    evidence_digest: Mapped[str] = mapped_column(String(64))
    statement_id: Mapped[str] = mapped_column(String(36))
    printed: Mapped[dict[str, Any]] = mapped_column(Json)
    # Lapse suspends and use brings it back; revoking is for good, and says why.
    suspended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    valid_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    revoked_why: Mapped[str] = mapped_column(String(300), default="")

    version: Mapped[RuleVersion] = relationship(lazy="joined")
    definition: Mapped[Definition] = relationship(lazy="joined", viewonly=True)


class DocumentState(StrEnum):
    """Where a printed document stands."""

    WAITING = "waiting"  # to be rendered, at `due_at`
    READY = "ready"
    FAILED = "failed"  # given up; an administrator may ask again
    REMOVED = "removed"  # replaced after a change of name, or the holder was erased


class Document(Model):
    """One printing of an award: a PDF in LMS_FILES, named by the SHA-256 of its bytes.

    name_digest: keyed digest of the name on the paper, to see that a name has changed since;
    emptied when the person is erased.
    """

    __tablename__ = "certificates_document"
    __table_args__ = (
        UniqueConstraint("award_id", "number"),
        Index("ix_certificates_document_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    award_id: Mapped[int] = mapped_column(ForeignKey("certificates_award.id"))
    number: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(20), default=DocumentState.WAITING.value)
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(300), default="")
    rendered_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    sha256: Mapped[str] = mapped_column(String(64), default="", index=True)
    size_bytes: Mapped[int] = mapped_column(default=0)
    name_digest: Mapped[str] = mapped_column(String(64), default="")

    award: Mapped[Award] = relationship(lazy="joined")


class Recheck(Model):
    """Somebody whose evidence changed: to be evaluated. Rows are only added and taken, so that
    two deliveries about the same people never wait for each other."""

    __tablename__ = "certificates_recheck"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("lms_person.id", ondelete="CASCADE"))


class Sweep(Model):
    """A complete evaluation of everybody, in steps: `reached` is the last person id looked at."""

    __tablename__ = "certificates_sweep"

    id: Mapped[int] = mapped_column(primary_key=True)
    why: Mapped[str] = mapped_column(String(80))
    requested_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    reached: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class PublishedIsFinal(Exception):
    """Code tried to change or remove a published rule version: a fault of ours."""


def _refuse(_mapper: Mapper[RuleVersion], _connection: Any, version: RuleVersion) -> None:
    raise PublishedIsFinal(f"rule version {version.id} is published; publish a new one")


event.listen(RuleVersion, "before_update", _refuse)
event.listen(RuleVersion, "before_delete", _refuse)

"""The store: statements, and what they are found by.

Ids of statements are given under a lock (see `store`), so that their order is the order of
`stored` and of commits: a reader can walk them page by page and miss none.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from lms import clock
from lms.db import BigId, Json, Model, UtcDateTime
from lms.people.models import new_uid


class LrsStatement(Model):
    """A statement as it is returned: text holds id, stored, authority and version too."""

    __tablename__ = "xapi_statement"
    __table_args__ = (
        Index("ix_xapi_statement_verb", "verb_id", "id"),
        Index("ix_xapi_statement_registration", "registration", "id"),
        Index("ix_xapi_statement_stored", "stored", "id"),
        Index(
            "ix_xapi_statement_refers_to",
            "refers_to",
            sqlite_where=text("refers_to IS NOT NULL"),
            postgresql_where=text("refers_to IS NOT NULL"),
        ),
        Index(
            "ix_xapi_statement_voided",
            "id",
            sqlite_where=text("voided"),
            postgresql_where=text("voided"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    statement_id: Mapped[str] = mapped_column(String(36), unique=True)  # UUID, lower case
    stored: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    verb_id: Mapped[int] = mapped_column(ForeignKey("xapi_verb.id"))
    registration: Mapped[str | None] = mapped_column(String(36))
    refers_to: Mapped[str | None] = mapped_column(String(36))  # its object, where a StatementRef
    voiding: Mapped[bool] = mapped_column(default=False)
    voided: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str] = mapped_column(Text)  # JSON


class LrsPlace(Model):
    """One row: how far ids have got, whatever was removed since; and what may be remembered of them.

    last_id, last_stored: of the newest statement when rows were last removed: no id of a statement
    is ever given twice. generation: grows when agents, activities or verbs are removed, whose ids
    SQLite may give again: what a process remembers of them is of one generation.
    """

    __tablename__ = "xapi_place"

    id: Mapped[int] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(default=0)
    last_id: Mapped[int] = mapped_column(BigId, default=0)
    last_stored: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class LrsVerb(Model):
    """A verb, and how it is displayed in every language that statements gave."""

    __tablename__ = "xapi_verb"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    iri: Mapped[str] = mapped_column(Text)
    display: Mapped[dict[str, str]] = mapped_column(Json, default=dict)


class LrsAgent(Model):
    """An agent or identified group, by its inverse functional identifier."""

    __tablename__ = "xapi_agent"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    identifier: Mapped[dict[str, Any]] = mapped_column(Json)  # {"account": {...}}
    name: Mapped[str | None] = mapped_column(Text)  # the last that a statement gave


class LrsActivity(Model):
    """An activity and its definition, merged from what statements gave."""

    __tablename__ = "xapi_activity"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    iri: Mapped[str] = mapped_column(Text)
    definition: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class LrsStatementAgent(Model):
    """Which agents a statement names; `direct`: as actor or object, or a member of those.

    No foreign keys here and for activities: these are the most numerous rows of all, written in
    one place, and each key would be looked up for each of them.
    """

    __tablename__ = "xapi_statement_agent"
    __table_args__ = ({"sqlite_with_rowid": False},)

    agent_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    direct: Mapped[bool] = mapped_column(primary_key=True)
    statement: Mapped[int] = mapped_column(BigId, primary_key=True)


class LrsStatementActivity(Model):
    """Which activities a statement names; `direct`: as its object."""

    __tablename__ = "xapi_statement_activity"
    __table_args__ = ({"sqlite_with_rowid": False},)

    activity_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    direct: Mapped[bool] = mapped_column(primary_key=True)
    statement: Mapped[int] = mapped_column(BigId, primary_key=True)


class LrsMention(Model):
    """Whom a statement names where no filter looks, by a person's key; see `xapi.lrs.mentions`."""

    __tablename__ = "xapi_mention"
    __table_args__ = ({"sqlite_with_rowid": False},)

    person: Mapped[str] = mapped_column(String(32), primary_key=True)
    statement: Mapped[int] = mapped_column(BigId, primary_key=True)


class LrsReference(Model):
    """`source` targets `target`, directly or through others (StatementRef as object)."""

    __tablename__ = "xapi_reference"
    __table_args__ = (
        Index("ix_xapi_reference_target", "target"),
        {"sqlite_with_rowid": False},
    )

    source: Mapped[int] = mapped_column(
        BigId, ForeignKey("xapi_statement.id", ondelete="CASCADE"), primary_key=True
    )
    target: Mapped[int] = mapped_column(
        BigId, ForeignKey("xapi_statement.id", ondelete="CASCADE"), primary_key=True
    )


class LrsAttachment(Model):
    """The bytes of an attachment, by their hash; many statements may share them."""

    __tablename__ = "xapi_attachment"

    sha2: Mapped[str] = mapped_column(String(128), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class LrsStatementAttachment(Model):
    """Which statements name an attachment, whether its bytes are here or not.

    brought: they came with the statement. A hash alone is no claim to the bytes: whoever may read a
    statement gets what came with it, and nothing that others sent.
    """

    __tablename__ = "xapi_statement_attachment"
    __table_args__ = (
        Index("ix_xapi_statement_attachment_statement", "statement"),
        {"sqlite_with_rowid": False},
    )

    sha2: Mapped[str] = mapped_column(String(128), primary_key=True)
    statement: Mapped[int] = mapped_column(
        BigId, ForeignKey("xapi_statement.id", ondelete="CASCADE"), primary_key=True
    )
    brought: Mapped[bool] = mapped_column(server_default=false())


class LrsDocument(Model):
    """A document of the state, agent profile or activity profile resource.

    What is not part of a kind's name (the agent of an activity profile) is the empty text: NULLs
    would not be unique.
    """

    __tablename__ = "xapi_document"
    __table_args__ = (
        Index("ix_xapi_document_group", "agent", "activity", "kind", "updated"),
        Index("ix_xapi_document_person", "person"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)  # digest of all that names it
    kind: Mapped[str] = mapped_column(String(8))
    agent: Mapped[str] = mapped_column(String(32))  # key, see xapi.lrs.keys
    # The agent's however its mail address is written; see xapi.lrs.keys.
    person: Mapped[str] = mapped_column(String(32), server_default="")
    activity: Mapped[str] = mapped_column(String(32))  # key
    registration: Mapped[str] = mapped_column(String(36))  # UUID, lower case
    name: Mapped[str] = mapped_column(Text)  # stateId or profileId
    content_type: Mapped[str] = mapped_column(String(200))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    etag: Mapped[str] = mapped_column(String(40))  # hex SHA-1 of the content, as 1.0.3 asks
    updated: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class LrsCredential(Model):
    """A key and secret of a system that talks to the LRS.

    The secret is 256 random bits that we made, so a plain SHA-256 of it can neither be guessed
    back nor cost a request anything. For a while after a new one was made the old one works too.
    """

    __tablename__ = "xapi_credential"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    name: Mapped[str] = mapped_column(String(120))
    key: Mapped[str] = mapped_column(String(64), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(String(200))  # separated by blanks
    # The major version of the standard in which a call that names none is answered.
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    # Whose pages may use it in a browser; separated by blanks. See `xapi.lrs.crossing`.
    origins: Mapped[str] = mapped_column(Text, default="", server_default="")
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=clock.now)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("lms_person.id", ondelete="SET NULL"))
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    # Days in UTC, and no finer: enough to see what is in use, too little to watch a system by.
    last_used_on: Mapped[dt.date | None]
    rotated_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    old_secret_hash: Mapped[str | None] = mapped_column(String(64))
    old_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    old_used_on: Mapped[dt.date | None]  # since the new one was made

"""What is kept of the network: who is linked, what waits, and the ledger of acts. No content.

External ids (accounts, messages, groups) are kept as keyed digests (`esn.digests`): equal ids stay
equal, and nobody who reads the database can look them up in the network.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms import clock
from lms.db import BigId, Json, Model, UtcDateTime
from lms.moments import still_good
from lms.people.models import new_uid

DIGEST_CHARS = 32
SECRET_OVERLAP = dt.timedelta(days=7)


class Connector(Model):
    """One connection to one network.

    kind: the entry point name of its connector. settings: what the administrator chose, no
    secrets. secret, secret_before: sealed (`esn.secrets`); the earlier one stays valid until
    `secret_before_until`, so that a secret is changed without a gap. credentials: sealed JSON,
    with what we prove ourselves to the network. cursor: where a backfill stands, in the
    connector's own words. longest_silence_seconds: between two deliveries, so far. trouble: what is
    wrong now, a sentence a line, none of them the network's; translated where it is shown.
    told_client: it has said of an act, once at least, from which kind of device it came; kept, so
    that nobody has to look through the ledger for it. acts: how many of its acts the ledger holds.
    """

    __tablename__ = "esn_connector"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    kind: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(120))
    active: Mapped[bool] = mapped_column(default=True)
    settings: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret_before: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret_before_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    credentials: Mapped[bytes | None] = mapped_column(LargeBinary)
    cursor: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    backfilled_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=clock.now)
    last_delivery_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    longest_silence_seconds: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(String(300), default="")
    told_client: Mapped[bool] = mapped_column(default=False)
    acts: Mapped[int] = mapped_column(BigInteger, default=0)

    @property
    def good_secrets(self) -> list[bytes]:
        """The secrets that prove a sender just now, sealed: the present one, and one before it."""
        until = self.secret_before_until
        overlaps = until is not None and still_good(until, SECRET_OVERLAP)
        return [one for one in (self.secret, self.secret_before if overlaps else None) if one]


class Account(Model):
    """An account in a network, and the person it was matched with: the one table of links.

    match, match_also: keyed digests of the address and the employee number that the network gave,
    so that somebody who is added later is still found; emptied once matched, and when the person
    is erased.
    """

    __tablename__ = "esn_account"
    __table_args__ = (UniqueConstraint("connector_id", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    connector_id: Mapped[int] = mapped_column(ForeignKey("esn_connector.id"))
    key: Mapped[str] = mapped_column(String(DIGEST_CHARS))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("lms_person.id"), index=True)
    match: Mapped[str | None] = mapped_column(String(DIGEST_CHARS), index=True)
    match_also: Mapped[str | None] = mapped_column(String(DIGEST_CHARS))
    linked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class GroupState(StrEnum):
    """Whether what happens in a group counts."""

    COUNTED = "counted"
    LEFT_OUT = "left_out"  # an administrator said so
    CLOSED = "closed"  # it is not, or no longer, open to everybody: nothing in it is read


class Group(Model):
    """A group of a network that says which of its groups are open to all employees.

    name: of groups that are open to everybody only; of any other, nothing but the digest is kept.
    kind: `work`, `social`, `leaders`, ...; chosen by an administrator.
    """

    __tablename__ = "esn_group"
    __table_args__ = (UniqueConstraint("connector_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    connector_id: Mapped[int] = mapped_column(ForeignKey("esn_connector.id"))
    key: Mapped[str] = mapped_column(String(DIGEST_CHARS))
    name: Mapped[str] = mapped_column(String(200), default="")
    kind: Mapped[str] = mapped_column(String(32), default="work")
    state: Mapped[str] = mapped_column(String(16), default=GroupState.COUNTED.value)


class Removed(Model):
    """Content or an event that was deleted in the network: what comes of it later does not count.

    Deliveries arrive twice and in any order, and a backfill reads what was pushed long ago.
    """

    __tablename__ = "esn_removed"

    connector_id: Mapped[int] = mapped_column(ForeignKey("esn_connector.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(DIGEST_CHARS), primary_key=True)
    removed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


class Delivery(Model):
    """A delivery that was verified and whitelisted, and waits to be normalised."""

    __tablename__ = "esn_delivery"
    __table_args__ = (UniqueConstraint("connector_id", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    connector_id: Mapped[int] = mapped_column(ForeignKey("esn_connector.id"))
    key: Mapped[str] = mapped_column(String(DIGEST_CHARS))
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    payload: Mapped[dict[str, Any] | None] = mapped_column(Json)  # None once it is in the ledger
    done_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, index=True)
    tries: Mapped[int] = mapped_column(default=0)


class Usage(Model):
    """One act, or one day's count of acts: metadata only.

    day: days since 1970-01-01 in UTC. recipient_id: the account whom the act answers. `person_id`
    is the account's, kept here as well since every question is asked by person.
    """

    __tablename__ = "esn_usage"
    __table_args__ = (
        UniqueConstraint("connector_id", "event_key"),
        Index("ix_esn_usage_person_day", "person_id", "day"),
        Index("ix_esn_usage_account", "account_id"),
        Index("ix_esn_usage_object", "connector_id", "object_key"),
        Index("ix_esn_usage_parent", "connector_id", "parent_key"),
        Index("ix_esn_usage_day", "day"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    connector_id: Mapped[int] = mapped_column(ForeignKey("esn_connector.id"))
    event_key: Mapped[str] = mapped_column(String(DIGEST_CHARS))
    occurred_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    day: Mapped[int]
    account_id: Mapped[int] = mapped_column(ForeignKey("esn_account.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("lms_person.id"))
    verb: Mapped[str] = mapped_column(String(16))
    object_key: Mapped[str | None] = mapped_column(String(DIGEST_CHARS))
    parent_key: Mapped[str | None] = mapped_column(String(DIGEST_CHARS))
    group_key: Mapped[str | None] = mapped_column(String(DIGEST_CHARS))
    group_kind: Mapped[str] = mapped_column(String(32), default="")
    recipient_id: Mapped[int | None] = mapped_column(ForeignKey("esn_account.id"))
    client: Mapped[str] = mapped_column(String(8), default="unknown")
    kind: Mapped[str] = mapped_column(String(9), default="event")
    count: Mapped[int] = mapped_column(default=1)
    # The xAPI statement that tells of it, where one does: what an award rests on, what is voided.
    statement_id: Mapped[str | None] = mapped_column(String(36))

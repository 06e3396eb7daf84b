"""Checking a certificate: what anybody who holds the paper may compare it with, and its status now.

Every line of the paper is shown, so that an edited copy is found out. The name is the holder's
present one, from the one table of names: erasing the holder removes it here too. Counts of what
somebody did are on neither paper nor page: a manager may open it as anybody may.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from certificates.awards import find_by_code, is_intact
from certificates.catalogue import Tampered, rule_of
from certificates.documents import printings
from certificates.models import Award
from certificates.rendering.page import Printed, printable, printed_of
from certificates.rules.words import condition_in_words
from lms import clock
from lms.db import db
from lms.errors import NotFound
from lms.people.models import Identity


class Status(StrEnum):
    """What a certificate is worth today."""

    VALID = "valid"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CHANGED = "changed"  # its frozen evidence is not what was frozen


class UnknownCode(NotFound):
    """No certificate has this code."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the page shows."""

    award: Award
    printed: Printed
    holder: str | None  # None: the holder was erased
    status: Status
    revoked_at: dt.datetime | None
    revoked_why: str
    rule_in_words: list[tuple[str, list[str]]]
    reprinted_at: dt.datetime | None  # printed again after a change of name


def check(typed: str) -> Checked:
    """Return what is known of the certificate with this code; raises UnknownCode, always alike."""
    award = find_by_code(typed)
    if award is None:
        raise UnknownCode("No certificate has this code. Compare it with the paper, sign by sign.")
    name = db.session.scalar(
        select(Identity.display_name).where(Identity.person_id == award.person_id)
    )
    prints = printings(award.id)
    try:
        conditions = rule_of(award.version).conditions
        status = status_of(award)
    except Tampered:
        conditions, status = (), Status.CHANGED
    return Checked(
        award=award,
        printed=printed_of(award),
        holder=printable(name) if name is not None else None,
        status=status,
        revoked_at=award.revoked_at,
        revoked_why=award.revoked_why,
        rule_in_words=[(one.title, condition_in_words(one)) for one in conditions],
        reprinted_at=prints[-1].rendered_at if len(prints) > 1 else None,
    )


def status_of(award: Award) -> Status:
    """Return what an award is worth now; the gravest reason first."""
    if award.revoked_at is not None:
        return Status.REVOKED
    if not is_intact(award):
        return Status.CHANGED
    if award.valid_until is not None and award.valid_until <= clock.now():
        return Status.EXPIRED
    if award.suspended_at is not None:
        return Status.SUSPENDED
    return Status.VALID
